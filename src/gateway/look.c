/* SPDX-License-Identifier: MIT */
#include "gateway/look.h"

#include <string.h>

#include "app/log_sink.h"
#include "base/clock.h"
#include "gateway/shown_keys.h"
#include "gateway/state.h"

#define STORE_LOOK_EVERY_US    30000000 /* it samples records */
#define SPENDING_LOOK_EVERY_US 2000000
#define SPENDING_STALE_US      60000000 /* another process may have written, or a day begun */

bool look_init(struct look *look, struct gateway *gateway)
{
	look->gateway = gateway;
	look->snapshot.stats = (struct embed_stats)EMBED_STATS_INIT;
	look->snapshot.store = (struct embed_store_stats)EMBED_STORE_STATS_INIT;
	look->snapshot.started_s = gateway->started_s;
	for (size_t i = 0; i < EMBED_LATENCY_COUNT; i++) {
		look->seconds[i] = embed_latency_watch_create(gateway->service, i);
		look->minutes[i] = embed_latency_watch_create(gateway->service, i);
		if (!look->seconds[i] || !look->minutes[i])
			return false;
	}
	return true;
}

void look_fini(struct look *look)
{
	for (size_t i = 0; i < EMBED_LATENCY_COUNT; i++) {
		embed_latency_watch_destroy(look->seconds[i]);
		embed_latency_watch_destroy(look->minutes[i]);
	}
	key_table_unref(look->keys);
	spending_fini(&look->snapshot.spending);
}

/* ---- What the gateway counted ------------------------------------------------ */

static uint64_t count_of(const struct gateway *gateway, size_t route, size_t class)
{
	uint64_t total = 0;

	for (unsigned i = 0; gateway->workers && i < gateway->worker_count; i++)
		total += atomic_load_explicit(
		    &gateway->workers[i].counts.requests[route][class], memory_order_relaxed);
	return total;
}

static uint64_t answered(const struct gateway *gateway)
{
	uint64_t total = 0;

	for (size_t route = 0; route < ROUTE_NONE; route++)
		if (route_at(route)->handler == handle_embeddings)
			total += count_of(gateway, route, 2);
	return total;
}

static void look_at_gateway(struct gateway *gateway, struct snapshot *snapshot)
{
	for (size_t class = 0; class < 6; class ++) {
		snapshot->answers[class] = 0;
		for (size_t route = 0; route < ROUTE_COUNT; route++)
			snapshot->answers[class] += count_of(gateway, route, class);
	}
	snapshot->rejected = 0;
	for (unsigned i = 0; gateway->workers && i < gateway->worker_count; i++)
		snapshot->rejected += atomic_load_explicit(
		    &gateway->workers[i].counts.rejected, memory_order_relaxed);
	outbox_read(&snapshot->outbox, gateway->options.tracer, gateway->options.webhook);
	snapshot->is_draining = atomic_load(&gateway->is_draining);
	if (gateway->http)
		http_server_stats(gateway->http, &snapshot->http);
}

/* ---- Latencies ------------------------------------------------------------------ */

static void set_latencies(struct history_point *point, embed_latency_watch *const *watches)
{
	struct embed_latency latency[EMBED_LATENCY_COUNT];

	for (size_t i = 0; i < EMBED_LATENCY_COUNT; i++)
		embed_latency_watch_look(watches[i], &latency[i]);
#define SET(name, kind)                                                                            \
	point->name##_p50_us = latency[EMBED_LATENCY_##kind].p50_us;                               \
	point->name##_p90_us = latency[EMBED_LATENCY_##kind].p90_us;                               \
	point->name##_p99_us = latency[EMBED_LATENCY_##kind].p99_us
	SET(hit, hit);
	SET(miss, miss);
	SET(attempt, attempt);
#undef SET
}

void look_at_minute(struct look *look, struct history_point *minute)
{
	set_latencies(minute, look->minutes);
}

/* ---- The last second -------------------------------------------------------------- */

static void look_at_second(struct look *look, const struct embed_stats *before, uint64_t rejected)
{
	const struct embed_stats *now = &look->snapshot.stats;
	struct history_point *second = &look->snapshot.second;
	uint64_t total = answered(look->gateway);

	*second = (struct history_point){.time_s = look->snapshot.time_ms / 1000};
	second->requests = total - look->answered;
	look->answered = total;
	second->rejected = look->snapshot.rejected - rejected;
#define GAINED(name) second->name = now->name - before->name
	GAINED(texts);
	GAINED(hits);
	GAINED(joined);
	GAINED(failed);
	GAINED(sent_texts);
	GAINED(text_tokens);
	GAINED(billed_tokens);
	GAINED(cost_nano);
	GAINED(saved_nano);
	GAINED(attempts);
	GAINED(attempts_failed);
	GAINED(rate_limited);
	GAINED(retries);
#undef GAINED
	second->queued_texts = now->queued_texts;
	second->queued_tokens = now->queued_tokens;
	second->in_flight = now->in_flight;
	second->connections = look->snapshot.http.connections;
	set_latencies(second, look->seconds);
}

