/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cache/store.h"

/*
 * What a transaction frees can be used again by the one after the next, so a
 * few groups' pages must fit between the point where eviction begins and the
 * cap: a group takes at most this part of the cap.
 */
#define GROUP_PART_OF_CAP 60
#define TRIM_EVERY_BYTES  ((uint64_t)32 << 20)
#define GROUP_BYTES_MAX   (64ull << 20)

/* A put also rewrites about one page of the index, and evicting for it another. */
#define INDEX_PAGES_PER_PUT 2

/* At most, as if it were kept as floats. */
static uint64_t put_cost_bytes(const struct cache *cache, const struct cache_put *put)
{
	return store_cost_bytes(cache, RECORD_HEAD_BYTES + put->dimensions * sizeof(float));
}

/* How many of the puts make one group, and what they need at most. */
static size_t group_count(const struct cache *cache, const struct cache_put *puts, size_t count,
    uint64_t budget_bytes, uint64_t *need_bytes)
{
	uint64_t cost = 0;
	size_t n = 0;

	*need_bytes = 0;
	while (n < count) {
		uint64_t bytes = put_cost_bytes(cache, &puts[n]);

		cost += bytes + INDEX_PAGES_PER_PUT * cache->page_bytes;
		if (n > 0 && cost > budget_bytes)
			break;
		*need_bytes += bytes;
		n++;
	}
	return n;
}

/* Whether what is stored is worth more than what comes. */
static bool keeps(const struct cache *cache, const struct cache_put *put, const MDB_val *stored)
{
	struct record_head head;

	return record_decode(&head, &put->key, stored->mv_data, stored->mv_size) &&
	       head.dimensions > put->dimensions &&
	       !record_is_expired(head.created_s, put->created_s, cache->ttl_s);
}

static int write_one(
    struct cache *cache, MDB_txn *txn, const struct cache_put *put, struct cache_written *written)
{
	MDB_val key = store_key(&put->key), value, stored;
	int rc = store_check_write(cache, &key, STORE_PUTTING);

	if (rc != 0)
		return rc;
	value.mv_data = cache->scratch;
	value.mv_size = record_encode(cache->scratch, cache->half, put);
	stored = value;
	rc = mdb_put(txn, cache->dbi, &key, &stored, MDB_NOOVERWRITE);
	if (rc == MDB_KEYEXIST) {
		if (keeps(cache, put, &stored)) {
			written->kept++;
			return 0;
		}
		rc = mdb_put(txn, cache->dbi, &key, &value, 0);
	}
	if (rc == 0)
		written->stored++;
	return rc;
}

static void note_group(struct cache *cache, const struct cache_put *puts, size_t count)
{
	if (!atomic_load_explicit(&cache->is_noting, memory_order_relaxed))
		return;
	for (size_t i = 0; i < count; i++)
		use_note_put(cache->use, &puts[i].key);
}

static void add_written(
    struct cache *cache, struct cache_written *sum, const struct cache_written *more)
{
	sum->stored += more->stored;
	sum->kept += more->kept;
	sum->evicted += more->evicted;
	atomic_fetch_add_explicit(&cache->stored, more->stored, memory_order_relaxed);
	atomic_fetch_add_explicit(&cache->evicted, more->evicted, memory_order_relaxed);
}

static int write_group(struct cache *cache, const struct cache_put *puts, size_t count,
    uint64_t need_bytes, struct cache_written *sum)
{
	struct cache_written written = {0};
	struct eviction eviction = {0};
	uint64_t used_bytes;
	MDB_txn *txn;
	int rc = store_write_begin(cache, &txn);

	if (rc != 0)
		return rc;
	rc = evict_for_group(cache, txn, need_bytes, &eviction);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = write_one(cache, txn, &puts[i], &written);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	used_bytes = store_used_bytes(cache, txn);
	rc = mdb_txn_commit(txn);
	if (rc != 0)
		return rc;
	store_note_if_filling(cache, used_bytes);
	note_group(cache, puts, count);
	written.evicted = eviction.records;
	add_written(cache, sum, &written);
	return 0;
}

/* Smaller groups, and room for them. */
static int make_room(struct cache *cache, uint64_t *budget_bytes, struct cache_written *sum)
{
	struct cache_written written = {0};
	struct eviction eviction = {0};
	int rc = evict_to_make_room(cache, &eviction);

	*budget_bytes /= 2;
	written.evicted = eviction.records;
	add_written(cache, sum, &written);
	return rc;
}

static int write_groups(
    struct cache *cache, const struct cache_put *puts, size_t count, struct cache_written *sum)
{
	uint64_t budget_bytes = cache->cap_bytes / GROUP_PART_OF_CAP, need_bytes;

	if (budget_bytes > GROUP_BYTES_MAX)
		budget_bytes = GROUP_BYTES_MAX;
	for (size_t done = 0; done < count;) {
		size_t n = group_count(cache, puts + done, count - done, budget_bytes, &need_bytes);
		int rc = write_group(cache, puts + done, n, need_bytes, sum);

		if (rc == 0) {
			done += n;
			cache->untrimmed_bytes += need_bytes;
			evict_went_well(cache, need_bytes);
			continue;
		}
		if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL)
			rc = make_room(cache, &budget_bytes, sum);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* With write_lock held: whether it is time to give the map's pages back. */
static bool is_trim_due(struct cache *cache)
{
	if (cache->untrimmed_bytes < TRIM_EVERY_BYTES)
		return false;
	cache->untrimmed_bytes = 0;
	return true;
}

/*
 * A bulk load would otherwise end with the whole file mapped.  Without
 * write_lock, which beginning to read may take to grow the map.
 */
static void trim(struct cache *cache)
{
	struct store_read read;

	if (store_read_begin(cache, &read) != 0)
		return;
	store_trim(cache, &read);
	store_read_end(&read, 0);
}

static enum embed_status check_put(
    const struct cache_put *put, size_t index, struct embed_error *error)
{
	if (put->dimensions == 0 || put->dimensions > CACHE_DIMENSIONS_MAX)
		return error_set_at(error, EMBED_BAD_FORMAT, index, EMBED_NO_INDEX,
		    "a vector must have 1 to %u dimensions, not %u", CACHE_DIMENSIONS_MAX,
		    put->dimensions);
	if (!record_numbers_are_sound(put->numbers, put->dimensions))
		return error_set_at(error, EMBED_BAD_FORMAT, index, EMBED_NO_INDEX,
		    "a vector holds a number that is not finite, or only zeros");
	return EMBED_OK;
}

enum embed_status cache_put_many(struct cache *cache, const struct cache_put *puts, size_t count,
    struct cache_written *written, struct embed_error *error)
{
	struct cache_written sum = {0};
	bool trim_due;
	int rc;

	if (written != NULL)
		*written = sum;
	for (size_t i = 0; i < count; i++) {
		enum embed_status status = check_put(&puts[i], i, error);

		if (status != EMBED_OK)
			return status;
	}
	pthread_mutex_lock(&cache->write_lock);
	rc = write_groups(cache, puts, count, &sum);
	trim_due = is_trim_due(cache);
	pthread_mutex_unlock(&cache->write_lock);
	if (trim_due)
		trim(cache);
	if (written != NULL)
		*written = sum;
	return rc == 0 ? EMBED_OK : store_error(cache, error, rc, "be written");
}
