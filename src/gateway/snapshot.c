/* SPDX-License-Identifier: MIT */
#include "gateway/snapshot.h"

#include <string.h>

#include "wire/refusal.h"

/* ---- Members: each begins with a comma, but the first of an object ---------- */

static void begin(struct buffer *out, const char *name)
{
	char last = out->len > 0 ? out->bytes[out->len - 1] : '{';

	if (last != '{' && last != '[')
		buffer_append_char(out, ',');
	if (name)
		buffer_printf(out, "\"%s\":", name);
}

static void number(struct buffer *out, const char *name, uint64_t value)
{
	begin(out, name);
	buffer_printf(out, "%llu", (unsigned long long)value);
}

static void moment(struct buffer *out, const char *name, int64_t value)
{
	begin(out, name);
	buffer_printf(out, "%lld", (long long)value);
}

static void real(struct buffer *out, const char *name, double value)
{
	begin(out, name);
	buffer_printf(out, "%.1f", value);
}

static void text(struct buffer *out, const char *name, const char *value)
{
	begin(out, name);
	wire_json_string(out, value, strlen(value));
}

static void flag(struct buffer *out, const char *name, bool value)
{
	begin(out, name);
	buffer_append_text(out, value ? "true" : "false");
}

static void open_object(struct buffer *out, const char *name)
{
	begin(out, name);
	buffer_append_char(out, '{');
}

static void open_array(struct buffer *out, const char *name)
{
	begin(out, name);
	buffer_append_char(out, '[');
}

static void close_with(struct buffer *out, char bracket)
{
	buffer_append_char(out, bracket);
}

/* ---- Parts ------------------------------------------------------------------ */

static void write_stats(struct buffer *out, const struct embed_stats *stats)
{
	open_object(out, "stats");
#define ROW(name, kind, unit, meaning) number(out, #name, stats->name);
	EMBED_STATS_TABLE(ROW)
#undef ROW
	close_with(out, '}');
}

static void write_latency(struct buffer *out, const char *name, const struct embed_latency *latency)
{
	open_object(out, name);
	number(out, "count", latency->count);
	number(out, "sum_us", latency->sum_us);
	number(out, "max_us", latency->max_us);
	number(out, "p50_us", latency->p50_us);
	number(out, "p90_us", latency->p90_us);
	number(out, "p99_us", latency->p99_us);
	number(out, "p999_us", latency->p999_us);
	close_with(out, '}');
}

static void write_latencies(struct buffer *out, const struct embed_latency *latency)
{
	open_object(out, "latency");
#define ROW(name, meaning) write_latency(out, #name, &latency[EMBED_LATENCY_##name]);
	EMBED_LATENCY_TABLE(ROW)
#undef ROW
	close_with(out, '}');
}

static void write_size(struct buffer *out, const char *name, const struct embed_sizes *sizes)
{
	open_object(out, name);
	number(out, "count", sizes->count);
	number(out, "sum", sizes->sum);
	number(out, "max", sizes->max);
	number(out, "p50", sizes->p50);
	number(out, "p90", sizes->p90);
	number(out, "p99", sizes->p99);
	number(out, "p999", sizes->p999);
	close_with(out, '}');
}

static void write_sizes(struct buffer *out, const struct embed_sizes *sizes)
{
	open_object(out, "sizes");
#define ROW(name, unit, meaning) write_size(out, #name, &sizes[EMBED_SIZE_##name]);
	EMBED_SIZE_TABLE(ROW)
#undef ROW
	close_with(out, '}');
}

static void write_lanes(struct buffer *out, const struct embed_lane_state *lanes)
{
	static const char *const names[SNAPSHOT_LANES] = {"interactive", "bulk"};

	open_object(out, "lanes");
	for (size_t i = 0; i < SNAPSHOT_LANES; i++) {
		open_object(out, names[i]);
		number(out, "texts", lanes[i].texts);
		number(out, "tokens", lanes[i].tokens);
		moment(out, "oldest_us", lanes[i].oldest_us);
		moment(out, "wait_us", lanes[i].wait_us);
		close_with(out, '}');
	}
	close_with(out, '}');
}

static void write_error(
    struct buffer *out, enum embed_status status, const struct snapshot_error *error)
{
	open_object(out, NULL);
	text(out, "event", embed_status_code(status));
	text(out, "text", embed_status_meaning(status));
	text(out, "do", embed_status_advice(status));
	number(out, "count", error->count);
	moment(out, "last", error->last_s);
	close_with(out, '}');
}

