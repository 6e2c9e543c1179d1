/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cache/store.h"

#define EVICT_FROM_PERCENT 90

/*
 * The limit.  LMDB wants the pages of one record side by side.  In a full file
 * whose records change in size the free pages lie scattered, and a group may
 * find none that fits although a tenth is free.  So the limit falls by a step
 * when that happens, which evicts, and rises slowly while all goes well.
 */
#define STEP_PART_OF_CAP   60
#define RISE_PART_OF_GROUP 8

/* A reader this many transactions behind keeps what was freed since from being used. */
#define READER_LAG_MAX 8

/*
 * Neighbours in the index: keys are digests, so any run of them is a fair
 * sample, and what is evicted of it dirties one page of the index, mostly.
 * How many of how many: bench/eviction.
 */
#define RUN_KEYS     32
#define EVICT_OF_RUN 4

struct candidate {
	struct digest key;
	unsigned score;
};

uint64_t evict_limit_bytes(const struct cache *cache)
{
	return cache->cap_bytes / 100 * EVICT_FROM_PERCENT;
}

/* The run starts at a random key and goes on at the first one behind the last. */
static int gather(struct cache *cache, MDB_txn *txn, struct candidate *run, size_t *count)
{
	uint64_t random = random_next(&cache->random);
	MDB_val key = {sizeof(random), &random}, value;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, cache->dbi, &cursor);

	*count = 0;
	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	for (size_t looked = 0; looked <= RUN_KEYS && *count < RUN_KEYS; looked++) {
		if (rc == MDB_NOTFOUND)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		if (rc != 0)
			break;
		if (store_key_digest(&run[*count].key, &key)) {
			run[*count].score = use_score(cache->use, &run[*count].key);
			(*count)++;
		}
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static struct candidate *lowest_of(struct candidate *run, size_t count)
{
	struct candidate *lowest = &run[0];

	for (size_t i = 1; i < count; i++)
		if (run[i].score < lowest->score)
			lowest = &run[i];
	return lowest;
}

/* A small store's run may have come round and hold a key twice: the second is not found. */
static int evict_of_run(struct cache *cache, MDB_txn *txn, uint64_t *evicted)
{
	struct candidate run[RUN_KEYS];
	size_t count;
	int rc = gather(cache, txn, run, &count);

	for (int i = 0; rc == 0 && count > 0 && i < EVICT_OF_RUN; i++) {
		struct candidate *lowest = lowest_of(run, count);
		MDB_val key = store_key(&lowest->key);

		rc = mdb_del(txn, cache->dbi, &key, NULL);
		if (rc == 0)
			(*evicted)++;
		else if (rc == MDB_NOTFOUND)
			rc = 0;
		*lowest = run[--count];
	}
	return rc;
}

int evict_until(
    struct cache *cache, MDB_txn *txn, uint64_t need_bytes, uint64_t limit_bytes, uint64_t *evicted)
{
	while (store_used_bytes(cache, txn) + need_bytes > limit_bytes &&
	       store_records(cache, txn) > 0) {
		uint64_t before = *evicted;
		int rc = evict_of_run(cache, txn, evicted);

		if (rc != 0)
			return rc;
		if (*evicted == before) /* only entries that are no records */
			break;
	}
	return 0;
}

/* ---- The limit --------------------------------------------------------- */

struct lag {
	uint64_t oldest;
};

/* LMDB tells readers as lines: process, thread, transaction or "-". */
static int find_oldest(const char *line, void *context)
{
	struct lag *lag = context;
	unsigned long long pid, thread, txn;

	if (sscanf(line, "%llu %llx %llu", &pid, &thread, &txn) == 3 && txn < lag->oldest)
		lag->oldest = txn;
	return 0;
}

static bool is_pinned(struct cache *cache)
{
	struct lag lag = {UINT64_MAX};
	MDB_envinfo info;
	int dead;

	mdb_reader_check(cache->env, &dead);
	mdb_env_info(cache->env, &info);
	mdb_reader_list(cache->env, find_oldest, &lag);
	return lag.oldest < info.me_last_txnid && info.me_last_txnid - lag.oldest > READER_LAG_MAX;
}

static void lower_limit(struct cache *cache, uint64_t used_bytes)
{
	uint64_t step = cache->cap_bytes / STEP_PART_OF_CAP;

	if (cache->limit_bytes > used_bytes)
		cache->limit_bytes = used_bytes;
	cache->limit_bytes = cache->limit_bytes > step ? cache->limit_bytes - step : 0;
}

void evict_went_well(struct cache *cache, uint64_t bytes)
{
	uint64_t highest = evict_limit_bytes(cache);

	cache->limit_bytes += bytes / RISE_PART_OF_GROUP;
	if (cache->limit_bytes > highest)
		cache->limit_bytes = highest;
}

int evict_to_make_room(struct cache *cache, uint64_t *evicted)
{
	uint64_t gone = 0;
	MDB_txn *txn;
	int rc;

	if (is_pinned(cache))
		return MDB_MAP_FULL;
	rc = store_write_begin(cache, &txn);
	if (rc != 0)
		return rc;
	lower_limit(cache, store_used_bytes(cache, txn));
	rc = evict_until(cache, txn, 0, cache->limit_bytes, &gone);
	if (rc == 0 && gone == 0)
		rc = MDB_MAP_FULL;
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	rc = mdb_txn_commit(txn);
	if (rc == 0)
		*evicted += gone;
	return rc;
}
