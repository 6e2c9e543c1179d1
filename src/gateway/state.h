/* SPDX-License-Identifier: MIT */
/*
 * State: what the gateway's parts share.
 *
 * A call is one request on its way through the gateway: the route it took,
 * the key it showed, what it asked for and what it got.  It lives as long as
 * its exchange, belongs to the exchange's worker, and is logged when it ends.
 */
#ifndef GATEWAY_STATE_H
#define GATEWAY_STATE_H

#include <stdio.h>

#include "base/log.h"
#include "base/random.h"
#include "gateway/gateway.h"
#include "gateway/half_text.h"
#include "gateway/keys.h"
#include "gateway/meter.h"
#include "gateway/outbox.h"
#include "gateway/policy.h"
#include "gateway/route.h"
#include "gateway/tries.h"
#include "http/http.h"
#include "telemetry/tracer.h"
#include "wire/refusal.h"
#include "wire/request.h"
#include "wire/reply.h"

#define CALL_ID_LEN     36 /* "req_" and 32 hex digits */
#define CALL_MODEL_MAX  255
#define LATENCY_BUCKETS 14

/* Upper bounds in microseconds; the last one counts the rest. */
extern const int64_t latency_bounds_us[LATENCY_BUCKETS - 1];

/* One worker's counts; read by any thread. */
struct gateway_counts {
	atomic_uint_fast64_t requests[ROUTE_COUNT][6]; /* by first digit of the status; 0: gone */
	atomic_uint_fast64_t latency[LATENCY_BUCKETS]; /* of /v1/embeddings */
	atomic_uint_fast64_t latency_sum_us;
	atomic_uint_fast64_t rejected; /* by admission, rates and budgets */
};

/* One worker's state; its thread's alone but for `counts`. */
struct gateway_worker {
	struct gateway *gateway;
	struct random random;
	struct wire_request request; /* the body being read */
	struct buffer body;          /* the reply being written */
	struct buffer extra;         /* fields to pass on, NUL-terminated; empty: none */
	float *vector;               /* one looked-up vector */
	size_t vector_cap;
	struct key_table *keys;
	unsigned keys_generation; /* of `keys` */
	struct call *spare_calls;
	size_t spare_call_count;
	struct gateway_counts counts;
};

/* How full the service is; brought up to date by whoever finds it old. */
struct admission {
	pthread_mutex_t lock;
	int64_t looked_us;
	uint64_t queued_tokens;
	uint64_t sent_tokens; /* of all time, at looked_us */
	double tokens_per_s;  /* going upstream, smoothed */
	int64_t oldest_us[2]; /* by lane: how long the text has waited that has waited longest */
};

struct gateway {
	embed_service *service;
	struct dashboard *dashboard;
	struct gateway_options options; /* keys_file copied; not its policy, see below */
	struct policies policies;
	struct http_server *http;
	struct half_text *half_text;
	struct gateway_worker *workers;
	unsigned worker_count;
	struct meter_set meters;
	struct alarms alarms;
	struct outbox outbox; /* as it was last told; the ticking thread's */
	struct tries *tries;
	pthread_mutex_t keys_lock; /* guards `keys` */
	struct key_table *keys;
	atomic_uint keys_generation; /* goes up with each new table */
	int64_t keys_mtime_ns;       /* of the file; the starting thread's */
	uint64_t keys_inode;
	struct admission admission;
	atomic_bool is_draining;
	int64_t started_s;  /* of the calendar */
	int64_t started_us; /* clock_now_us, which nobody sets */
};