static void write_errors(struct buffer *out, const struct snapshot_error *errors)
{
	open_array(out, "errors");
	for (size_t i = 0; i < EMBED_STATUS_COUNT; i++)
		if (errors[i].count > 0)
			write_error(out, (enum embed_status)i, &errors[i]);
	close_with(out, ']');
}

/* What the log told as errors and warnings: the latest of each kind. */
static void write_faults(struct buffer *out, const struct snapshot *snapshot)
{
	open_array(out, "faults");
	for (size_t i = 0; i < snapshot->fault_count; i++) {
		const struct log_recent *fault = &snapshot->faults[i];

		open_object(out, NULL);
		text(out, "event", fault->event);
		text(out, "text", fault->text);
		text(out, "do", fault->advice);
		number(out, "count", fault->count);
		moment(out, "last", fault->last_s);
		close_with(out, '}');
	}
	close_with(out, ']');
}

static void write_alarm(struct buffer *out, const struct alarm_event *event)
{
	open_object(out, NULL);
	moment(out, "time", event->time_s);
	text(out, "alarm", alarm_code(event->kind));
	text(out, "subject", event->subject);
	flag(out, "is_raised", event->is_raised);
	begin(out, "value");
	buffer_printf(out, "%.3f", event->value);
	text(out, "meaning", alarm_meaning(event->kind));
	text(out, "do", alarm_advice(event->kind));
	close_with(out, '}');
}

static void write_alarms(struct buffer *out, const struct snapshot *snapshot)
{
	open_object(out, "alarms");
	open_array(out, "raised");
	for (size_t i = 0; i < snapshot->raised_count; i++)
		write_alarm(out, &snapshot->raised[i]);
	close_with(out, ']');
	open_array(out, "events");
	for (size_t i = 0; i < snapshot->event_count; i++)
		write_alarm(out, &snapshot->events[i]);
	close_with(out, ']');
	close_with(out, '}');
}

static void write_process(struct buffer *out, const struct process *process)
{
	open_object(out, "process");
	begin(out, "cpu_s");
	buffer_printf(out, "%.2f", process->cpu_s);
	number(out, "resident_bytes", process->resident_bytes);
	number(out, "threads", process->threads);
	number(out, "open_fds", process->open_fds);
	number(out, "max_fds", process->max_fds);
	close_with(out, '}');
}

static void write_gateway(struct buffer *out, const struct snapshot *snapshot)
{
	static const char *const classes[] = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};

	open_object(out, "gateway");
	number(out, "connections", snapshot->http.connections);
	number(out, "accepted", snapshot->http.accepted);
	number(out, "refused", snapshot->http.refused);
	number(out, "timed_out", snapshot->http.timed_out);
	number(out, "over_cap", snapshot->http.over_cap);
	number(out, "rejected", snapshot->rejected);
	open_object(out, "answers");
	for (size_t i = 0; i < 6; i++)
		number(out, classes[i], snapshot->answers[i]);
	close_with(out, '}');
	close_with(out, '}');
}

static void write_outbox(struct buffer *out, const struct outbox *outbox)
{
	open_object(out, "outbox");
	number(out, "spans", outbox->spans);
	number(out, "spans_dropped", outbox->spans_dropped);
	for (int i = 0; i < OUTBOX_COUNT; i++) {
		open_object(out, outbox_name((enum outbox_to)i));
		number(out, "sent", outbox->letters[i].sent);
		number(out, "failed", outbox->letters[i].failed);
		number(out, "dropped", outbox->letters[i].dropped);
		close_with(out, '}');
	}
	close_with(out, '}');
}

static void write_store(struct buffer *out, const struct embed_store_stats *store)
{
	open_object(out, "store");
	number(out, "records", store->records);
	number(out, "used_bytes", store->used_bytes);
	number(out, "file_bytes", store->file_bytes);
	number(out, "cap_bytes", store->cap_bytes);
	moment(out, "oldest", store->oldest_s);
	close_with(out, '}');
}

/* Host, port and path; never a user and password that somebody put into it. */
static void write_host(struct buffer *out, const char *url)
{
	const char *slashes = strstr(url, "://");
	const char *host = slashes ? slashes + 3 : url;
	const char *at = memrchr(host, '@', strcspn(host, "/?#"));

	text(out, "host", at ? at + 1 : host);
}

