/* SPDX-License-Identifier: MIT */
/*
 * POST /v1/embeddings and its other names.
 *
 * Hits are looked up in order and written into the reply at once.  At the
 * first text that is not stored, that text and all after it become one job;
 * the reply, as far as it got, waits with the parked exchange.  So an all-hit
 * request never leaves the worker, and nothing is looked up twice but that one.
 */
#include "gateway/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

/* OpenAI's limiter counts a text as a token for each four bytes (PROTOCOL 7). */
#define BYTES_PER_TOKEN 4

/* Of a model that is not in the table, for looking it up; a larger one is a miss. */
#define UNKNOWN_DIMENSIONS 4096
#define EXACT_ROOM_MIN     (1u << 20)
#define EXACT_ROOM_MAX     (31u << 20)

/* What the headers and the body asked for, for the library. */
struct asked {
	struct embed_request request;
	const struct wire_request *body;
	char user[256];
	char partition[KEY_NAME_MAX + 16];
};

/* ---- Reading what was asked ---------------------------------------------- */

static const struct http_slice *header(struct call *call, const char *name)
{
	return http_request_field(http_exchange_request(call->exchange), name);
}

static bool take_path_model(struct call *call)
{
	size_t len = http_percent_decode(call->param, call->model, CALL_MODEL_MAX);

	if (len == SIZE_MAX) {
		call_refuse(call, WIRE_REFUSAL_NO_MODEL, NULL);
		return false;
	}
	call->model[len] = '\0';
	return true;
}

static bool take_body_model(struct call *call, const struct wire_request *body)
{
	if (body->model.len > CALL_MODEL_MAX) {
		call_refuse(call, WIRE_REFUSAL_NO_SUCH_MODEL, "(a name that is too long)", NULL);
		return false;
	}
	memcpy(call->model, body->model.bytes, body->model.len);
	call->model[body->model.len] = '\0';
	return true;
}

static bool refuse_body(struct call *call, const struct embed_error *error)
{
	if (error->status == EMBED_TOO_LARGE) {
		char limit[24];

		snprintf(limit, sizeof(limit), "%zu", call->gateway->options.max_texts);
		call_refuse(call, WIRE_REFUSAL_TOO_MANY_INPUTS, limit, NULL);
	} else if (error->status == EMBED_NO_MEMORY) {
		call_refuse(call, WIRE_REFUSAL_FAULT, NULL);
	} else {
		call_refuse(call, WIRE_REFUSAL_NOT_JSON, NULL);
	}
	return false;
}

/* Reads and judges the body; false: refused. */
static bool read_body(struct call *call, struct wire_request *body)
{
	const struct http_request *http = http_exchange_request(call->exchange);
	const struct gateway_options *options = &call->gateway->options;
	struct wire_request_policy policy = {
	    .refuse_unknown = options->unknown_fields == GATEWAY_REFUSE_UNKNOWN,
	    .needs_model = !call->param.len,
	    .max_inputs = options->max_texts,
	};
	struct embed_error error;
	enum wire_refusal_id refusal;
	const struct http_slice *partial = header(call, "x-embed-partial");

	call->is_partial = partial && http_slice_equals_any_case(*partial, "true");
	error_clear(&error);
	if (wire_request_read(body, http->body, http->body_len, options->max_texts, &error) !=
	    EMBED_OK)
		return refuse_body(call, &error);
	if (call->param.len ? !take_path_model(call)
			    : body->model.kind == WIRE_STRING && !take_body_model(call, body))
		return false;
	buffer_reset(&call->worker->body);
	refusal = wire_request_check(
	    body, &policy, embed_model_find(call->model), &call->worker->body, NULL);
	if (call->is_partial && refusal == WIRE_REFUSAL_EMPTY_TEXT_AT)
		refusal = WIRE_REFUSAL_NONE; /* it fails alone, further on */
	if (refusal != WIRE_REFUSAL_NONE) {
		call_reply(call, wire_refusal_row(refusal)->http_status);
		return false;
	}
	return true;
}

/* Seconds that the SDK waits for the answer: node sends one name, python another. */
static uint32_t sdk_timeout_ms(struct call *call)
{
	const struct http_slice *value = header(call, "x-stainless-timeout");
	char text[24];
	double seconds;

	if (!value)
		value = header(call, "x-stainless-read-timeout");
	if (!value || value->len >= sizeof(text))
		return 0;
	memcpy(text, value->bytes, value->len);
	text[value->len] = '\0';
	seconds = strtod(text, NULL);
	return seconds > 0 && seconds < 4000000 ? (uint32_t)(seconds * 1000) + 1 : 0;
}