/* ---- Lanes, errors ------------------------------------------------------------------ */

static void look_at_errors(embed_service *service, struct snapshot *snapshot)
{
	uint64_t counts[EMBED_STATUS_COUNT];

	embed_errors(service, counts, EMBED_STATUS_COUNT);
	for (size_t i = 0; i < EMBED_STATUS_COUNT; i++) {
		if (counts[i] != snapshot->errors[i].count)
			snapshot->errors[i].last_s = snapshot->time_ms / 1000;
		snapshot->errors[i].count = counts[i];
	}
}

static void look_at_log(const struct log *log, struct snapshot *snapshot)
{
	snapshot->fault_count = 0;
	if (log->sink == log_sink_write) /* one that remembers */
		snapshot->fault_count =
		    log_sink_recent(log->context, snapshot->faults, SNAPSHOT_FAULTS_MAX);
}

static void look_at_service(embed_service *service, struct snapshot *snapshot)
{
	embed_stats(service, &snapshot->stats);
	for (size_t i = 0; i < EMBED_LATENCY_COUNT; i++)
		embed_latency(service, i, &snapshot->latency[i]);
	for (size_t i = 0; i < EMBED_SIZE_COUNT; i++)
		embed_sizes(service, i, &snapshot->sizes[i]);
	for (size_t i = 0; i < SNAPSHOT_LANES; i++)
		embed_lane_state(service, i, &snapshot->lanes[i]);
	look_at_errors(service, snapshot);
}

/* ---- Upstreams, keys, store -------------------------------------------------------- */

static void look_at_upstreams(embed_service *service, struct snapshot *snapshot)
{
	snapshot->upstream_count = 0;
	while (snapshot->upstream_count < SNAPSHOT_UPSTREAMS_MAX &&
	       embed_upstream_state(service, snapshot->upstream_count,
		   &snapshot->upstreams[snapshot->upstream_count]) == EMBED_OK)
		snapshot->upstream_count++;
}

/* Rarely, and only when something happened: it waits for what is being written. */
static void look_at_spending(struct look *look)
{
	const struct embed_stats *stats = &look->snapshot.stats;
	int64_t now_us = clock_now_us();
	int64_t passed_us = now_us - look->spending_looked_us;
	uint64_t mark = stats->attempts + stats->sent_texts + stats->hits + stats->joined;
	bool is_due = mark != look->spending_mark && passed_us >= SPENDING_LOOK_EVERY_US;

	if (look->spending_looked_us && !is_due && passed_us < SPENDING_STALE_US)
		return;
	look->spending_looked_us = now_us;
	look->spending_mark = mark;
	spending_read(&look->snapshot.spending, look->gateway->service, clock_unix_s(), NULL);
}

static void look_at_keys(struct look *look)
{
	struct gateway *gateway = look->gateway;

	key_table_unref(look->keys);
	pthread_mutex_lock(&gateway->keys_lock);
	look->keys = key_table_ref(gateway->keys);
	pthread_mutex_unlock(&gateway->keys_lock);
	shown_keys_choose(&look->snapshot, look->keys, clock_now_us(), clock_unix_s());
}

static void look_at_store(struct look *look)
{
	int64_t now_us = clock_now_us();

	if (look->store_looked_us && now_us - look->store_looked_us < STORE_LOOK_EVERY_US)
		return;
	look->store_looked_us = now_us;
	if (embed_store_stats(look->gateway->service, &look->snapshot.store, NULL) != EMBED_OK)
		look->snapshot.store = (struct embed_store_stats)EMBED_STORE_STATS_INIT;
}

void look_now(struct look *look)
{
	struct snapshot *snapshot = &look->snapshot;
	struct embed_stats before = snapshot->stats;
	uint64_t rejected = snapshot->rejected;

	snapshot->sequence++;
	snapshot->time_ms = clock_unix_ms();
	look_at_service(look->gateway->service, snapshot);
	process_read(&snapshot->process);
	look_at_log(&look->gateway->options.log, snapshot);
	snapshot->raised_count =
	    alarms_raised(&look->gateway->alarms, snapshot->raised, SNAPSHOT_ALARMS_MAX);
	snapshot->event_count =
	    alarms_events(&look->gateway->alarms, snapshot->events, SNAPSHOT_ALARMS_MAX);
	look_at_gateway(look->gateway, snapshot);
	look_at_second(look, &before, rejected);
	look_at_upstreams(look->gateway->service, snapshot);
	look_at_spending(look);
	look_at_keys(look);
	look_at_store(look);
}
