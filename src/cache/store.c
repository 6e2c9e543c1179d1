/* SPDX-License-Identifier: MIT */
#include "cache/store.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"

#define NOTE_USE_ABOVE_PART_OF_CAP 2
#define INDEX_TRIES                3

/* ---- The map --------------------------------------------------------------- */

/*
 * LMDB does not tell where its map lies.  The format's value lies inside a
 * page, and a page knows its number.
 */
static const uint8_t *find_map(struct cache *cache, MDB_txn *txn)
{
	MDB_val key = store_format_key(), value;
	uintptr_t page, offset;
	uint64_t number;

	if (mdb_get(txn, cache->dbi, &key, &value) != 0)
		return NULL;
	page = (uintptr_t)value.mv_data & ~(uintptr_t)(cache->page_bytes - 1);
	memcpy(&number, (const void *)page, sizeof(number));
	offset = (uintptr_t)(number * cache->page_bytes);
	return offset <= page ? (const uint8_t *)(page - offset) : NULL;
}

/* The state that transaction `txn_id` left, which `txn` sees. */
static int open_index(struct cache *cache, MDB_txn *txn, uint64_t txn_id, struct index *index)
{
	const uint8_t *map = atomic_load_explicit(&cache->map, memory_order_acquire);

	if (map == NULL) {
		map = find_map(cache, txn);
		if (map == NULL)
			return MDB_CORRUPTED;
		atomic_store_explicit(&cache->map, map, memory_order_release);
	}
	return index_open(index, map, cache->page_bytes, txn_id);
}

/* ---- Reader slots ----------------------------------------------------- */

/* Threads start at different slots, so that each mostly finds its own again. */
static size_t first_slot(void)
{
	return (size_t)(((uint64_t)pthread_self() * 0x9e3779b97f4a7c15u) >> 58) % STORE_SLOTS;
}

static bool slot_try(struct store_slot *slot)
{
	return !atomic_load_explicit(&slot->is_taken, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&slot->is_taken, true, memory_order_acquire);
}

static void slot_release(struct store_slot *slot)
{
	atomic_store_explicit(&slot->is_taken, false, memory_order_release);
}

/* All slots are taken only while 64 threads are in the middle of a copy: one will end at once. */
static struct store_slot *slot_take(struct cache *cache)
{
	for (size_t first = first_slot();; sched_yield())
		for (size_t i = 0; i < STORE_SLOTS; i++) {
			struct store_slot *slot = &cache->slots[(first + i) % STORE_SLOTS];

			if (slot_try(slot))
				return slot;
		}
}

static void slot_forget(struct store_slot *slot)
{
	mdb_txn_abort(slot->txn);
	slot->txn = NULL;
}

static int slot_begin_txn(struct cache *cache, struct store_slot *slot)
{
	int rc, dead;

	if (cache->is_unmapped)
		return STORE_UNMAPPED;
	if (slot->txn != NULL) {
		rc = mdb_txn_renew(slot->txn);
		if (rc != MDB_BAD_RSLOT)
			return rc;
		slot_forget(slot); /* someone took our process for dead */
	}
	rc = mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &slot->txn);
	if (rc == MDB_READERS_FULL && mdb_reader_check(cache->env, &dead) == 0 && dead > 0)
		rc = mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &slot->txn);
	if (rc != 0)
		slot->txn = NULL;
	return rc;
}

/* Two commits while we begin, and the state's meta page is gone: then the newer state. */
static int slot_begin(struct cache *cache, struct store_slot *slot)
{
	int rc = MDB_CORRUPTED;

	for (int tries = 0; rc == MDB_CORRUPTED && tries < INDEX_TRIES; tries++) {
		rc = slot_begin_txn(cache, slot);
		if (rc != 0)
			return rc;
		rc = open_index(cache, slot->txn, mdb_txn_id(slot->txn), &slot->index);
		if (rc != 0)
			mdb_txn_reset(slot->txn);
	}
	return rc;
}

