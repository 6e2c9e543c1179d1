/* SPDX-License-Identifier: MIT */
/*
 * Store: what the parts of the cache share: the open LMDB environment, the
 * pool of reader slots, write transactions and errors.  Not for other layers.
 *
 * Reader slots.  A slot is an LMDB read transaction that is renewed and reset
 * again and again.  A thread owns a slot from store_read_begin to
 * store_read_end and may keep pointers into the map only in between.
 *
 * Locks: `write_lock` first, then reader slots.  A thread takes no second slot.
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include <limits.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include <lmdb.h>

#include "base/random.h"
#include "cache/cache.h"
#include "cache/guard.h"
#include "cache/half.h"
#include "cache/index.h"
#include "cache/record.h"
#include "cache/use.h"

#define STORE_SLOTS 64

/* Beside LMDB's codes: its map of a file that grew could not be made again. */
#define STORE_UNMAPPED (-30700)

/* The one key that is no digest: what wrote this file. */
#define STORE_FORMAT_KEY "embed-store"
#define STORE_FORMAT     1u

struct store_slot {
	alignas(64) atomic_bool is_taken;
	/* Of the thread that took the slot: */
	MDB_txn *txn; /* NULL until its first use */
	struct index index;
};

struct cache {
	MDB_env *env;
	MDB_dbi dbi;
	_Atomic(const uint8_t *) map; /* where LMDB maps the file; NULL: to be looked up */
	bool is_unmapped; /* the map is gone for good; changes with all slots and write_lock held */
	const struct half *half;
	uint64_t cap_bytes;
	uint64_t ttl_s;
	uint64_t page_bytes;
	bool is_open; /* cache_open has given it out */
	char data_path[PATH_MAX];
	char use_path[PATH_MAX];
	struct guard guard;
	char set_aside[PATH_MAX]; /* where a damaged file went when this was opened; "" */
	struct store_slot slots[STORE_SLOTS];

	struct use *use;
	atomic_bool is_noting; /* the store is so full that use will matter */
	atomic_uint_fast64_t stored, evicted, bad, read_faults;
	atomic_int read_fault;  /* LMDB's code for the latest */
	atomic_bool is_suspect; /* LMDB met damage in its index */

	pthread_mutex_t write_lock; /* guards what follows, and is held by writers */
	struct random random;
	struct index committed;   /* what a write transaction began with */
	uint8_t *scratch;         /* RECORD_BYTES_MAX */
	uint64_t limit_bytes;     /* where eviction begins: see evict.c */
	uint64_t untrimmed_bytes; /* written since the map's pages were given back */
};

/* One reading: its slot and transaction. */
struct store_read {
	struct store_slot *slot;
	MDB_txn *txn;
	const struct index *index; /* of the state that `txn` keeps alive */
};

/* These return 0 or LMDB's code (or errno); on failure there is nothing to end. */
int store_read_begin(struct cache *cache, struct store_read *read);
/* `rc` is how the reading went: after a failure the slot starts afresh. */
void store_read_end(struct store_read *read, int rc);

/*
 * Inside a reading: gives the pages of the map back.  They stay in the
 * system's cache, but no longer count as the process's memory, where they look
 * like a leak of gigabytes.  For walks, which won't touch them again, and for
 * bulk writes, which touch a page now and then; a page that is touched again
 * costs a fault, some microseconds.
 */
void store_trim(struct cache *cache, const struct store_read *read);

/* A write transaction, begun with `write_lock` held; cache->committed is what it found. */
int store_write_begin(struct cache *cache, MDB_txn **txn);

/*
 * Before LMDB changes the entry of `key`: whether the pages that it will touch
 * are sound (MDB_CORRUPTED if not).  Pages that the transaction has changed
 * already were so before; STORE_REMOVING looks at their neighbours, too, which
 * LMDB joins with a page that has become empty.
 */
#define STORE_PUTTING  0
#define STORE_REMOVING 2
int store_check_write(const struct cache *cache, const MDB_val *key, size_t reach);

/* Remembers a code of LMDB's that speaks for damage, so that the next opening checks the index. */
void store_note_damage(struct cache *cache, int rc);

/*
 * Fills `error` with what LMDB's code means for people and returns EMBED_STORE.
 * `doing` ends "The store could not ...", for example "be read".
 */
enum embed_status store_error(
    struct cache *cache, struct embed_error *error, int rc, const char *doing);

/* Bytes of all pages that hold the records and their index, as `txn` sees it. */
uint64_t store_used_bytes(const struct cache *cache, MDB_txn *txn);
uint64_t store_records(const struct cache *cache, MDB_txn *txn);

/* Starts noting use once the store is half full: below, nothing will be evicted soon. */
void store_note_if_filling(struct cache *cache, uint64_t used_bytes);

/* The one key that is no digest: its value says which format the store has. */
MDB_val store_format_key(void);
bool store_is_format_key(const MDB_val *key);

/* The digest that an LMDB key holds; false if it holds none. */
bool store_key_digest(struct digest *digest, const MDB_val *key);

static inline MDB_val store_key(const struct digest *key)
{
	return (MDB_val){DIGEST_BYTES, (void *)(uintptr_t)key->bytes};
}

/* What a record of `len` bytes takes of the file, its part of the index included. */
uint64_t store_cost_bytes(const struct cache *cache, uint64_t len);

/* ---- evict.c (write_lock held) ------------------------------------------ */

struct eviction {
	uint64_t records;
	uint64_t bytes; /* by store_cost_bytes */
};

/* Evicts at least `want_bytes` inside `txn`, or all there is; adds to `eviction`. */
int evict_some(struct cache *cache, MDB_txn *txn, uint64_t want_bytes, struct eviction *eviction);

/* Evicts what a group of `need_bytes` has to make room for: nothing below the limit. */
int evict_for_group(
    struct cache *cache, MDB_txn *txn, uint64_t need_bytes, struct eviction *eviction);

/* A small transaction of its own: evicts up to `want_bytes`; tells what is used then. */
int evict_step(
    struct cache *cache, uint64_t want_bytes, struct eviction *sum, uint64_t *used_bytes);

/*
 * After MDB_MAP_FULL: a step, and the limit falls to what is used then.
 * MDB_MAP_FULL when that can't help: nothing is left, or a reader keeps freed
 * pages from being used again.
 */
int evict_to_make_room(struct cache *cache, struct eviction *sum);

/* After a group of `bytes` went in: lets a lowered limit rise again, slowly. */
void evict_went_well(struct cache *cache, uint64_t bytes);

/* The highest limit: 90 % of the cap. */
uint64_t evict_limit_bytes(const struct cache *cache);

#endif