static uint32_t timeout_ms(struct call *call)
{
	uint32_t ours = (uint32_t)(call->gateway->options.timeout_us / 1000);
	uint32_t theirs = sdk_timeout_ms(call);

	if (!theirs || (ours && ours < theirs))
		return ours;
	return theirs;
}

static enum embed_lane lane(struct call *call)
{
	const struct http_slice *value = header(call, "x-embed-lane");

	if (value && http_slice_equals(*value, "bulk"))
		return EMBED_LANE_BULK;
	if (value && http_slice_equals(*value, "interactive"))
		return EMBED_LANE_INTERACTIVE;
	return call->key ? call->key->lane : EMBED_LANE_INTERACTIVE;
}

static enum embed_too_long too_long(struct call *call)
{
	static const char *const names[] = {"error", "truncate", "average"};
	const struct http_slice *value = header(call, "x-embed-too-long");

	for (size_t i = 0; value && i < sizeof(names) / sizeof(names[0]); i++)
		if (http_slice_equals(*value, names[i]))
			return (enum embed_too_long)i;
	return call->gateway->options.too_long;
}

/* A W3C traceparent is 55 characters; others are not passed on. */
static const char *trace_parent(struct call *call)
{
	const struct http_slice *value = header(call, "traceparent");

	if (!value || value->len != sizeof(call->trace_parent) - 1)
		return NULL;
	memcpy(call->trace_parent, value->bytes, value->len);
	call->trace_parent[value->len] = '\0';
	return call->trace_parent;
}

/* Texts of a partitioned key, or of a caller's own upstream key, are shared with nobody. */
static const char *partition(struct call *call, struct asked *asked)
{
	const struct digest_part part = {call->caller_key, strlen(call->caller_key)};
	struct digest digest;

	if (call->caller_key[0]) {
		if (!digest_parts(&digest, &part, 1))
			return "caller"; /* out of memory: shared among callers at most */
		snprintf(asked->partition, sizeof(asked->partition), "caller:");
		for (size_t i = 0; i < 16; i++)
			snprintf(asked->partition + 7 + 2 * i, 3, "%02x", digest.bytes[i]);
		return asked->partition;
	}
	if (!call->key || !call->key->is_partitioned)
		return NULL;
	snprintf(asked->partition, sizeof(asked->partition), "key:%s", call->key->name);
	return asked->partition;
}

static void fill_request(struct call *call, struct asked *asked)
{
	const struct wire_request *body = asked->body;

	asked->request = (struct embed_request)EMBED_REQUEST_INIT;
	asked->request.model = call->model;
	asked->request.dimensions = wire_request_dimensions(body);
	asked->request.lane = lane(call);
	asked->request.too_long = too_long(call);
	asked->request.timeout_ms = timeout_ms(call);
	asked->request.trace_parent = trace_parent(call);
	asked->request.partition = partition(call, asked);
	if (call->key) {
		asked->request.key_name = call->key->name;
		asked->request.key_weight = call->key->weight;
	}
	if (call->caller_key[0])
		asked->request.authorization = call->caller_key;
	if (body->user.kind == WIRE_STRING && body->user.len < sizeof(asked->user)) {
		memcpy(asked->user, body->user.bytes, body->user.len + 1);
		asked->request.user = asked->user;
	}
	if (call->worker->extra.len)
		asked->request.extra = call->worker->extra.bytes;
	call->format = wire_request_format(body);
	call->count = body->count;
}

/* As OpenAI's limiter counts. */
static uint64_t estimate_tokens(const struct embed_text *texts, size_t count)
{
	uint64_t tokens = 0;

	for (size_t i = 0; i < count; i++)
		tokens += texts[i].bytes ? texts[i].len / BYTES_PER_TOKEN + 1 : texts[i].id_count;
	return tokens;
}

/* ---- The reply -------------------------------------------------------------- */

static enum wire_layout layout_of(const char *model)
{
	return strcmp(model, "text-embedding-ada-002") == 0 ? WIRE_LAYOUT_INDENTED
							    : WIRE_LAYOUT_COMPACT;
}

static void add_vector(struct call *call, size_t index, const float *vector, uint32_t dimensions)
{
	struct buffer *text = &call->worker->text;

	buffer_reset(text);
	if (call->format == WIRE_FORMAT_FLOAT && call->writer.layout == WIRE_LAYOUT_COMPACT &&
	    half_text_append(call->gateway->half_text, text, vector, dimensions))
		wire_reply_add_text(&call->writer, index, text->bytes, text->len);
	else
		wire_reply_add(&call->writer, index, vector, dimensions);
}

static void count_answer(struct call *call, const struct embed_answer *answer)
{
	bool is_hit = answer->source == EMBED_FROM_STORE;

	call->tokens += answer->tokens;
	call->hits += is_hit;
	if (!is_hit || call->gateway->options.hit_usage == GATEWAY_HITS_COUNT)
		call->usage_tokens += answer->tokens;
}

