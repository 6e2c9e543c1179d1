/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cache/store.h"

#define EVICT_FROM_PERCENT 90

/*
 * The limit.  LMDB wants the pages of one record side by side.  In a full file
 * whose records change in size the free pages lie scattered, and a group may
 * find none that fits although a tenth is free.  Then the limit falls, which
 * evicts, and rises slowly while all goes well.
 */
#define RISE_PART_OF_GROUP 8

/* A step to make room: of the cap, and at most. */
#define STEP_PART_OF_CAP 240
#define STEP_BYTES_MAX   (8u << 20)

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
	uint64_t bytes;
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
	int rc = store_check_write(cache, &key, STORE_REMOVING);

	*count = 0;
	if (rc == 0)
		rc = mdb_cursor_open(txn, cache->dbi, &cursor);
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
			run[*count].bytes = store_cost_bytes(cache, value.mv_size);
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
static int evict_of_run(struct cache *cache, MDB_txn *txn, struct eviction *eviction)
{
	struct candidate run[RUN_KEYS];
	size_t count;
	int rc = gather(cache, txn, run, &count);

	for (int i = 0; rc == 0 && count > 0 && i < EVICT_OF_RUN; i++) {
		struct candidate *lowest = lowest_of(run, count);
		MDB_val key = store_key(&lowest->key);

		rc = store_check_write(cache, &key, STORE_REMOVING);
		if (rc == 0)
			rc = mdb_del(txn, cache->dbi, &key, NULL);
		if (rc == 0) {
			eviction->records++;
			eviction->bytes += lowest->bytes;
		} else if (rc == MDB_NOTFOUND) {
			rc = 0;
		}
		*lowest = run[--count];
	}
	return rc;
}

int evict_some(struct cache *cache, MDB_txn *txn, uint64_t want_bytes, struct eviction *eviction)
{
	uint64_t until = eviction->bytes + want_bytes;

	while (eviction->bytes < until) {
		uint64_t before = eviction->records;
		int rc = evict_of_run(cache, txn, eviction);

		if (rc != 0)
			return rc;
		if (eviction->records == before) /* nothing is left but what is no record */
			break;
	}
	return 0;
}

int evict_for_group(
    struct cache *cache, MDB_txn *txn, uint64_t need_bytes, struct eviction *eviction)
{
	uint64_t used_bytes = store_used_bytes(cache, txn);
	uint64_t excess_bytes;

	if (used_bytes + need_bytes <= cache->limit_bytes)
		return 0;
	/*
	 * Bounded by the group: small records lie several to a page, and a page is
	 * given back only when most of them are gone, but room for others is there
	 * at once.  What is still too much goes with the next groups.
	 */
	excess_bytes = used_bytes + need_bytes - cache->limit_bytes;
	if (excess_bytes > 2 * need_bytes)
		excess_bytes = 2 * need_bytes;
	return evict_some(cache, txn, excess_bytes, eviction);
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

void evict_went_well(struct cache *cache, uint64_t bytes)
{
	uint64_t highest = evict_limit_bytes(cache);

	cache->limit_bytes += bytes / RISE_PART_OF_GROUP;
	if (cache->limit_bytes > highest)
		cache->limit_bytes = highest;
}

static int evict_in_own_txn(
    struct cache *cache, uint64_t want_bytes, struct eviction *sum, uint64_t *used_bytes)
{
	struct eviction eviction = {0};
	MDB_txn *txn;
	int rc = store_write_begin(cache, &txn);

	if (rc != 0)
		return rc;
	rc = evict_some(cache, txn, want_bytes, &eviction);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	*used_bytes = store_used_bytes(cache, txn);
	rc = mdb_txn_commit(txn);
	if (rc == 0) {
		sum->records += eviction.records;
		sum->bytes += eviction.bytes;
	}
	return rc;
}

int evict_step(struct cache *cache, uint64_t want_bytes, struct eviction *sum, uint64_t *used_bytes)
{
	int rc;

	if (want_bytes > cache->cap_bytes / STEP_PART_OF_CAP)
		want_bytes = cache->cap_bytes / STEP_PART_OF_CAP;
	if (want_bytes > STEP_BYTES_MAX)
		want_bytes = STEP_BYTES_MAX;
	/* Even removing takes free pages, for what changes: with few left, remove less. */
	do
		rc = evict_in_own_txn(cache, want_bytes, sum, used_bytes);
	while (rc == MDB_MAP_FULL && (want_bytes /= 4) > 0);
	return rc;
}

int evict_to_make_room(struct cache *cache, struct eviction *sum)
{
	uint64_t before = sum->records, used_bytes;
	int rc;

	if (is_pinned(cache))
		return MDB_MAP_FULL;
	rc = evict_step(cache, UINT64_MAX, sum, &used_bytes);
	if (rc != 0)
		return rc;
	if (sum->records == before)
		return MDB_MAP_FULL;
	if (used_bytes < cache->limit_bytes)
		cache->limit_bytes = used_bytes;
	return 0;
}