static void write_upstream(struct buffer *out, const struct embed_upstream_state *upstream)
{
	open_object(out, NULL);
	text(out, "name", upstream->name);
	write_host(out, upstream->base_url);
	text(out, "breaker", upstream->breaker);
	number(out, "in_flight", upstream->in_flight);
	number(out, "slots", upstream->slots);
	real(out, "requests_per_minute", upstream->requests_per_minute);
	real(out, "tokens_per_minute", upstream->tokens_per_minute);
	real(out, "requests_left", upstream->requests_left);
	real(out, "tokens_left", upstream->tokens_left);
	number(out, "attempts", upstream->attempts);
	number(out, "failures", upstream->failures);
	number(out, "rate_limited", upstream->rate_limited);
	flag(out, "is_barred", upstream->is_barred);
	text(out, "last_error", upstream->last_error);
	moment(out, "last_error_time", upstream->last_error_s);
	close_with(out, '}');
}

static void write_upstreams(struct buffer *out, const struct snapshot *snapshot)
{
	open_array(out, "upstreams");
	for (size_t i = 0; i < snapshot->upstream_count; i++)
		write_upstream(out, &snapshot->upstreams[i]);
	close_with(out, ']');
}

static void write_sum(struct buffer *out, const char *name, const struct spending_sum *sum)
{
	begin(out, name);
	spending_write_sum(out, sum);
}

static void write_usage(struct buffer *out, const struct spending *spending)
{
	open_object(out, "usage");
	moment(out, "read", spending->read_s);
	write_sum(out, "today", &spending->today);
	write_sum(out, "month", &spending->month);
	close_with(out, '}');
}

static void write_limits(struct buffer *out, const struct snapshot_key *shown)
{
	const struct key *key = shown->key;

	text(out, "lane", key->lane == EMBED_LANE_BULK ? "bulk" : "interactive");
	flag(out, "is_admin", key->is_admin);
	moment(out, "expires", key->expires_s);
	number(out, "weight", key->weight);
	number(out, "requests_per_minute", key->rpm);
	number(out, "requests_left", shown->requests_left);
	number(out, "tokens_per_minute", key->tpm);
	number(out, "tokens_left", shown->tokens_left);
	number(out, "budget_nano", key->budget_nano);
	text(out, "period", key_period_name(key->period));
	number(out, "spent_nano", shown->spent_nano);
}

static void write_key(struct buffer *out, const struct snapshot_key *shown)
{
	static const struct spending_key unused;
	const struct spending_key *used = shown->used ? shown->used : &unused;

	open_object(out, NULL);
	text(out, "name", shown->key ? shown->key->name : used->name);
	flag(out, "is_known", shown->key != NULL);
	if (shown->key)
		write_limits(out, shown);
	write_sum(out, "today", &used->today);
	write_sum(out, "month", &used->month);
	close_with(out, '}');
}

static void write_keys(struct buffer *out, const struct snapshot *snapshot)
{
	number(out, "key_total", snapshot->key_total);
	number(out, "key_rows", snapshot->key_rows);
	open_array(out, "keys");
	for (size_t i = 0; i < snapshot->key_count; i++)
		write_key(out, &snapshot->keys[i]);
	close_with(out, ']');
}

void snapshot_write(struct buffer *out, const struct snapshot *snapshot)
{
	buffer_append_char(out, '{');
	text(out, "version", embed_version());
	number(out, "sequence", snapshot->sequence);
	moment(out, "time_ms", snapshot->time_ms);
	moment(out, "started", snapshot->started_s);
	flag(out, "is_draining", snapshot->is_draining);
	write_stats(out, &snapshot->stats);
	write_latencies(out, snapshot->latency);
	write_sizes(out, snapshot->sizes);
	write_lanes(out, snapshot->lanes);
	write_errors(out, snapshot->errors);
	write_faults(out, snapshot);
	write_alarms(out, snapshot);
	write_process(out, &snapshot->process);
	begin(out, "second");
	history_write_point(out, &snapshot->second);
	write_gateway(out, snapshot);
	write_outbox(out, &snapshot->outbox);
	write_store(out, &snapshot->store);
	write_upstreams(out, snapshot);
	write_usage(out, &snapshot->spending);
	write_keys(out, snapshot);
	close_with(out, '}');
}