static void add_count_field(struct call *call, const char *name, uint64_t number)
{
	if (number)
		http_reply_fieldf(call->exchange, name, "%llu", (unsigned long long)number);
}

static void add_cache_fields(struct call *call)
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

/* The reply is in worker->body. */
static void finish_reply(struct call *call)
{
	if (wire_reply_finish(&call->writer, call->model, call->usage_tokens) != EMBED_OK) {
		call_refuse(call, WIRE_REFUSAL_FAULT, NULL);
		return;
	}
	add_cache_fields(call);
	call_reply(call, 200);
}

/* ---- Hits --------------------------------------------------------------------- */

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

/* Writes stored vectors from the first on; the count of them. */
static size_t write_hits(struct call *call, struct asked *asked)
{
	struct gateway_worker *worker = call->worker;
	const struct embed_text *texts = asked->body->texts;
	size_t i;

	buffer_reset(&worker->body);
	make_room(&worker->body, wire_reply_bytes(layout_of(call->model), call->format, call->count,
				     largest_vector(asked)));
	wire_reply_begin(&call->writer, &worker->body, layout_of(call->model), call->format);
	if (!has_vector_room(worker, largest_vector(asked)))
		return 0;
	for (i = 0; i < call->count; i++) {
		struct embed_answer answer;

		if (embed_lookup(call->gateway->service, &texts[i], &asked->request, worker->vector,
			worker->vector_cap, &answer) != EMBED_OK)
			break;
		add_vector(call, i, answer.vector, answer.dimensions);
		count_answer(call, &answer);
	}
	return i;
}

/* ---- Misses --------------------------------------------------------------------- */

/* The reply so far moves to the call and back. */
static void keep_body(struct call *call)
{
	call->body = call->worker->body;
	buffer_init(&call->worker->body, call->body.max_bytes);
	call->writer.out = &call->body;
}

static void restore_body(struct call *call)
{
	buffer_fini(&call->worker->body);
	call->worker->body = call->body;
	call->writer.out = &call->worker->body;
	buffer_init(&call->body, 0);
}

static const struct embed_error *first_error(struct call *call)
{
	for (size_t i = 0; i < embed_result_count(call->result); i++) {
		const struct embed_answer *answer = embed_result_answer(call->result, i);

		if (answer->status == EMBED_OK)
			continue;
		if (answer->error)
			call->error = *answer->error;
		else
			error_set(&call->error, answer->status, "%s",
			    embed_status_meaning(answer->status));
		call->error.index = call->prefix + i;
		return &call->error;
	}
	return NULL;
}

static void write_answers(struct call *call)
{
	for (size_t i = 0; i < embed_result_count(call->result); i++) {
		const struct embed_answer *answer = embed_result_answer(call->result, i);

		if (answer->status == EMBED_OK) {
			add_vector(call, call->prefix + i, answer->vector, answer->dimensions);
			count_answer(call, answer);
		} else {
			wire_reply_add_text(&call->writer, call->prefix + i, "null", 4);
		}
	}
}

/* Partial answers: "errors" beside "data", each with its index. */
static void write_errors(struct call *call)
{
	struct buffer *body = &call->worker->body;
	const char *separator = ",\"errors\":[";

	while (body->len && strchr("}\n", body->bytes[body->len - 1]) &&
	       body->bytes[body->len - 1] != '}')
		body->len--;
	if (!body->len)
		return;
	body->len--; /* the object's last brace */
	for (size_t i = 0; i < embed_result_count(call->result); i++) {
		const struct embed_answer *answer = embed_result_answer(call->result, i);

		if (answer->status == EMBED_OK || !answer->error)
			continue;
		buffer_printf(body, "%s{\"index\":%zu,\"error\":", separator, call->prefix + i);
		failure_write_object(body, answer->error);
		buffer_append_char(body, '}');
		separator = ",";
	}
	buffer_append_text(body, "]}");
}

static void take_totals(struct call *call)
{
	const struct embed_result_totals *totals = embed_result_totals(call->result);

	call->joined = totals->joined;
	call->sent = totals->sent;
	call->failed = totals->failed;
	call->billed_tokens = totals->billed_tokens;
	call->cost_nano = totals->cost_nano;
}

static void answer_result(struct call *call)
{
	const struct embed_error *error = first_error(call);

	take_totals(call);
	if (error && (!call->is_partial || call->failed == call->count)) {
		call_refuse_error(call, error, call->count);
		return;
	}
	write_answers(call);
	if (!error) {
		finish_reply(call);
		return;
	}
	if (wire_reply_finish(&call->writer, call->model, call->usage_tokens) != EMBED_OK) {
		call_refuse(call, WIRE_REFUSAL_FAULT, NULL);
		return;
	}
	write_errors(call);
	add_cache_fields(call);
	call_reply(call, 200);
}

