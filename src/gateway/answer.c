/* SPDX-License-Identifier: MIT */
#include "gateway/embeddings.h"

#include <string.h>

enum wire_layout answer_layout(const char *model)
{
	return strcmp(model, "text-embedding-ada-002") == 0 ? WIRE_LAYOUT_INDENTED
							    : WIRE_LAYOUT_COMPACT;
}

/* Straight into the reply, from the table where the vector allows it. */
static void add_vector(struct call *call, size_t index, const float *vector, uint32_t dimensions)
{
	struct wire_reply_writer *writer = &call->writer;

	wire_reply_begin_item(writer, index);
	if (call->format != WIRE_FORMAT_FLOAT || writer->layout != WIRE_LAYOUT_COMPACT ||
	    !half_text_append(call->gateway->half_text, writer->out, vector, dimensions))
		wire_reply_vector_text(
		    writer->out, writer->layout, writer->format, vector, dimensions);
	wire_reply_end_item(writer, index);
}

static void count_answer(struct call *call, const struct embed_answer *answer)
{
	bool is_hit = answer->source == EMBED_FROM_STORE;

	call->tokens += answer->tokens;
	call->hits += is_hit;
	if (!is_hit || call->policy->hit_usage == GATEWAY_HITS_COUNT)
		call->usage_tokens += answer->tokens;
}

void answer_add(struct call *call, size_t index, const struct embed_answer *answer)
{
	add_vector(call, index, answer->vector, answer->dimensions);
	count_answer(call, answer);
}

static void add_count_field(struct call *call, const char *name, uint64_t number)
{
	if (number)
		http_reply_fieldf(call->exchange, name, "%llu", (unsigned long long)number);
}

void answer_add_cache_fields(struct call *call)
{
	bool is_all = call->hits == call->count;

	http_reply_field(call->exchange, "x-embed-cache",
	    is_all       ? "hit"
	    : call->hits ? "partial"
			 : "miss");
	if (is_all && call->count == 1)
		return;
	add_count_field(call, "x-embed-hits", call->hits);
	add_count_field(call, "x-embed-joined", call->joined);
	add_count_field(call, "x-embed-sent", call->sent);
	add_count_field(call, "x-embed-failed", call->failed);
	add_count_field(call, "x-embed-billed-tokens", call->billed_tokens);
	add_count_field(call, "x-embed-cost-nano", call->cost_nano);
}

void answer_finish(struct call *call)
{
	if (wire_reply_finish(&call->writer, call->model, call->usage_tokens) != EMBED_OK) {
		call_refuse(call, WIRE_REFUSAL_FAULT, NULL);
		return;
	}
	answer_add_cache_fields(call);
	call_reply(call, 200);
}
