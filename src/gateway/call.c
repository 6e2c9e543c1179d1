/* SPDX-License-Identifier: MIT */
#include "gateway/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/dashboard.h"

#define SPARE_CALLS 64

const int64_t latency_bounds_us[LATENCY_BUCKETS - 1] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 10000000};

struct call *call_of(struct http_exchange *exchange)
{
	return http_exchange_user(exchange);
}

/* ---- Beginning and end -------------------------------------------------- */

static void write_id(struct random *random, char id[CALL_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	memcpy(id, "req_", 4);
	for (int half = 0; half < 2; half++) {
		uint64_t bits = random_next(random);

		for (int i = 0; i < 16; i++, bits >>= 4)
			id[4 + half * 16 + i] = digits[bits & 15];
	}
	id[CALL_ID_LEN] = '\0';
}

struct call *call_begin(struct gateway *gateway, struct http_exchange *exchange)
{
	struct gateway_worker *worker = http_exchange_worker_user(exchange);
	struct call *call = worker->spare_calls;

	if (call) {
		worker->spare_calls = call->next;
		worker->spare_call_count--;
	} else if (!(call = malloc(sizeof(*call)))) {
		return NULL;
	}
	memset(call, 0, offsetof(struct call, error));
	call->model[0] = call->trace_parent[0] = call->caller_key[0] = '\0';
	call->error.message[0] = '\0';
	call->gateway = gateway;
	call->policy = policies_now(&gateway->policies);
	call->worker = worker;
	call->exchange = exchange;
	write_id(&worker->random, call->id);
	http_exchange_set_user(exchange, call);
	return call;
}

struct http_slice call_param(const struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);

	return (struct http_slice){request->path.bytes + call->param_start, call->param_len};
}

static void log_call(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	const struct log *log = &call->gateway->options.log;
	char method[16], path[128], numbers[8][24];
	int64_t us = clock_now_us() - http_exchange_started_us(call->exchange);
	const uint64_t values[] = {(uint64_t)http_exchange_status(call->exchange), (uint64_t)us,
	    http_exchange_sent_bytes(call->exchange), call->count, call->hits, call->sent,
	    call->tokens, call->cost_nano};

	for (size_t i = 0; i < 8; i++)
		snprintf(numbers[i], sizeof(numbers[i]), "%llu", (unsigned long long)values[i]);
	snprintf(method, sizeof(method), "%.*s", (int)request->method.len, request->method.bytes);
	snprintf(path, sizeof(path), "%.*s", (int)request->path.len, request->path.bytes);
	log_event(log, EMBED_LOG_INFO, "request", "id", call->id, "peer",
	    http_exchange_peer(call->exchange), "method", method, "path", path, "status",
	    numbers[0], "us", numbers[1], "bytes", numbers[2], "key",
	    call->key ? call->key->name : NULL, "model", call->model[0] ? call->model : NULL,
	    "texts", call->count ? numbers[3] : NULL, "hits", call->count ? numbers[4] : NULL,
	    "sent", call->count ? numbers[5] : NULL, "tokens", call->count ? numbers[6] : NULL,
	    "cost_nano", call->cost_nano ? numbers[7] : NULL, "gone",
	    http_exchange_is_gone(call->exchange) ? "yes" : NULL, NULL);
}

