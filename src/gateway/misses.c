/* SPDX-License-Identifier: MIT */
#include "gateway/embeddings.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

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

/* Of an answer without a vector; when memory was short only its status tells. */
static void take_error(struct embed_error *error, const struct embed_answer *answer)
{
	if (answer->error)
		*error = *answer->error;
	else
		error_set(error, answer->status, "%s", embed_status_meaning(answer->status));
}

static const struct embed_error *first_error(struct call *call)
{
	for (size_t i = 0; i < embed_result_count(call->result); i++) {
		const struct embed_answer *answer = embed_result_answer(call->result, i);

		if (answer->status == EMBED_OK)
			continue;
		take_error(&call->error, answer);
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
			answer_add(call, call->prefix + i, answer);
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
		struct embed_error error;

		if (answer->status == EMBED_OK)
			continue;
		take_error(&error, answer);
		buffer_printf(body, "%s{\"index\":%zu,\"error\":", separator, call->prefix + i);
		failure_write_object(body, &error);
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
		answer_finish(call);
		return;
	}
	if (wire_reply_finish(&call->writer, call->model, call->usage_tokens) != EMBED_OK) {
		call_refuse(call, WIRE_REFUSAL_FAULT, NULL);
		return;
	}
	write_errors(call);
	answer_add_cache_fields(call);
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

/* The engine let go of a text that upstream may have got already, and may bill. */
static bool is_bill_open(const struct embed_result *result)
{
	for (size_t i = 0; i < embed_result_count(result); i++) {
		enum embed_status status = embed_result_answer(result, i)->status;

		if (status == EMBED_CANCELLED || status == EMBED_DEADLINE)
			return true;
	}
	return false;
}

static void settle(struct call *call)
{
	struct meter *meter = call->key->meter;
	uint64_t cost_nano = call->result ? embed_result_totals(call->result)->cost_nano : 0;
	uint64_t settled_nano = call->reserved_nano;

	if (call->result && is_bill_open(call->result))
		settled_nano = cost_nano < settled_nano ? cost_nano : settled_nano;
	meter_settle(meter, settled_nano, cost_nano);
	meter_doubt(meter, call->reserved_nano - settled_nano);
}

/* On the worker again, with a result or a status. */
static void on_resumed(struct http_exchange *exchange, void *arg)
{
	struct call *call = arg;

	http_exchange_on_gone(exchange, NULL, NULL);
	restore_body(call);
	if (call->reserved_nano)
		settle(call);
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
	uint64_t nano_per_token = embed_nano_per_token(call->gateway->service, call->model);
	uint64_t tokens = 0;

	if (!nano_per_token)
		return 0;
	for (size_t i = 0; i < count; i++) {
		size_t text_tokens = texts[i].id_count;

		if (texts[i].bytes && embed_count_tokens(model ? model->encoding : NULL,
					  texts[i].bytes, texts[i].len, &text_tokens) != EMBED_OK)
			text_tokens = texts[i].len;
		tokens += text_tokens;
	}
	return tokens * nano_per_token;
}

/* Admission and budget; false: refused. */
static bool is_admitted(
    struct call *call, enum embed_lane lane, const struct embed_text *texts, size_t count)
{
	int64_t wait_us = admission_wait_us(call->gateway, lane, asked_tokens(texts, count));
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

void misses_submit(struct call *call, struct asked *asked)
{
	const struct embed_text *texts = asked->body->texts + call->prefix;
	size_t count = call->count - call->prefix;

	if (!is_admitted(call, asked->request.lane, texts, count))
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
