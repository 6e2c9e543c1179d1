/* SPDX-License-Identifier: MIT */
/* The library's errors in OpenAI's words. */
#include "gateway/state.h"

#include <string.h>

/* What a failure looks like to a client, beside its words. */
static const struct failure {
	enum embed_status status;
	int http_status;
	const char *type;
	const char *code;
	bool may_come_back; /* the client, by itself */
} failures[] = {
    {EMBED_BAD_OPTION, 400, "invalid_request_error", NULL, false},
    {EMBED_TOO_LARGE, 413, "invalid_request_error", "request_too_large", false},
    {EMBED_NO_MODEL, 400, "invalid_request_error", NULL, false},
    {EMBED_BAD_DIMENSIONS, 400, "invalid_request_error", NULL, false},
    {EMBED_EMPTY_TEXT, 400, "invalid_request_error", NULL, false},
    {EMBED_BAD_UTF8, 400, "invalid_request_error", NULL, false},
    {EMBED_NUL_IN_TEXT, 400, "invalid_request_error", NULL, false},
    {EMBED_TEXT_TOO_LONG, 400, "invalid_request_error", NULL, false},
    {EMBED_BAD_TOKEN, 400, "invalid_request_error", NULL, false},
    {EMBED_REFUSED, 400, "invalid_request_error", NULL, false},
    {EMBED_NO_SUCH_MODEL, 404, "invalid_request_error", "model_not_found", false},
    {EMBED_NOT_STORED, 503, "server_error", "not_stored", false},
    {EMBED_UNAUTHORIZED, 502, "server_error", "upstream_unauthorized", false},
    {EMBED_QUOTA, 429, "insufficient_quota", "insufficient_quota", false},
    {EMBED_BUDGET, 429, "insufficient_quota", "insufficient_quota", false},
    {EMBED_RATE_LIMITED, 429, "tokens", "rate_limit_exceeded", true},
    {EMBED_QUEUE_FULL, 429, "tokens", "rate_limit_exceeded", true},
    {EMBED_CLOSED, 503, "server_error", NULL, true},
    {EMBED_UPSTREAM, 502, "server_error", "upstream_failed", true},
    {EMBED_BAD_REPLY, 502, "server_error", "bad_reply", true},
    {EMBED_DEADLINE, 504, "server_error", "deadline_exceeded", true},
};

static const struct failure *find(enum embed_status status)
{
	static const struct failure other = {EMBED_OK, 500, "server_error", NULL, true};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].status == status)
			return &failures[i];
	return &other;
}

static void index_text(char out[24], size_t index)
{
	snprintf(out, 24, "%zu", index);
}

/* Faults of a text have words of OpenAI's, which depend on whether it came alone.  False: none. */
static bool refuse_text(struct call *call, const struct embed_error *error, size_t of)
{
	const struct embed_model *model = embed_model_find(call->model);
	char index[24], limit[24];
	bool is_alone = of == 1 || error->index == EMBED_NO_INDEX;

	index_text(index, error->index);
	index_text(limit, model ? model->text_tokens : 8192);
	if (error->status == EMBED_EMPTY_TEXT && is_alone)
		call_refuse(call, WIRE_REFUSAL_EMPTY_TEXT, NULL);
	else if (error->status == EMBED_EMPTY_TEXT)
		call_refuse(call, WIRE_REFUSAL_EMPTY_TEXT_AT, index, NULL);
	else if (error->status == EMBED_TEXT_TOO_LONG && is_alone)
		call_refuse(call, WIRE_REFUSAL_TEXT_TOO_LONG, limit, NULL);
	else if (error->status == EMBED_TEXT_TOO_LONG)
		call_refuse(call, WIRE_REFUSAL_TEXT_TOO_LONG_AT, index, limit, NULL);
	else if (error->status == EMBED_NO_SUCH_MODEL)
		call_refuse(call, WIRE_REFUSAL_NO_SUCH_MODEL, call->model, NULL);
	else if (error->status == EMBED_QUOTA || error->status == EMBED_BUDGET)
		call_refuse(call, WIRE_REFUSAL_NO_QUOTA, NULL);
	else
		return false;
	return true;
}

static const char *words(const struct embed_error *error)
{
	return error->message[0] ? error->message : embed_status_meaning(error->status);
}

/* Two retries, a minute apart at most, are what an SDK makes (PROTOCOL 4). */
#define WORTH_MS 120000

/* When to come back: as upstream said, or when the queue has room; 0: not by itself. */
static int64_t come_back_us(struct call *call, const struct embed_error *error)
{
	int64_t wait_us = admission_wait_us(call->gateway, EMBED_LANE_INTERACTIVE, 0);

	if (error->wait_ms > WORTH_MS)
		return 0;
	if (wait_us < error->wait_ms * 1000)
		wait_us = error->wait_ms * 1000;
	return wait_us > 1000000 ? wait_us : 1000000;
}

void call_refuse_error(struct call *call, const struct embed_error *error, size_t of)
{
	const struct failure *failure = find(error->status);
	char message[640];
	int64_t wait_us = 0;

	if (error->status == EMBED_UNAUTHORIZED && call->caller_key[0]) {
		call_refuse_caller_key(call);
		return;
	}
	if (failure->may_come_back)
		wait_us = come_back_us(call, error);
	if (failure->http_status >= 429)
		call_retry_after(call, wait_us);
	if (refuse_text(call, error, of))
		return;
	if (failure->http_status == 400 && error->index != EMBED_NO_INDEX && of > 1)
		snprintf(message, sizeof(message), "Invalid 'input[%zu]': %s", error->index,
		    words(error));
	else
		snprintf(message, sizeof(message), "%s", words(error));
	call_refuse_with(call, failure->http_status, message, failure->type, NULL,
	    error->code[0] ? error->code : failure->code);
}

void failure_write_object(struct buffer *out, const struct embed_error *error)
{
	const char *code = error->code[0] ? error->code : embed_status_code(error->status);

	buffer_append_text(out, "{\"message\":");
	wire_json_string(out, words(error), strlen(words(error)));
	buffer_append_text(out, ",\"type\":");
	wire_json_string(out, find(error->status)->type, strlen(find(error->status)->type));
	buffer_append_text(out, ",\"param\":null,\"code\":");
	wire_json_string(out, code, strlen(code));
	buffer_append_char(out, '}');
}