struct call {
	struct call *next; /* among spare ones */
	struct gateway *gateway;
	struct gateway_worker *worker;
	struct http_exchange *exchange;
	const struct gateway_policy *policy; /* as it was when the call began */
	const struct route *route;
	struct key_table *keys; /* held while the call lives; NULL: none */
	const struct key *key;  /* NULL: nobody asked for one */
	size_t param_start;     /* of the route's {}, in the path */
	size_t param_len;
	char id[CALL_ID_LEN + 1];
	char model[CALL_MODEL_MAX + 1];
	enum wire_format format;
	bool is_viewer;  /* of the dashboard, to be counted off */
	uint64_t seen;   /* the last snapshot that it was sent */
	bool is_partial; /* the caller takes what there is */
	enum embed_lane lane;
	enum embed_too_long too_long;
	size_t count;  /* texts asked for */
	size_t prefix; /* answered from the store before anything was sent */
	uint64_t hits, joined, sent, failed;
	uint64_t tokens, usage_tokens, billed_tokens, cost_nano;
	uint64_t reserved_nano;
	uint64_t span_id;   /* of this request; 0: not traced */
	struct buffer body; /* reply begun with the prefix; taken from the worker */
	struct wire_reply_writer writer;
	embed_job *job;
	embed_result *result;
	enum embed_status status; /* why there is no result */
	struct embed_error error;
	int64_t submitted_us;
	struct trace_context trace; /* while span_id is not 0 */
	char trace_parent[56];
	char caller_key[512]; /* passed through */
};

/* ---- call.c ------------------------------------------------------------- */

struct call *call_of(struct http_exchange *exchange);
struct call *call_begin(struct gateway *gateway, struct http_exchange *exchange);
void call_end(struct call *call);

/* What stands in the path for the route's {}, still encoded.  Moves as the request's bytes do. */
struct http_slice call_param(const struct call *call);

/* Answers with a row of refusals.def; arguments as for wire_refusal_write. */
#define call_refuse(call, id, ...)                                                                 \
	do {                                                                                       \
		buffer_reset(&(call)->worker->body);                                               \
		wire_refusal_write(&(call)->worker->body, id, __VA_ARGS__);                        \
		call_reply(call, wire_refusal_row(id)->http_status);                               \
	} while (0)

/* The error shape with words of ours. */
void call_refuse_with(struct call *call, int status, const char *message, const char *type,
    const char *param, const char *code);

/* Sends what is in worker->body as JSON, with the fields that every answer carries. */
void call_reply(struct call *call, int status);
void call_reply_as(struct call *call, int status, const char *content_type);

/* A browser asks before it sends a key across origins; false: it was no such question, or CORS is off. */
bool call_answer_preflight(struct call *call);

/* Which of the configured origins sent the request; "*" for any, NULL: none of them. */
const char *call_allowed_origin(const struct call *call);

/* Whole seconds, 1 to 60; 0: the client should not come back by itself. */
void call_retry_after(struct call *call, int64_t us);

/* ---- span.c -------------------------------------------------------------------- */

/* Begins a span within the traceparent that came, or a trace of its own; false: that one is not to be sampled. */
bool call_begin_span(struct call *call, const char *parent, size_t len);
void call_end_span(struct call *call);

/* ---- auth.c --------------------------------------------------------------- */

/* Finds the key and judges it; false: refused already. */
bool call_authorize(struct call *call);

/* Upstream did not take the key that the caller brought. */
void call_refuse_caller_key(struct call *call);

/* The key's rates; false: refused already.  Also adds x-ratelimit-*. */
bool call_take_rates(struct call *call, uint64_t tokens);

/* ---- extra.c ---------------------------------------------------------------- */

/* Fills worker->extra from the unknown fields, if they are to be passed on; false: refused already. */
bool call_take_extra(struct call *call, struct wire_request *body);

/* ---- failure.c ------------------------------------------------------------- */

/* Answers as OpenAI would for a library error; `of` is how many texts were asked for. */
void call_refuse_error(struct call *call, const struct embed_error *error, size_t of);

/* Its row's words for one text's error, for partial answers: appends {"message":..,"code":..}. */
void failure_write_object(struct buffer *out, const struct embed_error *error);

/* ---- admission.c ----------------------------------------------------------- */

/* 0, or how long until `tokens` more would be taken, at most a minute. */
int64_t admission_wait_us(struct gateway *gateway, enum embed_lane lane, uint64_t tokens);

/* The keys to use from now on, for this worker. */
struct key_table *gateway_keys(struct gateway_worker *worker);

#endif