static void count_call(struct call *call)
{
	struct gateway_counts *counts = &call->worker->counts;
	enum route_id route = call->route ? call->route->id : ROUTE_NONE;
	int class = http_exchange_status(call->exchange) / 100;
	int64_t us;
	size_t bucket = 0;

	if (class < 0 || class > 5)
		class = 0;
	atomic_fetch_add_explicit(&counts->requests[route][class], 1, memory_order_relaxed);
	if (!call->count)
		return;
	us = clock_now_us() - http_exchange_started_us(call->exchange);
	while (bucket < LATENCY_BUCKETS - 1 && us > latency_bounds_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&counts->latency[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts->latency_sum_us, (uint64_t)us, memory_order_relaxed);
}

void call_end(struct call *call)
{
	struct gateway_worker *worker = call->worker;

	count_call(call);
	if (call->span_id)
		call_end_span(call);
	if (call->is_viewer)
		dashboard_leave(call->gateway->dashboard);
	if (call->policy->logs_requests)
		log_call(call);
	if (call->keys)
		key_table_unref(call->keys);
	if (call->caller_key[0])
		explicit_bzero(call->caller_key, sizeof(call->caller_key));
	if (worker->spare_call_count == SPARE_CALLS) {
		free(call);
		return;
	}
	call->next = worker->spare_calls;
	worker->spare_calls = call;
	worker->spare_call_count++;
}

/* ---- Answers ------------------------------------------------------------- */

const char *call_allowed_origin(const struct call *call)
{
	const struct gateway_policy *policy = call->policy;
	const struct http_slice *origin =
	    http_request_field(http_exchange_request(call->exchange), "origin");

	for (size_t i = 0; origin && i < policy->cors_origin_count; i++) {
		const char *allowed = policy->cors_origins[i];

		if (strcmp(allowed, "*") == 0 || http_slice_equals(*origin, allowed))
			return allowed;
	}
	return NULL;
}

/* What a page may read beside the body: all that we ever send for clients. */
static const char exposed[] =
    "x-request-id, retry-after, x-should-retry, openai-processing-ms, openai-version, "
    "x-embed-cache, x-embed-hits, x-embed-joined, x-embed-sent, x-embed-failed, "
    "x-embed-billed-tokens, x-embed-cost-nano, x-ratelimit-limit-requests, "
    "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, "
    "x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens";

/* Lets the origin read the answer, when CORS is on. */
static void add_cors(struct call *call)
{
	const char *allowed;

	if (!call->policy->cors_origin_count)
		return;
	http_reply_field(call->exchange, "vary", "origin"); /* also without one, for caches */
	allowed = call_allowed_origin(call);
	if (!allowed)
		return;
	http_reply_field(call->exchange, "access-control-allow-origin", allowed);
	http_reply_field(call->exchange, "access-control-expose-headers", exposed);
}

bool call_answer_preflight(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);

	if (!call->policy->cors_origin_count || !http_slice_equals(request->method, "OPTIONS") ||
	    !http_request_field(request, "access-control-request-method"))
		return false;
	if (call_allowed_origin(call)) {
		http_reply_field(call->exchange, "access-control-allow-methods", "GET, POST");
		http_reply_field(
		    call->exchange, "access-control-allow-headers", "*, authorization");
		http_reply_field(call->exchange, "access-control-max-age", "86400");
	}
	buffer_reset(&call->worker->body);
	call_reply_as(call, 204, NULL);
	return true;
}

void call_reply_as(struct call *call, int status, const char *content_type)
{
	int64_t us = clock_now_us() - http_exchange_started_us(call->exchange);
	char ms[24];

	snprintf(ms, sizeof(ms), "%lld", (long long)(us / 1000));
	http_reply_field(call->exchange, "x-request-id", call->id);
	http_reply_field(call->exchange, "openai-processing-ms", ms);
	http_reply_field(call->exchange, "openai-version", "2020-10-01");
	add_cors(call);
	http_reply_buffer(call->exchange, status, content_type, &call->worker->body);
}

void call_reply(struct call *call, int status)
{
	call_reply_as(call, status, "application/json");
}

void call_refuse_with(struct call *call, int status, const char *message, const char *type,
    const char *param, const char *code)
{
	buffer_reset(&call->worker->body);
	wire_error_write(&call->worker->body, message, type, param, code);
	call_reply(call, status);
}

void call_retry_after(struct call *call, int64_t us)
{
	int64_t seconds = (us + 999999) / 1000000;

	if (seconds <= 0) {
		http_reply_field(call->exchange, "x-should-retry", "false");
		return;
	}
	/* Past a minute SDKs ignore it and come at once (PROTOCOL 4). */
	http_reply_fieldf(call->exchange, "retry-after", "%d", seconds > 60 ? 60 : (int)seconds);
}
