/* SPDX-License-Identifier: MIT */
#include "service/counters.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define COUNTERS_SHARDS 8 /* a power of two */

struct counters_shard {
	_Alignas(64) _Atomic uint64_t numbers[COUNTER_COUNT];
	_Atomic uint64_t errors[EMBED_STATUS_COUNT];
};

struct counters {
	struct counters_shard shards[COUNTERS_SHARDS];
};

struct counters *counters_create(void)
{
	struct counters *counters = aligned_alloc(64, sizeof(*counters));

	if (counters != NULL)
		memset(counters, 0, sizeof(*counters));
	return counters;
}

void counters_destroy(struct counters *counters)
{
	free(counters);
}

void counters_add(struct counters *counters, enum counter counter, uint64_t amount)
{
	unsigned shard = (unsigned)sched_getcpu() % COUNTERS_SHARDS;

	atomic_fetch_add_explicit(
	    &counters->shards[shard].numbers[counter], amount, memory_order_relaxed);
}

void counters_add_error(struct counters *counters, enum embed_status status)
{
	unsigned shard = (unsigned)sched_getcpu() % COUNTERS_SHARDS;

	counters_add(counters, COUNTER_failed, 1);
	atomic_fetch_add_explicit(&counters->shards[shard].errors[status], 1, memory_order_relaxed);
}

void counters_read_errors(const struct counters *counters, uint64_t *counts, size_t count)
{
	for (size_t status = 0; status < count; status++) {
		counts[status] = 0;
		for (size_t shard = 0; status < EMBED_STATUS_COUNT && shard < COUNTERS_SHARDS;
		     shard++)
			counts[status] += atomic_load_explicit(
			    &counters->shards[shard].errors[status], memory_order_relaxed);
	}
}

static uint64_t sum(const struct counters *counters, enum counter counter)
{
	uint64_t total = 0;

	for (size_t shard = 0; shard < COUNTERS_SHARDS; shard++)
		total += atomic_load_explicit(
		    &counters->shards[shard].numbers[counter], memory_order_relaxed);
	return total;
}

void counters_read(const struct counters *counters, struct embed_stats *stats)
{
#define ROW(name, kind, unit, meaning) stats->name += sum(counters, COUNTER_##name);
	EMBED_STATS_TABLE(ROW)
#undef ROW
}
