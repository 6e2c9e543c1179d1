/* SPDX-License-Identifier: MIT */
#include "service/tally.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TALLY_SLOTS    1024 /* a power of two */
#define TALLY_PROBES   32
#define TALLY_SHARDS   8 /* a power of two */
#define TALLY_COUNTERS 4
#define TALLY_OTHERS   "(others)"

/* One cache line, so that two CPUs do not fight over it. */
struct tally_shard {
	_Alignas(64) _Atomic uint64_t numbers[TALLY_COUNTERS];
};

struct tally_group {
	enum embed_lane lane;
	const char *model;    /* points into `strings` */
	const char *key_name; /* likewise */
	struct tally_shard shards[TALLY_SHARDS];
	char strings[];
};

struct tally {
	_Atomic(struct tally_group *) slots[TALLY_SLOTS];
	struct tally_group *others;
};

static struct tally_group *group_create(
    const char *model, const char *key_name, enum embed_lane lane)
{
	size_t model_size = strlen(model) + 1, key_size = strlen(key_name) + 1;
	size_t size = sizeof(struct tally_group) + model_size + key_size;
	struct tally_group *group;

	group = aligned_alloc(64, (size + 63) / 64 * 64);
	if (group == NULL)
		return NULL;
	memset(group, 0, size);
	group->lane = lane;
	group->model = memcpy(group->strings, model, model_size);
	group->key_name = memcpy(group->strings + model_size, key_name, key_size);
	return group;
}

struct tally *tally_create(void)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (tally == NULL)
		return NULL;
	tally->others = group_create(TALLY_OTHERS, TALLY_OTHERS, EMBED_LANE_INTERACTIVE);
	if (tally->others == NULL) {
		free(tally);
		return NULL;
	}
	return tally;
}

void tally_destroy(struct tally *tally)
{
	if (tally == NULL)
		return;
	for (size_t i = 0; i < TALLY_SLOTS; i++)
		free(atomic_load(&tally->slots[i]));
	free(tally->others);
	free(tally);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return (hash ^ 0xff) * 0x100000001b3u;
}

static bool is_group(
    const struct tally_group *group, const char *model, const char *key_name, enum embed_lane lane)
{
	return group->lane == lane && strcmp(group->model, model) == 0 &&
	       strcmp(group->key_name, key_name) == 0;
}

/* Puts a new group into the empty slot; another thread may have been faster. */
static struct tally_group *claim(_Atomic(struct tally_group *) *slot, const char *model,
    const char *key_name, enum embed_lane lane)
{
	struct tally_group *ours = group_create(model, key_name, lane), *theirs = NULL;

	if (ours == NULL || atomic_compare_exchange_strong(slot, &theirs, ours))
		return ours;
	free(ours);
	return theirs;
}

static struct tally_group *find_group(
    struct tally *tally, const char *model, const char *key_name, enum embed_lane lane)
{
	uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u + lane, model), key_name);
	struct tally_group *group;

	for (size_t probe = 0; probe < TALLY_PROBES; probe++) {
		size_t at = (hash ^ hash >> 32) + probe;
		_Atomic(struct tally_group *) *slot = &tally->slots[at % TALLY_SLOTS];

		group = atomic_load_explicit(slot, memory_order_acquire);
		if (group == NULL)
			group = claim(slot, model, key_name, lane);
		if (group == NULL)
			break;
		if (is_group(group, model, key_name, lane))
			return group;
	}
	return tally->others;
}

void tally_add(struct tally *tally, const char *model, const char *key_name, enum embed_lane lane,
    const struct tally_counts *counts)
{
	struct tally_group *group = find_group(tally, model, key_name, lane);
	unsigned shard = (unsigned)sched_getcpu() % TALLY_SHARDS;
	_Atomic uint64_t *numbers = group->shards[shard].numbers;
	const uint64_t added[TALLY_COUNTERS] = {
	    counts->hit_texts, counts->hit_tokens, counts->joined_texts, counts->joined_tokens};

	for (size_t i = 0; i < TALLY_COUNTERS; i++)
		if (added[i] != 0)
			atomic_fetch_add_explicit(&numbers[i], added[i], memory_order_relaxed);
}

static void drain_group(struct tally_group *group, tally_fn *fn, void *context)
{
	uint64_t sums[TALLY_COUNTERS] = {0}, all = 0;
	struct tally_row row = {
	    .model = group->model, .key_name = group->key_name, .lane = group->lane};

	for (size_t shard = 0; shard < TALLY_SHARDS; shard++)
		for (size_t i = 0; i < TALLY_COUNTERS; i++)
			sums[i] += atomic_exchange_explicit(
			    &group->shards[shard].numbers[i], 0, memory_order_relaxed);
	for (size_t i = 0; i < TALLY_COUNTERS; i++)
		all |= sums[i];
	if (all == 0)
		return;
	row.counts = (struct tally_counts){.hit_texts = sums[0],
	    .hit_tokens = sums[1],
	    .joined_texts = sums[2],
	    .joined_tokens = sums[3]};
	fn(&row, context);
}

void tally_drain(struct tally *tally, tally_fn *fn, void *context)
{
	struct tally_group *group;

	for (size_t i = 0; i < TALLY_SLOTS; i++) {
		group = atomic_load_explicit(&tally->slots[i], memory_order_acquire);
		if (group != NULL)
			drain_group(group, fn, context);
	}
	drain_group(tally->others, fn, context);
}
