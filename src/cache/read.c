/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "cache/store.h"

#define PREFETCH_LINE 64

/* Whether a record serves a wish, and with how many numbers; 0: it does not. */
static uint32_t serves(
    const struct cache *cache, const struct record_head *head, const struct cache_want *want)
{
	if (record_is_expired(head->created_s, want->now_s, cache->ttl_s))
		return 0;
	if (want->dimensions == 0 || want->dimensions == head->dimensions)
		return head->dimensions;
	if (want->dimensions < head->dimensions && want->can_shorten)
		return want->dimensions;
	return 0;
}

static enum embed_status copy_out(struct cache *cache, const struct digest *key,
    const MDB_val *value, const struct cache_want *want, float *numbers, size_t cap,
    struct cache_hit *hit)
{
	struct record_head head;
	uint32_t dimensions;

	if (!record_decode(&head, key, value->mv_data, value->mv_size)) {
		atomic_fetch_add_explicit(&cache->bad, 1, memory_order_relaxed);
		return EMBED_NOT_FOUND;
	}
	dimensions = serves(cache, &head, want);
	if (dimensions == 0)
		return EMBED_NOT_FOUND;
	*hit = (struct cache_hit){dimensions, head.tokens, head.created_s};
	if (dimensions > cap)
		return EMBED_TOO_LARGE;
	record_copy(numbers, cache->half, &head, value->mv_data, dimensions);
	if (dimensions < head.dimensions && !record_renormalise(numbers, dimensions))
		return EMBED_NOT_FOUND;
	return EMBED_OK;
}

static enum embed_status read_failed(struct cache *cache, int rc)
{
	atomic_fetch_add_explicit(&cache->read_faults, 1, memory_order_relaxed);
	atomic_store_explicit(&cache->read_fault, rc, memory_order_relaxed);
	store_note_damage(cache, rc);
	return EMBED_STORE;
}

enum embed_status cache_reading_begin(struct cache_reading *reading, struct cache *cache)
{
	struct store_read read;
	int rc = store_read_begin(cache, &read);

	if (rc != 0)
		return read_failed(cache, rc);
	*reading = (struct cache_reading){.cache = cache, .slot = read.slot};
	return EMBED_OK;
}

void cache_reading_end(struct cache_reading *reading)
{
	store_read_end(&(struct store_read){.slot = reading->slot}, reading->rc);
}

/* The processor fetches on by itself once it sees lines of a page asked for in a row. */
static void prefetch(const char *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += PREFETCH_LINE)
		__builtin_prefetch(bytes + at);
}

enum embed_status cache_reading_find(
    struct cache_reading *reading, const struct digest *key, struct cache_place *place)
{
	MDB_val wanted = store_key(key), value;
	int rc = index_find(&reading->slot->index, &wanted, &value);

	if (rc == MDB_NOTFOUND)
		return EMBED_NOT_FOUND;
	if (rc != 0) {
		reading->rc = rc;
		return read_failed(reading->cache, rc);
	}
	*place = (struct cache_place){value.mv_data, value.mv_size};
	prefetch(place->bytes, place->len);
	return EMBED_OK;
}

enum embed_status cache_reading_take(struct cache_reading *reading, const struct digest *key,
    const struct cache_place *place, const struct cache_want *want, float *numbers, size_t cap,
    struct cache_hit *hit)
{
	const MDB_val value = {place->len, place->bytes};
	struct cache *cache = reading->cache;
	enum embed_status status = copy_out(cache, key, &value, want, numbers, cap, hit);

	if (status == EMBED_OK && atomic_load_explicit(&cache->is_noting, memory_order_relaxed))
		use_note_hit(cache->use, key);
	return status;
}

enum embed_status cache_get(struct cache *cache, const struct digest *key,
    const struct cache_want *want, float *numbers, size_t cap, struct cache_hit *hit)
{
	struct cache_reading reading;
	struct cache_place place;
	enum embed_status status = cache_reading_begin(&reading, cache);

	if (status != EMBED_OK)
		return status;
	status = cache_reading_find(&reading, key, &place);
	if (status == EMBED_OK)
		status = cache_reading_take(&reading, key, &place, want, numbers, cap, hit);
	cache_reading_end(&reading);
	return status;
}

enum embed_status cache_read_fault(struct cache *cache, struct embed_error *error)
{
	int rc = atomic_load_explicit(&cache->read_fault, memory_order_relaxed);

	if (rc == 0)
		return EMBED_OK;
	return store_error(cache, error, rc, "be read");
}

enum embed_status cache_level(struct cache *cache, struct cache_level *level)
{
	struct store_read read;
	int rc = store_read_begin(cache, &read);

	if (rc != 0)
		return read_failed(cache, rc);
	level->records = store_records(cache, read.txn);
	level->used_bytes = store_used_bytes(cache, read.txn);
	store_read_end(&read, 0);
	return EMBED_OK;
}

void cache_counters(struct cache *cache, struct cache_counters *counters)
{
	counters->stored = atomic_load_explicit(&cache->stored, memory_order_relaxed);
	counters->evicted = atomic_load_explicit(&cache->evicted, memory_order_relaxed);
	counters->bad = atomic_load_explicit(&cache->bad, memory_order_relaxed);
	counters->read_faults = atomic_load_explicit(&cache->read_faults, memory_order_relaxed);
}
