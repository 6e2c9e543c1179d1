/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cache/store.h"
#include "cache/structure.h"
#include "cache/walk.h"

/* ---- Stats --------------------------------------------------------------- */

#define SAMPLE_RECORDS 512
#define SAMPLE_RUNS    32

struct sample {
	uint64_t taken, halves;
	int64_t oldest_s, newest_s;
};

static int take_sample(struct cache *cache, const MDB_val *key, const MDB_val *value, void *context)
{
	struct sample *sample = context;
	struct record_head head;
	struct digest digest;

	(void)cache;
	if (!store_key_digest(&digest, key) ||
	    !record_decode(&head, &digest, value->mv_data, value->mv_size))
		return 0;
	if (sample->taken == 0 || head.created_s < sample->oldest_s)
		sample->oldest_s = head.created_s;
	if (sample->taken == 0 || head.created_s > sample->newest_s)
		sample->newest_s = head.created_s;
	sample->taken++;
	sample->halves += head.numbers == RECORD_HALVES;
	return 0;
}

/* A small store is looked at whole, a large one in runs that start at random keys. */
static int sample_records(struct cache *cache, uint64_t records, struct sample *sample)
{
	size_t runs = records <= SAMPLE_RECORDS ? 1 : SAMPLE_RUNS;
	struct random random = {records + cache->page_bytes};
	int rc = 0;

	for (size_t run = 0; rc == 0 && run < runs; run++) {
		struct walk walk = {
		    .is_started = runs > 1, .last.len = sizeof(uint64_t), .keeps_pages = true};
		uint64_t start = random_next(&random);

		memcpy(walk.last.bytes, &start, sizeof(start));
		rc = walk_step(cache, &walk, SAMPLE_RECORDS / runs, take_sample, sample);
	}
	return rc;
}

enum embed_status cache_stats(
    struct cache *cache, struct embed_store_stats *stats, struct embed_error *error)
{
	struct sample sample = {0};
	struct cache_level level;
	struct stat file;
	int rc;

	if (cache_level(cache, &level) != EMBED_OK)
		return cache_read_fault(cache, error);
	rc = sample_records(cache, level.records, &sample);
	if (rc != 0)
		return store_error(cache, error, rc, "be read");
	stats->records = level.records;
	stats->used_bytes = level.used_bytes;
	stats->file_bytes = stat(cache->data_path, &file) == 0 ? (uint64_t)file.st_size : 0;
	stats->cap_bytes = cache->cap_bytes;
	stats->oldest_s = sample.oldest_s;
	stats->newest_s = sample.newest_s;
	stats->half_records = 0;
	if (sample.taken > 0)
		stats->half_records = (uint64_t)((double)level.records * (double)sample.halves /
						     (double)sample.taken +
						 0.5);
	return EMBED_OK;
}

/* ---- Verify -------------------------------------------------------------- */

/* Another process may overwrite the head we are about to read; then look at the next state. */
#define STRUCTURE_TRIES 10

static enum embed_status check_structure(struct cache *cache, struct embed_error *error)
{
	enum embed_status status = EMBED_CANCELLED;

	for (int tries = 0; status == EMBED_CANCELLED && tries < STRUCTURE_TRIES; tries++) {
		struct store_read read;
		int rc = store_read_begin(cache, &read);

		if (rc != 0)
			return store_error(cache, error, rc, "be read");
		status = structure_check(cache->data_path, mdb_txn_id(read.txn), error);
		store_read_end(&read, 0);
	}
	if (status == EMBED_CANCELLED)
		return error_set(error, EMBED_STORE,
		    "the store is written to faster than it can be checked: try again when it is quiet");
	return status;
}

static bool is_bad(
    const struct cache *cache, const MDB_val *key, const MDB_val *value, const void *context)
{
	struct record_head head;
	struct digest digest;

	(void)cache;
	(void)context;
	return !store_key_digest(&digest, key) ||
	       !record_decode(&head, &digest, value->mv_data, value->mv_size);
}

enum embed_status cache_verify(
    struct cache *cache, bool repair, struct cache_verified *verified, struct embed_error *error)
{
	uint64_t visited = 0, bad = 0, removed = 0;
	enum embed_status status = check_structure(cache, error);
	int rc;

	if (status != EMBED_OK)
		return status;
	rc = walk_remove(cache, is_bad, NULL, !repair, &visited, &bad, &removed);
	if (rc != 0)
		return store_error(cache, error, rc, "be verified");
	atomic_fetch_add_explicit(&cache->bad, bad, memory_order_relaxed);
	*verified = (struct cache_verified){visited - bad, bad};
	return EMBED_OK;
}

/* ---- Prune and clear ------------------------------------------------------ */

static bool is_old(
    const struct cache *cache, const MDB_val *key, const MDB_val *value, const void *context)
{
	const struct cache_prune *prune = context;
	struct record_head head;
	struct digest digest;

	(void)cache;
	return store_key_digest(&digest, key) &&
	       record_decode(&head, &digest, value->mv_data, value->mv_size) &&
	       record_is_expired(head.created_s, prune->now_s, prune->older_than_s);
}

static int shrink_to(struct cache *cache, uint64_t to_bytes, struct eviction *sum)
{
	uint64_t before, used_bytes;
	struct cache_level level;
	int rc = 0;

	if (cache_level(cache, &level) != EMBED_OK)
		return atomic_load_explicit(&cache->read_fault, memory_order_relaxed);
	used_bytes = level.used_bytes;
	do {
		before = sum->records;
		if (used_bytes <= to_bytes)
			break;
		pthread_mutex_lock(&cache->write_lock);
		rc = evict_step(cache, used_bytes - to_bytes, sum, &used_bytes);
		pthread_mutex_unlock(&cache->write_lock);
	} while (rc == 0 && sum->records > before);
	return rc;
}

enum embed_status cache_prune(struct cache *cache, const struct cache_prune *prune,
    uint64_t *removed, struct embed_error *error)
{
	uint64_t visited, found, gone = 0;
	struct eviction eviction = {0};
	int rc = 0;

	if (prune->older_than_s != 0)
		rc = walk_remove(cache, is_old, prune, false, &visited, &found, &gone);
	if (rc == 0 && prune->to_bytes != 0)
		rc = shrink_to(cache, prune->to_bytes, &eviction);
	if (rc != 0)
		return store_error(cache, error, rc, "be pruned");
	*removed = gone + eviction.records;
	return EMBED_OK;
}

static bool is_any(
    const struct cache *cache, const MDB_val *key, const MDB_val *value, const void *context)
{
	(void)cache;
	(void)key;
	(void)value;
	(void)context;
	return true;
}

enum embed_status cache_clear(struct cache *cache, uint64_t *removed, struct embed_error *error)
{
	uint64_t visited, found, gone = 0;
	int rc = walk_remove(cache, is_any, NULL, false, &visited, &found, &gone);

	if (rc != 0)
		return store_error(cache, error, rc, "be cleared");
	*removed = gone;
	return EMBED_OK;
}
