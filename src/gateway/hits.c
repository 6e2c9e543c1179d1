/* SPDX-License-Identifier: MIT */
#include "gateway/embeddings.h"

#include <stdlib.h>

/* Of a model that is not in the table, for looking it up; a larger one is a miss. */
#define UNKNOWN_DIMENSIONS 4096
#define EXACT_ROOM_MIN     (1u << 20)
#define EXACT_ROOM_MAX     (31u << 20)

/* Dimensions that an answer may have. */
static uint32_t largest_vector(const struct asked *asked)
{
	const struct embed_model *model = embed_model_find(asked->request.model);

	if (asked->request.dimensions)
		return asked->request.dimensions;
	return model ? model->dimensions : UNKNOWN_DIMENSIONS;
}

static bool has_vector_room(struct gateway_worker *worker, size_t need)
{
	float *grown;

	if (need <= worker->vector_cap)
		return true;
	if (need > WIRE_MAX_DIMENSIONS)
		return false;
	grown = realloc(worker->vector, need * sizeof(*grown));
	if (!grown)
		return false;
	worker->vector = grown;
	worker->vector_cap = need;
	return true;
}

/*
 * A large reply gets exactly what it needs: doubling would pass 32 MiB, above
 * which glibc returns memory to the kernel each time, and 17 MB of page faults
 * cost more than all the rest of 2,048 hits.
 */
static void make_room(struct buffer *body, size_t need)
{
	char *bytes;

	if (need <= EXACT_ROOM_MIN || need > EXACT_ROOM_MAX || body->cap >= need)
		return;
	bytes = malloc(need + 1);
	if (!bytes)
		return; /* it may still grow by itself, or fail there */
	buffer_fini(body);
	buffer_init(body, body->max_bytes);
	body->bytes = bytes;
	body->cap = need;
}

static void write_hit(size_t index, const struct embed_answer *answer, void *context)
{
	answer_add(context, index, answer);
}

size_t hits_write(struct call *call, struct asked *asked)
{
	struct gateway_worker *worker = call->worker;
	struct embed_lookup_options options = EMBED_LOOKUP_OPTIONS_INIT;
	size_t found;

	buffer_reset(&worker->body);
	make_room(&worker->body, wire_reply_bytes(answer_layout(call->model), call->format,
				     call->count, largest_vector(asked)));
	wire_reply_begin(&call->writer, &worker->body, answer_layout(call->model), call->format);
	if (!has_vector_room(worker, largest_vector(asked)))
		return 0;
	options.request = &asked->request;
	options.vector = worker->vector;
	options.cap = worker->vector_cap;
	options.on_found = write_hit;
	options.context = call;
	embed_lookup_many(
	    call->gateway->service, asked->body->texts, call->count, &options, &found);
	return found;
}
