/* SPDX-License-Identifier: MIT */
#include "gateway/embeddings.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "wire/header.h"

/* OpenAI's limiter counts a text as a token for each four bytes (PROTOCOL 7). */
#define BYTES_PER_TOKEN 4

static const struct http_slice *header(struct call *call, const char *name)
{
	return http_request_field(http_exchange_request(call->exchange), name);
}

static bool take_path_model(struct call *call)
{
	size_t len = http_percent_decode(call_param(call), call->model, CALL_MODEL_MAX);

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

		snprintf(limit, sizeof(limit), "%zu", call->policy->max_texts);
		call_refuse(call, WIRE_REFUSAL_TOO_MANY_INPUTS, limit, NULL);
	} else if (error->status == EMBED_NO_MEMORY) {
		call_refuse(call, WIRE_REFUSAL_FAULT, NULL);
	} else {
		call_refuse(call, WIRE_REFUSAL_NOT_JSON, NULL);
	}
	return false;
}

/*
 * One of our own fields of the head, as a place among its values (any case);
 * `absent` without it.  A value that is none would be taken for the default by
 * somebody who cannot tell, so it is refused.
 */
static bool take_choice(struct call *call, const char *name, const char *const values[],
    size_t count, int absent, int *choice)
{
	const struct http_slice *value = header(call, name);
	char expected[80] = "expected one of ";
	size_t len = strlen(expected);

	*choice = absent;
	if (!value)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (http_slice_equals_any_case(*value, values[i])) {
			*choice = (int)i;
			return true;
		}
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s'%s'",
		    i == 0           ? ""
		    : i + 1 == count ? " or "
				     : ", ",
		    values[i]);
	}
	call_refuse(call, WIRE_REFUSAL_BAD_VALUE, name, expected, name, NULL);
	return false;
}

static bool take_choices(struct call *call)
{
	static const char *const lanes[] = {"interactive", "bulk"};
	static const char *const too_long[] = {"error", "truncate", "average"};
	static const char *const partial[] = {"false", "true"};
	int lane, way, is_partial;

	if (!take_choice(call, "x-embed-lane", lanes, 2,
		call->key ? (int)call->key->lane : EMBED_LANE_INTERACTIVE, &lane) ||
	    !take_choice(
		call, "x-embed-too-long", too_long, 3, (int)call->policy->too_long, &way) ||
	    !take_choice(call, "x-embed-partial", partial, 2, 0, &is_partial))
		return false;
	call->lane = (enum embed_lane)lane;
	call->too_long = (enum embed_too_long)way;
	call->is_partial = is_partial != 0;
	return true;
}

bool asked_read_body(struct call *call, struct wire_request *body)
{
	const struct http_request *http = http_exchange_request(call->exchange);
	const struct gateway_policy *ours = call->policy;
	struct wire_request_policy policy = {
	    .refuse_unknown = ours->unknown_fields == GATEWAY_REFUSE_UNKNOWN,
	    .needs_model = !call->param_len,
	    .max_inputs = ours->max_texts,
	};
	struct embed_error error;
	enum wire_refusal_id refusal;

	if (!take_choices(call))
		return false;
	error_clear(&error);
	if (wire_request_read(body, http->body, http->body_len, ours->max_texts, &error) !=
	    EMBED_OK)
		return refuse_body(call, &error);
	if (call->param_len ? !take_path_model(call)
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

/*
 * How long the SDK waits for the answer, in seconds: node sends one name,
 * python another.  0: it does not say, or nothing that makes sense.
 */
static uint32_t sdk_timeout_ms(struct call *call)
{
	const struct http_slice *value = header(call, "x-stainless-timeout");
	int64_t ms;

	if (!value)
		value = header(call, "x-stainless-read-timeout");
	if (!value || !wire_duration_read(value->bytes, value->len, &ms) || ms > UINT32_MAX)
		return 0;
	return (uint32_t)ms;
}

static uint32_t timeout_ms(struct call *call)
{
	uint32_t ours = (uint32_t)(call->policy->timeout_us / 1000);
	uint32_t theirs = sdk_timeout_ms(call);

	if (!theirs || (ours && ours < theirs))
		return ours;
	return theirs;
}

/*
 * What upstream is told of the trace: as it came (W3C: 55 characters), or with
 * this request's span as the parent when we tell spans.
 */
static const char *trace_parent(struct call *call)
{
	const struct http_slice *value = header(call, "traceparent");

	if (call->gateway->options.tracer &&
	    call_begin_span(call, value ? value->bytes : "", value ? value->len : 0))
		return call->trace_parent;
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

void asked_fill(struct call *call, struct asked *asked)
{
	const struct wire_request *body = asked->body;

	asked->request = (struct embed_request)EMBED_REQUEST_INIT;
	asked->request.model = call->model;
	asked->request.dimensions = wire_request_dimensions(body);
	asked->request.lane = call->lane;
	asked->request.too_long = call->too_long;
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

uint64_t asked_tokens(const struct embed_text *texts, size_t count)
{
	uint64_t tokens = 0;

	for (size_t i = 0; i < count; i++)
		tokens += texts[i].bytes ? texts[i].len / BYTES_PER_TOKEN + 1 : texts[i].id_count;
	return tokens;
}