/*
 * Another process opened the store with a larger cap and filled it beyond our
 * map.  Growing the map moves it, so no reader may be inside: take all slots.
 */
static int adopt_larger_map(struct cache *cache)
{
	for (size_t i = 0; i < STORE_SLOTS; i++) {
		while (!slot_try(&cache->slots[i]))
			sched_yield();
		if (cache->slots[i].txn != NULL)
			slot_forget(&cache->slots[i]);
	}
	/* LMDB gives the old map up first, and then does not notice that it has none. */
	if (mdb_env_set_mapsize(cache->env, 0) != 0)
		cache->is_unmapped = true;
	atomic_store_explicit(&cache->map, NULL, memory_order_release);
	for (size_t i = 0; i < STORE_SLOTS; i++)
		slot_release(&cache->slots[i]);
	return cache->is_unmapped ? STORE_UNMAPPED : 0;
}

int store_read_begin(struct cache *cache, struct store_read *read)
{
	int rc;

	for (int tries = 0;; tries++) {
		read->slot = slot_take(cache);
		rc = slot_begin(cache, read->slot);
		if (rc == 0)
			break;
		slot_release(read->slot);
		if (rc != MDB_MAP_RESIZED || tries > 0)
			return rc;
		pthread_mutex_lock(&cache->write_lock);
		rc = adopt_larger_map(cache);
		pthread_mutex_unlock(&cache->write_lock);
		if (rc != 0)
			return rc;
	}
	read->txn = read->slot->txn;
	read->index = &read->slot->index;
	return 0;
}

void store_read_end(struct store_read *read, int rc)
{
	if (rc == 0 || rc == MDB_NOTFOUND)
		mdb_txn_reset(read->slot->txn);
	else
		slot_forget(read->slot);
	slot_release(read->slot);
}

/* Advice: when it is refused, nothing is lost. */
void store_trim(struct cache *cache, const struct store_read *read)
{
	MDB_envinfo info;

	mdb_env_info(cache->env, &info);
	madvise((void *)(uintptr_t)read->index->map, info.me_mapsize, MADV_DONTNEED);
}

/* ---- Write transactions ------------------------------------------------ */

int store_write_begin(struct cache *cache, MDB_txn **txn)
{
	int rc = cache->is_unmapped ? STORE_UNMAPPED : mdb_txn_begin(cache->env, NULL, 0, txn);

	if (rc == MDB_MAP_RESIZED && (rc = adopt_larger_map(cache)) == 0)
		rc = mdb_txn_begin(cache->env, NULL, 0, txn);
	if (rc != 0)
		return rc;
	rc = open_index(cache, *txn, mdb_txn_id(*txn) - 1, &cache->committed);
	if (rc == 0)
		rc = index_check_free_pages(&cache->committed);
	if (rc != 0)
		mdb_txn_abort(*txn);
	return rc;
}

int store_check_write(const struct cache *cache, const MDB_val *key, size_t reach)
{
	return index_check(&cache->committed, key, reach);
}

uint64_t store_used_bytes(const struct cache *cache, MDB_txn *txn)
{
	MDB_stat stat;

	if (mdb_stat(txn, cache->dbi, &stat) != 0)
		return 0;
	return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
	       cache->page_bytes;
}

/*
 * LMDB keeps a value in the page of its key while two entries fit a page, else
 * in pages of its own behind a head.  Pages of the index are two thirds full.
 */
uint64_t store_cost_bytes(const struct cache *cache, uint64_t len)
{
	const uint64_t page_head = 16, node_head = 8 + DIGEST_BYTES + 2, page_number = 8;

	if (node_head + len <= (cache->page_bytes - page_head) / 2)
		return (node_head + len) * 3 / 2;
	return (page_head + len + cache->page_bytes - 1) / cache->page_bytes * cache->page_bytes +
	       (node_head + page_number) * 3 / 2;
}

uint64_t store_records(const struct cache *cache, MDB_txn *txn)
{
	MDB_stat stat;

	if (mdb_stat(txn, cache->dbi, &stat) != 0 || stat.ms_entries == 0)
		return 0;
	return stat.ms_entries - 1; /* the format's entry */
}

