/* SPDX-License-Identifier: MIT */
/* GET /metrics: Prometheus text (exposition format 0.0.4), from the tables of counters. */
#include "gateway/state.h"

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

static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_printf(out, "# HELP embed_%s %s\n# TYPE embed_%s %s\n", name, help, name, type);
}

static void write_service(struct buffer *out, embed_service *service)
{
	struct embed_stats stats = EMBED_STATS_INIT;

	embed_stats(service, &stats);
#define SUFFIX_COUNT "_total"
#define SUFFIX_LEVEL ""
#define TYPE_COUNT   "counter"
#define TYPE_LEVEL   "gauge"
#define ROW(name, kind, unit, meaning)                                                             \
	head(out, #name SUFFIX_##kind, TYPE_##kind, meaning " (" unit ")");                        \
	buffer_printf(out, "embed_" #name SUFFIX_##kind " %llu\n", (unsigned long long)stats.name);
	EMBED_STATS_TABLE(ROW)
#undef ROW
#undef SUFFIX_COUNT
#undef SUFFIX_LEVEL
#undef TYPE_COUNT
#undef TYPE_LEVEL
}

static void write_summary(struct buffer *out, embed_service *service, enum embed_latency_kind kind,
    const char *name, const char *meaning)
{
	static const char *const shares[] = {"0.5", "0.9", "0.99", "0.999"};
	struct embed_latency latency;
	uint64_t quantiles[4];

	embed_latency(service, kind, &latency);
	quantiles[0] = latency.p50_us;
	quantiles[1] = latency.p90_us;
	quantiles[2] = latency.p99_us;
	quantiles[3] = latency.p999_us;
	head(out, name, "summary", meaning);
	for (size_t i = 0; latency.count && i < 4; i++)
		buffer_printf(out, "embed_%s{quantile=\"%s\"} %.6f\n", name, shares[i],
		    (double)quantiles[i] * 1e-6);
	buffer_printf(out, "embed_%s_sum %.6f\nembed_%s_count %llu\n", name,
	    (double)latency.sum_us * 1e-6, name, (unsigned long long)latency.count);
}

static void write_latencies(struct buffer *out, embed_service *service)
{
#define ROW(name, meaning)                                                                         \
	write_summary(out, service, EMBED_LATENCY_##name, #name "_seconds", meaning);
	EMBED_LATENCY_TABLE(ROW)
#undef ROW
}

static void write_requests(struct buffer *out, struct gateway *gateway)
{
	static const char *const classes[] = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};

	head(out, "http_requests_total", "counter", "requests by route and kind of answer");
	for (size_t route = 0; route < ROUTE_COUNT; route++) {
		const struct route *row = route_at((enum route_id)route);

		for (size_t class = 0; class < 6; class ++) {
			uint64_t count = SUM(gateway, requests[route][class]);

			if (count)
				buffer_printf(out,
				    "embed_http_requests_total{route=\"%s\",answer=\"%s\"} %llu\n",
				    row ? row->pattern : "none", classes[class],
				    (unsigned long long)count);
		}
	}
}

static void write_latency(struct buffer *out, struct gateway *gateway)
{
	uint64_t total = 0;

	head(out, "request_seconds", "histogram", "time from a request's first byte to its answer");
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		total += SUM(gateway, latency[i]);
		if (i < LATENCY_BUCKETS - 1)
			buffer_printf(out, "embed_request_seconds_bucket{le=\"%g\"} %llu\n",
			    (double)latency_bounds_us[i] * 1e-6, (unsigned long long)total);
	}
	buffer_printf(
	    out, "embed_request_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)total);
	buffer_printf(out, "embed_request_seconds_sum %.6f\nembed_request_seconds_count %llu\n",
	    (double)SUM(gateway, latency_sum_us) * 1e-6, (unsigned long long)total);
}

static void write_http(struct buffer *out, struct gateway *gateway)
{
	struct http_server_stats stats;
	static const struct {
		const char *name, *type, *help;
	} rows[] = {
	    {"http_connections", "gauge", "connections open"},
	    {"http_accepted_total", "counter", "connections accepted"},
	    {"http_refused_total", "counter", "requests refused as malformed or too large"},
	    {"http_timed_out_total", "counter", "requests and replies cut at a deadline"},
	    {"http_over_cap_total", "counter", "connections turned away as too many"},
	    {"rejected_total", "counter", "requests refused by admission, rates or budgets"},
	    {"uptime_seconds", "gauge", "seconds since the gateway started"},
	};
	uint64_t values[sizeof(rows) / sizeof(rows[0])];

	http_server_stats(gateway->http, &stats);
	values[0] = stats.connections;
	values[1] = stats.accepted;
	values[2] = stats.refused;
	values[3] = stats.timed_out;
	values[4] = stats.over_cap;
	values[5] = SUM(gateway, rejected);
	values[6] = (uint64_t)(clock_unix_s() - gateway->started_s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		head(out, rows[i].name, rows[i].type, rows[i].help);
		buffer_printf(out, "embed_%s %llu\n", rows[i].name, (unsigned long long)values[i]);
	}
}

void handle_metrics(struct call *call)
{
	struct buffer *out = &call->worker->body;

	buffer_reset(out);
	write_service(out, call->gateway->service);
	write_latencies(out, call->gateway->service);
	write_requests(out, call->gateway);
	write_latency(out, call->gateway);
	write_http(out, call->gateway);
	call_reply_as(call, 200, "text/plain; version=0.0.4");
}
