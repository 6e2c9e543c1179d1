/* SPDX-License-Identifier: MIT */
/* GET /metrics: what is counted, from its tables, as text or as OpenMetrics.  What upstreams and the process tell: metrics_state.c. */
#include "gateway/metrics.h"

#include <string.h>

#include "base/clock.h"

static uint64_t sum(struct gateway *gateway, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < gateway->worker_count; i++) {
		const char *counts = (const char *)&gateway->workers[i].counts;

		total += atomic_load_explicit(
		    (const atomic_uint_fast64_t *)(const void *)(counts + offset),
		    memory_order_relaxed);
	}
	return total;
}

#define SUM(gateway, field) sum(gateway, offsetof(struct gateway_counts, field))

/* Names in microseconds are told in seconds, as Prometheus wants: saved_us, saved_seconds. */
static void write_number(struct exposition *to, const char *name, enum exposition_kind kind,
    const char *help, uint64_t value)
{
	size_t len = strlen(name);
	bool is_us = len > 3 && strcmp(name + len - 3, "_us") == 0;
	char full[96];

	snprintf(full, sizeof(full), "embed_%.*s%s", (int)(is_us ? len - 3 : len), name,
	    is_us ? "_seconds" : "");
	exposition_begin(to, full, kind, help);
	if (is_us)
		exposition_number(to, "", (double)value * 1e-6, NULL);
	else
		exposition_count(to, "", value, NULL);
}

