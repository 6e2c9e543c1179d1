/* SPDX-License-Identifier: MIT */
#include "cache/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_VALUE_BYTES (1u << 20)
#define REMOVE_AT_ONCE   512

static void remember(struct walk_key *last, const MDB_val *key)
{
	last->len =
	    (uint16_t)(key->mv_size < WALK_KEY_BYTES_MAX ? key->mv_size : WALK_KEY_BYTES_MAX);
	memcpy(last->bytes, key->mv_data, last->len);
}

static bool is_key(const struct walk_key *last, const MDB_val *key)
{
	return key->mv_size == last->len && memcmp(key->mv_data, last->bytes, last->len) == 0;
}

/* To the first entry behind the last one visited. */
static int resume(struct index_cursor *cursor, const struct index *index, const struct walk *walk,
    MDB_val *key, MDB_val *value)
{
	const MDB_val last = {walk->last.len, (void *)(uintptr_t)walk->last.bytes};
	int rc = index_seek(cursor, index, walk->is_started ? &last : NULL, key, value);

	if (rc == 0 && walk->is_started && is_key(&walk->last, key))
		rc = index_next(cursor, key, value);
	return rc;
}

static int visit(struct cache *cache, const struct index *index, struct walk *walk, size_t count,
    walk_fn *fn, void *context)
{
	struct index_cursor cursor;
	MDB_val key, value;
	size_t bytes = 0;
	int rc = resume(&cursor, index, walk, &key, &value);

	while (rc == 0 && count > 0 && bytes < STEP_VALUE_BYTES) {
		walk->is_started = true;
		remember(&walk->last, &key);
		if (!store_is_format_key(&key)) {
			rc = fn(cache, &key, &value, context);
			if (rc != 0)
				return rc;
			bytes += value.mv_size;
			count--;
		}
		rc = index_next(&cursor, &key, &value);
	}
	walk->is_done = rc == MDB_NOTFOUND;
	return walk->is_done ? 0 : rc;
}

int walk_step(struct cache *cache, struct walk *walk, size_t count, walk_fn *fn, void *context)
{
	struct store_read read;
	int rc = store_read_begin(cache, &read);

	if (rc != 0)
		return rc;
	rc = visit(cache, read.index, walk, count, fn, context);
	if (!walk->keeps_pages)
		store_trim(cache, &read);
	store_read_end(&read, rc);
	return rc;
}

/* ---- Removing ------------------------------------------------------------ */

struct removal {
	walk_doom_fn *fn;
	const void *context;
	uint64_t visited, found;
	size_t count;
	struct walk_key doomed[REMOVE_AT_ONCE];
};

static int collect(struct cache *cache, const MDB_val *key, const MDB_val *value, void *context)
{
	struct removal *removal = context;

	removal->visited++;
	if (removal->fn(cache, key, value, removal->context)) {
		removal->found++;
		remember(&removal->doomed[removal->count++], key);
	}
	return 0;
}

/* Looks again: the record may have been replaced since it was found. */
static int remove_one(
    struct cache *cache, MDB_txn *txn, const struct removal *removal, const struct walk_key *doomed)
{
	MDB_val key = {doomed->len, (void *)(uintptr_t)doomed->bytes}, value;
	int rc = store_check_write(cache, &key, STORE_REMOVING);

	if (rc == 0)
		rc = mdb_get(txn, cache->dbi, &key, &value);
	if (rc == 0 && !removal->fn(cache, &key, &value, removal->context))
		return MDB_NOTFOUND;
	return rc == 0 ? mdb_del(txn, cache->dbi, &key, NULL) : rc;
}

static int remove_in_txn(struct cache *cache, const struct removal *removal, size_t first,
    size_t count, uint64_t *removed)
{
	uint64_t gone = 0;
	MDB_txn *txn;
	int rc = store_write_begin(cache, &txn);

	if (rc != 0)
		return rc;
	for (size_t i = first; i < first + count; i++) {
		rc = remove_one(cache, txn, removal, &removal->doomed[i]);
		if (rc != 0 && rc != MDB_NOTFOUND) {
			mdb_txn_abort(txn);
			return rc;
		}
		gone += rc == 0;
	}
	rc = mdb_txn_commit(txn);
	if (rc == 0)
		*removed += gone;
	return rc;
}

/* In a full file there may be too few free pages for all that changes: then in parts. */
static int remove_collected(struct cache *cache, const struct removal *removal, uint64_t *removed)
{
	size_t part = removal->count;

	for (size_t done = 0; done < removal->count;) {
		size_t count = removal->count - done < part ? removal->count - done : part;
		int rc = remove_in_txn(cache, removal, done, count, removed);

		if (rc == 0)
			done += count;
		else if (rc == MDB_MAP_FULL && part > 1)
			part = (part + 3) / 4;
		else
			return rc;
	}
	return 0;
}

int walk_remove(struct cache *cache, walk_doom_fn *fn, const void *context, bool is_dry,
    uint64_t *visited, uint64_t *found, uint64_t *removed)
{
	struct removal *removal = calloc(1, sizeof(*removal));
	struct walk walk = {.is_started = false};
	int rc = 0;

	if (removal == NULL)
		return ENOMEM;
	removal->fn = fn;
	removal->context = context;
	while (rc == 0 && !walk.is_done) {
		removal->count = 0;
		rc = walk_step(cache, &walk, REMOVE_AT_ONCE, collect, removal);
		if (rc != 0 || is_dry || removal->count == 0)
			continue;
		pthread_mutex_lock(&cache->write_lock);
		rc = remove_collected(cache, removal, removed);
		pthread_mutex_unlock(&cache->write_lock);
	}
	*visited = removal->visited;
	*found = removal->found;
	free(removal);
	return rc;
}
