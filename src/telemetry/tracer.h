/* SPDX-License-Identifier: MIT */
/*
 * Tracer: spans of requests and attempts, batched to an OpenTelemetry
 * collector by OTLP/HTTP in JSON.
 *
 * A span is copied into a bounded ring, under a lock that is held for the
 * copy; what does not fit is dropped and counted.  About once a second what
 * has gathered becomes one letter of a poster (poster.h).
 *
 * Names and attributes: W3C Trace Context, level 1, and OpenTelemetry's
 * semantic conventions for generative AI (gen_ai.*) and HTTP.
 *
 * Threads: tracer_add and tracer_counts from any.
 */
#ifndef TELEMETRY_TRACER_H
#define TELEMETRY_TRACER_H

#include "telemetry/poster.h"

#define TRACE_PARENT_LEN 55
#define SPANS_MAX        4096 /* that wait */
#define SPANS_BATCH      512  /* in one letter */

/* Where a span belongs. */
struct trace_context {
	char trace_id[33];  /* 32 hex digits */
	char parent_id[17]; /* 16, or "": it is the first */
	bool is_sampled;
};

/* False: not a traceparent of version 00. */
bool trace_context_read(struct trace_context *context, const char *text, size_t len);

/* "00-TRACE-SPAN-01" for what happens within span `span_id`. */
void trace_parent_write(
    char text[TRACE_PARENT_LEN + 1], const struct trace_context *context, uint64_t span_id);

enum span_kind { SPAN_SERVER = 2, SPAN_CLIENT = 3 }; /* as OTLP numbers them */

struct trace_span {
	struct trace_context context;
	uint64_t span_id;
	enum span_kind kind;
	int64_t start_us, end_us; /* Unix */
	char model[128];
	char upstream[64]; /* "": a request of a caller */
	char server[128];  /* host, with a port if it has one; "" unknown */
	char error[64];    /* "": it went well */
	int http_status;   /* 0: none */
	uint64_t texts, hits, tokens;
	uint32_t retry;
};

/* Appends spans as the body of an export request; pure. */
void otlp_write(struct buffer *out, const struct trace_span *spans, size_t count);

struct tracer;

/* `options`: url, ca_file, fields and timeouts of the poster. */
enum embed_status tracer_create(
    struct tracer **out, const struct poster_options *options, struct embed_error *error);
void tracer_add(struct tracer *tracer, const struct trace_span *span);

struct tracer_counts {
	uint64_t added, dropped; /* spans; those of a letter that failed are not among them */
	struct poster_counts letters;
};
struct tracer_counts tracer_counts(struct tracer *tracer);

/* Sends what has gathered, for `flush_ms` at most.  NULL is fine. */
void tracer_destroy(struct tracer *tracer, uint32_t flush_ms);

#endif
