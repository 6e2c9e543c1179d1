/* SPDX-License-Identifier: MIT */
#include "service/latency.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"

#define LATENCY_SHARDS 4 /* a power of two */

struct latency_shard {
	_Alignas(64) _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_us;
	_Atomic uint64_t max_us;
};

struct latency {
	struct latency_shard shards[EMBED_LATENCY_COUNT][LATENCY_SHARDS];
};

struct latency *latency_create(void)
{
	struct latency *latency = aligned_alloc(64, sizeof(*latency));

	if (latency != NULL)
		memset(latency, 0, sizeof(*latency));
	return latency;
}

void latency_destroy(struct latency *latency)
{
	free(latency);
}

static void raise_max(_Atomic uint64_t *max, uint64_t value)
{
	uint64_t seen = atomic_load_explicit(max, memory_order_relaxed);

	while (value > seen && !atomic_compare_exchange_weak_explicit(
				   max, &seen, value, memory_order_relaxed, memory_order_relaxed))
		continue;
}

void latency_add(struct latency *latency, enum embed_latency_kind kind, int64_t us)
{
	struct latency_shard *shard =
	    &latency->shards[kind][(unsigned)sched_getcpu() % LATENCY_SHARDS];
	uint64_t value = us < 0 ? 0 : (uint64_t)us;

	atomic_fetch_add_explicit(&shard->counts[histogram_bucket(value)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&shard->sum_us, value, memory_order_relaxed);
	raise_max(&shard->max_us, value);
}

static void merge(
    struct histogram *histogram, struct embed_latency *summary, const struct latency_shard *shard)
{
	uint64_t max_us = atomic_load_explicit(&shard->max_us, memory_order_relaxed);

	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		histogram_add_count(histogram, bucket,
		    atomic_load_explicit(&shard->counts[bucket], memory_order_relaxed));
	summary->sum_us += atomic_load_explicit(&shard->sum_us, memory_order_relaxed);
	if (max_us > summary->max_us)
		summary->max_us = max_us;
}

void latency_read(
    struct latency *latency, enum embed_latency_kind kind, struct embed_latency *summary)
{
	struct histogram histogram = {0};

	memset(summary, 0, sizeof(*summary));
	for (size_t shard = 0; shard < LATENCY_SHARDS; shard++)
		merge(&histogram, summary, &latency->shards[kind][shard]);
	summary->count = histogram.count;
	summary->p50_us = histogram_quantile(&histogram, 0.5);
	summary->p90_us = histogram_quantile(&histogram, 0.9);
	summary->p99_us = histogram_quantile(&histogram, 0.99);
	summary->p999_us = histogram_quantile(&histogram, 0.999);
}

void latency_read_all(const struct latency *latency, enum embed_latency_kind kind,
    struct histogram *histogram, uint64_t *sum_us)
{
	struct embed_latency summary = {0};

	memset(histogram, 0, sizeof(*histogram));
	for (size_t shard = 0; shard < LATENCY_SHARDS; shard++)
		merge(histogram, &summary, &latency->shards[kind][shard]);
	*sum_us = summary.sum_us;
}
