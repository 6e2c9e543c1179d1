/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cache/store.h"

#define EVICT_FROM_PERCENT 90

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