static void release_job(struct call *call)
{
	if (call->job)
		embed_job_release(call->job);
	call->job = NULL;
	embed_result_destroy(call->result);
	call->result = NULL;
}

/* On the worker again, with a result or a status. */
static void on_resumed(struct http_exchange *exchange, void *arg)
{
	struct call *call = arg;

	http_exchange_on_gone(exchange, NULL, NULL);
	restore_body(call);
	if (call->result && call->reserved_nano)
		meter_settle(call->key->meter, call->reserved_nano,
		    embed_result_totals(call->result)->cost_nano);
	else if (call->reserved_nano)
		meter_settle(call->key->meter, call->reserved_nano, 0);
	if (http_exchange_is_gone(exchange))
		buffer_reset(&call->worker->body);
	else if (call->result)
		answer_result(call);
	else
		call_refuse_error(call, &call->error, call->count);
	release_job(call);
}

/* On the engine's thread, or ours. */
static void on_done(embed_result *result, void *context)
{
	struct call *call = context;

	call->result = result;
	http_exchange_resume(call->exchange, on_resumed, call);
}

static void on_gone(struct http_exchange *exchange, void *arg)
{
	struct call *call = arg;

	(void)exchange;
	if (call->job)
		embed_job_cancel(call->job);
}

/* Exact, since it is money; only for keys with a budget. */
static uint64_t cost_of(struct call *call, const struct embed_text *texts, size_t count)
{
	const struct embed_model *model = embed_model_find(call->model);
	uint64_t tokens = 0;

	if (!model)
		return 0;
	for (size_t i = 0; i < count; i++) {
		size_t text_tokens = texts[i].id_count;

		if (texts[i].bytes && embed_count_tokens(model->encoding, texts[i].bytes,
					  texts[i].len, &text_tokens) != EMBED_OK)
			text_tokens = texts[i].len;
		tokens += text_tokens;
	}
	return tokens * model->nano_per_token;
}

/* Admission and budget; false: refused. */
static bool is_admitted(struct call *call, const struct embed_text *texts, size_t count)
{
	int64_t wait_us = admission_wait_us(call->gateway, estimate_tokens(texts, count));
	uint64_t nano;

	if (wait_us) {
		struct embed_error error;

		error_set(&error, EMBED_QUEUE_FULL,
		    "Too much waits to be embedded already. Please try again in %d seconds.",
		    (int)((wait_us + 999999) / 1000000));
		atomic_fetch_add_explicit(&call->worker->counts.rejected, 1, memory_order_relaxed);
		call_retry_after(call, wait_us);
		call_refuse_with(call, 429, error.message, "tokens", NULL, "rate_limit_exceeded");
		return false;
	}
	if (!call->key || !call->key->budget_nano)
		return true;
	nano = cost_of(call, texts, count);
	if (meter_reserve(call->key->meter, call->key, nano, clock_unix_s())) {
		call->reserved_nano = nano;
		return true;
	}
	atomic_fetch_add_explicit(&call->worker->counts.rejected, 1, memory_order_relaxed);
	call_retry_after(call, 0);
	call_refuse(call, WIRE_REFUSAL_NO_QUOTA, NULL);
	return false;
}

static void submit(struct call *call, struct asked *asked)
{
	const struct embed_text *texts = asked->body->texts + call->prefix;
	size_t count = call->count - call->prefix;

	if (!is_admitted(call, texts, count))
		return;
	keep_body(call);
	http_exchange_park(call->exchange);
	http_exchange_on_gone(call->exchange, on_gone, call);
	error_clear(&call->error);
	if (embed_submit(call->gateway->service, texts, count, &asked->request, on_done, call,
		&call->job, &call->error) == EMBED_OK)
		return;
	if (call->error.index != EMBED_NO_INDEX)
		call->error.index += call->prefix;
	http_exchange_resume(call->exchange, on_resumed, call);
}

void handle_embeddings(struct call *call)
{
	struct asked asked = {.body = &call->worker->request};

	if (!read_body(call, &call->worker->request))
		return;
	if (call->key && !key_may_use(call->key, call->model, strlen(call->model))) {
		call_refuse(call, WIRE_REFUSAL_NO_SUCH_MODEL, call->model, NULL);
		return;
	}
	if (!call_take_extra(call, &call->worker->request))
		return;
	fill_request(call, &asked);
	if (!call_take_rates(call, estimate_tokens(asked.body->texts, asked.body->count)))
		return;
	call->prefix = write_hits(call, &asked);
	if (call->prefix == call->count)
		finish_reply(call);
	else
		submit(call, &asked);
}
