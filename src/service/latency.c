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
	_Atomic uint64_t sum;
	_Atomic uint64_t max;
};

/* Durations first, then sizes. */
#define ROWS ((size_t)EMBED_LATENCY_COUNT + (size_t)EMBED_SIZE_COUNT)

struct latency {
	struct latency_shard shards[ROWS][LATENCY_SHARDS];
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

static void add(struct latency *latency, size_t row, uint64_t value, uint64_t times)
{
	struct latency_shard *shard =
	    &latency->shards[row][(unsigned)sched_getcpu() % LATENCY_SHARDS];

	atomic_fetch_add_explicit(
	    &shard->counts[histogram_bucket(value)], times, memory_order_relaxed);
	atomic_fetch_add_explicit(&shard->sum, value * times, memory_order_relaxed);
	raise_max(&shard->max, value);
}

void latency_add(struct latency *latency, enum embed_latency_kind kind, int64_t us)
{
	latency_add_many(latency, kind, us, 1);
}

void latency_add_many(
    struct latency *latency, enum embed_latency_kind kind, int64_t us, uint64_t count)
{
	add(latency, kind, us < 0 ? 0 : (uint64_t)us, count);
}

void latency_add_size(struct latency *latency, enum embed_size_kind kind, uint64_t size)
{
	add(latency, (size_t)EMBED_LATENCY_COUNT + kind, size, 1);
}

static void merge(struct histogram *histogram, const struct latency_shard *shard)
{
	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		histogram_add_count(histogram, bucket,
		    atomic_load_explicit(&shard->counts[bucket], memory_order_relaxed));
}

static void read_all(
    const struct latency *latency, size_t row, struct histogram *histogram, uint64_t *sum)
{
	*histogram = (struct histogram){0};
	*sum = 0;
	for (size_t i = 0; i < LATENCY_SHARDS; i++) {
		const struct latency_shard *shard = &latency->shards[row][i];

		merge(histogram, shard);
		*sum += atomic_load_explicit(&shard->sum, memory_order_relaxed);
	}
}

void latency_read_all(const struct latency *latency, enum embed_latency_kind kind,
    struct histogram *histogram, uint64_t *sum_us)
{
	read_all(latency, kind, histogram, sum_us);
}

static uint64_t largest(const struct latency *latency, size_t row)
{
	uint64_t most = 0;

	for (size_t i = 0; i < LATENCY_SHARDS; i++) {
		uint64_t max =
		    atomic_load_explicit(&latency->shards[row][i].max, memory_order_relaxed);

		if (max > most)
			most = max;
	}
	return most;
}

/* A bucket's middle may lie above the largest value, which is kept as it was. */
static uint64_t quantile_of(const struct histogram *histogram, double share, uint64_t max)
{
	uint64_t value = histogram_quantile(histogram, share);

	return value < max ? value : max;
}

static void read_row(const struct latency *latency, size_t row, struct embed_sizes *summary)
{
	struct histogram histogram;

	read_all(latency, row, &histogram, &summary->sum);
	summary->max = largest(latency, row);
	summary->count = histogram.count;
	summary->p50 = quantile_of(&histogram, 0.5, summary->max);
	summary->p90 = quantile_of(&histogram, 0.9, summary->max);
	summary->p99 = quantile_of(&histogram, 0.99, summary->max);
	summary->p999 = quantile_of(&histogram, 0.999, summary->max);
}

void latency_read(
    struct latency *latency, enum embed_latency_kind kind, struct embed_latency *summary)
{
	struct embed_sizes sizes;

	read_row(latency, kind, &sizes);
	*summary = (struct embed_latency){.count = sizes.count,
	    .sum_us = sizes.sum,
	    .max_us = sizes.max,
	    .p50_us = sizes.p50,
	    .p90_us = sizes.p90,
	    .p99_us = sizes.p99,
	    .p999_us = sizes.p999};
}

void latency_read_sizes(
    struct latency *latency, enum embed_size_kind kind, struct embed_sizes *summary)
{
	read_row(latency, (size_t)EMBED_LATENCY_COUNT + kind, summary);
}

uint64_t latency_mean_us(const struct latency *latency, enum embed_latency_kind kind)
{
	struct histogram histogram;
	uint64_t sum_us;

	read_all(latency, kind, &histogram, &sum_us);
	return histogram.count == 0 ? 0 : sum_us / histogram.count;
}
