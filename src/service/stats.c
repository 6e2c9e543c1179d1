/* SPDX-License-Identifier: MIT */
/* embed_stats, embed_upstream_state, embed_probe: looking at the parts. */
#include "service/service.h"

#include <string.h>

#include "base/error.h"
#include "service/input.h"

static void add_store(struct embed_service *service, struct embed_stats *stats)
{
	struct cache_counters counters;
	struct cache_level level;

	if (service->cache == NULL)
		return;
	cache_counters(service->cache, &counters);
	stats->stored += counters.stored;
	stats->evicted += counters.evicted;
	stats->store_bad += counters.bad;
	stats->store_cap_bytes += service->settings->options.store_bytes;
	if (cache_level(service->cache, &level) != EMBED_OK)
		return;
	stats->store_records += level.records;
	stats->store_used_bytes += level.used_bytes;
}

void embed_stats(embed_service *service, struct embed_stats *stats)
{
	struct embed_stats filled = EMBED_STATS_INIT;
	size_t size = stats->size < sizeof(filled) ? stats->size : sizeof(filled);

	counters_read(service->counters, &filled);
	if (service->engine != NULL)
		engine_stats(service->engine, &filled);
	add_store(service, &filled);
	/* A hit saves a wait as long as misses have. */
	filled.saved_us = filled.hits * latency_mean_us(service->latency, EMBED_LATENCY_miss);
	filled.size = stats->size;
	memcpy(stats, &filled, size);
}

void embed_latency(
    embed_service *service, enum embed_latency_kind kind, struct embed_latency *latency)
{
	latency_read(service->latency, kind, latency);
}

void embed_sizes(embed_service *service, enum embed_size_kind kind, struct embed_sizes *sizes)
{
	latency_read_sizes(service->latency, kind, sizes);
}

void embed_errors(embed_service *service, uint64_t *counts, size_t count)
{
	counters_read_errors(service->counters, counts, count);
}

void embed_lane_state(embed_service *service, enum embed_lane lane, struct embed_lane_state *state)
{
	*state = (struct embed_lane_state){0};
	if (service->engine != NULL)
		engine_lane_state(service->engine, lane, state);
}

enum embed_status embed_upstream_state(
    embed_service *service, size_t index, struct embed_upstream_state *state)
{
	if (service->engine == NULL)
		return EMBED_NOT_FOUND;
	return engine_upstream_state(service->engine, index, state);
}

enum embed_status embed_probe(
    embed_service *service, size_t index, int64_t *latency_us, struct embed_error *error)
{
	const struct embed_text text = {.bytes = "probe", .len = 5};
	struct engine_text probe = {.bytes = text.bytes, .len = text.len, .tokens = 1};
	struct engine_job_spec spec = {.no_store = true};
	enum embed_status status;
	struct scope scope;

	if (service->engine == NULL)
		return error_set(error, EMBED_NOT_FOUND, "offline: no upstream may be asked");
	status = scope_init(&scope, service->settings, NULL, error);
	if (status != EMBED_OK)
		return status;
	if (!input_key(&scope, &text, &probe.key))
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	spec.model = scope.request.model;
	spec.model_dimensions = scope.model == NULL ? 0 : scope.model->dimensions;
	spec.can_shorten = scope.can_shorten;
	return engine_probe(service->engine, index, &spec, &probe, latency_us, error);
}