static void write_service(struct exposition *to, embed_service *service)
{
	struct embed_stats stats = EMBED_STATS_INIT;

	embed_stats(service, &stats);
#define KIND_COUNT EXPOSITION_COUNTER
#define KIND_LEVEL EXPOSITION_GAUGE
#define ROW(name, kind, unit, meaning)                                                             \
	write_number(to, #name, KIND_##kind, meaning " (" unit ")", stats.name);
	EMBED_STATS_TABLE(ROW)
#undef ROW
#undef KIND_COUNT
#undef KIND_LEVEL
}

/* Quantiles and the largest, sum and count; values times `scale`. */
static void write_summary(struct exposition *to, const char *name, const char *meaning,
    const struct embed_sizes *sizes, double scale)
{
	static const char *const shares[] = {"0.5", "0.9", "0.99", "0.999", "1.0"};
	const uint64_t values[] = {sizes->p50, sizes->p90, sizes->p99, sizes->p999, sizes->max};

	exposition_begin(to, name, EXPOSITION_SUMMARY, meaning);
	for (size_t i = 0; sizes->count && i < sizeof(values) / sizeof(values[0]); i++)
		exposition_number(to, "", (double)values[i] * scale, "quantile", shares[i], NULL);
	exposition_number(to, "_sum", (double)sizes->sum * scale, NULL);
	exposition_count(to, "_count", sizes->count, NULL);
}

static struct embed_sizes latency_of(embed_service *service, enum embed_latency_kind kind)
{
	struct embed_latency latency;

	embed_latency(service, kind, &latency);
	return (struct embed_sizes){latency.count, latency.sum_us, latency.max_us, latency.p50_us,
	    latency.p90_us, latency.p99_us, latency.p999_us};
}

static void write_summaries(struct exposition *to, embed_service *service)
{
	struct embed_sizes sizes;

#define ROW(name, meaning)                                                                         \
	sizes = latency_of(service, EMBED_LATENCY_##name);                                         \
	write_summary(to, "embed_" #name "_seconds", meaning, &sizes, 1e-6);
	EMBED_LATENCY_TABLE(ROW)
#undef ROW
#define ROW(name, unit, meaning)                                                                   \
	embed_sizes(service, EMBED_SIZE_##name, &sizes);                                           \
	write_summary(to, "embed_" #name, meaning " (" unit ")", &sizes, 1);
	EMBED_SIZE_TABLE(ROW)
#undef ROW
}

static void write_errors(struct exposition *to, embed_service *service)
{
	uint64_t counts[EMBED_STATUS_COUNT];

	embed_errors(service, counts, EMBED_STATUS_COUNT);
	exposition_begin(
	    to, "embed_errors", EXPOSITION_COUNTER, "texts that ended in an error, by its code");
	for (int status = EMBED_OK + 1; status < EMBED_STATUS_COUNT; status++)
		exposition_count(to, "", counts[status], "code",
		    embed_status_code((enum embed_status)status), NULL);
}

static void write_requests(struct exposition *to, struct gateway *gateway)
{
	static const char *const classes[] = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};

	exposition_begin(
	    to, "embed_http_requests", EXPOSITION_COUNTER, "requests by route and kind of answer");
	for (size_t route = 0; route < ROUTE_COUNT; route++) {
		const struct route *row = route_at((enum route_id)route);

		for (size_t class = 0; class < 6; class ++) {
			uint64_t count = SUM(gateway, requests[route][class]);

			if (count)
				exposition_count(to, "", count, "route",
				    row ? row->pattern : "none", "answer", classes[class], NULL);
		}
	}
}

static void write_latency(struct exposition *to, struct gateway *gateway)
{
	uint64_t total = 0;
	char bound[32];

	exposition_begin(to, "embed_request_seconds", EXPOSITION_HISTOGRAM,
	    "time from a request's first byte to its answer");
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		total += SUM(gateway, latency[i]);
		if (i < LATENCY_BUCKETS - 1)
			exposition_bound(bound, (double)latency_bounds_us[i] * 1e-6);
		else
			strcpy(bound, "+Inf");
		exposition_count(to, "_bucket", total, "le", bound, NULL);
	}
	exposition_number(to, "_sum", (double)SUM(gateway, latency_sum_us) * 1e-6, NULL);
	exposition_count(to, "_count", total, NULL);
}

static void write_http(struct exposition *to, struct gateway *gateway)
{
	struct http_server_stats stats;

	http_server_stats(gateway->http, &stats);
	const struct {
		const char *name;
		enum exposition_kind kind;
		const char *help;
		uint64_t value;
	} rows[] = {
	    {"http_connections", EXPOSITION_GAUGE, "connections open", stats.connections},
	    {"http_accepted", EXPOSITION_COUNTER, "connections accepted", stats.accepted},
	    {"http_refused", EXPOSITION_COUNTER, "requests refused as malformed or too large",
		stats.refused},
	    {"http_timed_out", EXPOSITION_COUNTER, "requests and replies cut at a deadline",
		stats.timed_out},
	    {"http_over_cap", EXPOSITION_COUNTER, "connections turned away as too many",
		stats.over_cap},
	    {"rejected", EXPOSITION_COUNTER, "requests refused by admission, rates or budgets",
		SUM(gateway, rejected)},
	    {"uptime_seconds", EXPOSITION_GAUGE, "seconds since the gateway started",
		(uint64_t)(clock_now_us() - gateway->started_us) / 1000000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_number(to, rows[i].name, rows[i].kind, rows[i].help, rows[i].value);
}

void handle_metrics(struct call *call)
{
	const struct http_slice *accept =
	    http_request_field(http_exchange_request(call->exchange), "accept");
	bool is_open = accept && exposition_wants_open(accept->bytes, accept->len);
	struct gateway *gateway = call->gateway;
	struct exposition to;

	buffer_reset(&call->worker->body);
	exposition_init(&to, &call->worker->body, is_open);
	write_service(&to, gateway->service);
	write_summaries(&to, gateway->service);
	write_errors(&to, gateway->service);
	metrics_write_state(&to, gateway);
	write_requests(&to, gateway);
	write_latency(&to, gateway);
	write_http(&to, gateway);
	exposition_end(&to);
	http_reply_field(call->exchange, "vary", "accept");
	call_reply_as(call, 200, is_open ? EXPOSITION_OPEN_TYPE : EXPOSITION_TEXT_TYPE);
}