void store_note_if_filling(struct cache *cache, uint64_t used_bytes)
{
	bool is_filling = used_bytes > cache->cap_bytes / NOTE_USE_ABOVE_PART_OF_CAP;

	if (is_filling != atomic_load_explicit(&cache->is_noting, memory_order_relaxed))
		atomic_store_explicit(&cache->is_noting, is_filling, memory_order_relaxed);
}

/* ---- Keys -------------------------------------------------------------- */

static const char format_key[] = "embed-store";

MDB_val store_format_key(void)
{
	return (MDB_val){strlen(format_key), (void *)(uintptr_t)format_key};
}

bool store_is_format_key(const MDB_val *key)
{
	return key->mv_size == strlen(format_key) &&
	       memcmp(key->mv_data, format_key, key->mv_size) == 0;
}

bool store_key_digest(struct digest *digest, const MDB_val *key)
{
	if (key->mv_size != DIGEST_BYTES)
		return false;
	memcpy(digest->bytes, key->mv_data, DIGEST_BYTES);
	return true;
}

/* ---- Errors ------------------------------------------------------------ */

static const struct {
	int rc;
	const char *advice;
} advices[] = {
    {ENOSPC, "the disk is full: make room, nothing is lost meanwhile"},
    {EDQUOT, "the disk quota is used up: make room, nothing is lost meanwhile"},
    {EFBIG, "the file may not grow further (ulimit -f): raise the limit"},
    /* LMDB says EIO when a write was cut short, as a full disk does. */
    {EIO, "the disk is full or failing: make room or check it, nothing is lost meanwhile"},
    {EROFS, "the disk is mounted read-only: choose a home on a writable one"},
    {EACCES, "permission denied: make the home belong to the user who runs this"},
    {EPERM, "permission denied: make the home belong to the user who runs this"},
    {ENOMEM, "no memory or address space for the map: lower the store's cap or raise ulimit -v"},
    {EAGAIN, "the lock file could not be locked: keep the home on a local disk"},
    {ENOLCK, "the lock file could not be locked: keep the home on a local disk"},
    {MDB_MAP_FULL, "it is full and nothing could be evicted, maybe because another process holds "
		   "an old state: raise the cap or end that process"},
    {MDB_READERS_FULL, "too many processes read it at once: end some of them"},
    {MDB_TXN_FULL, "one group of writes was too large: write fewer records at a time"},
    {MDB_CORRUPTED, "the file is damaged: move the store folder away and start anew"},
    {MDB_PAGE_NOTFOUND, "the file is damaged: move the store folder away and start anew"},
    {MDB_INVALID, "the file is damaged or not a store: move the store folder away and start anew"},
    {MDB_VERSION_MISMATCH, "the file was written by another version of LMDB: use the program that "
			   "wrote it, or another home"},
    {MDB_PANIC, "an earlier write failed halfway: restart the program"},
    {MDB_MAP_RESIZED, "another process opened it with a larger cap: open it with the same one"},
    {STORE_UNMAPPED,
	"another process opened it with a larger cap, and for a map of that size there "
	"was no memory or address space (ulimit -v): restart the program"},
    {MDB_BAD_RSLOT, "its lock file was disturbed: restart every program that uses this home"},
};

static const char *advice_for(int rc)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].rc == rc)
			return advices[i].advice;
	return mdb_strerror(rc);
}

void store_note_damage(struct cache *cache, int rc)
{
	if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND)
		atomic_store_explicit(&cache->is_suspect, true, memory_order_relaxed);
}

enum embed_status store_error(
    struct cache *cache, struct embed_error *error, int rc, const char *doing)
{
	store_note_damage(cache, rc);
	if (rc == ENOMEM && cache->env == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	return error_set(error, EMBED_STORE, "the store %.200s could not %s: %s", cache->data_path,
	    doing, advice_for(rc));
}
