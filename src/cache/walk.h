/* SPDX-License-Identifier: MIT */
/*
 * Walk: visits every entry of the store in the order of keys, in steps, so
 * that no read transaction lasts long (a held one keeps every page that is
 * freed meanwhile from being used again).  Entries written during a walk are
 * visited or not; none is visited twice.
 */
#ifndef CACHE_WALK_H
#define CACHE_WALK_H

#include "cache/store.h"

#define WALK_KEY_BYTES_MAX 511u

/* A key as it lies in the store: 32 bytes, unless the store is damaged. */
struct walk_key {
	uint16_t len;
	uint8_t bytes[WALK_KEY_BYTES_MAX];
};

struct walk {
	struct walk_key last;
	bool is_started;
	bool is_done;
	bool keeps_pages; /* a few entries of a store in use: its pages stay mapped for hits */
};

/* Anything but 0 ends the walk.  Called inside a read transaction. */
typedef int walk_fn(struct cache *cache, const MDB_val *key, const MDB_val *value, void *context);

/*
 * Visits the next entries, at most `count` of them and about 1 MiB of values.
 * The format's entry is left out.
 */
int walk_step(struct cache *cache, struct walk *walk, size_t count, walk_fn *fn, void *context);

/* Whether an entry is to be removed. */
typedef bool walk_doom_fn(
    const struct cache *cache, const MDB_val *key, const MDB_val *value, const void *context);

/*
 * Removes every entry that is doomed, in transactions of a few hundred (a
 * single large one would leave one list of free pages that LMDB then rewrites
 * at each commit).  `found` counts the doomed, `removed` those that were gone
 * at the end; with `is_dry` none is.
 */
int walk_remove(struct cache *cache, walk_doom_fn *fn, const void *context, bool is_dry,
    uint64_t *visited, uint64_t *found, uint64_t *removed);

#endif
