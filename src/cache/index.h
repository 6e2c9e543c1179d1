/* SPDX-License-Identifier: MIT */
/*
 * Index: finds records in the store's map without trusting LMDB's pages.
 *
 * LMDB takes its pages at their word: a wrong offset makes it read beside the
 * map, a wrong kind ends the process.  Here every number is checked before it
 * is used, so that a damaged page is MDB_CORRUPTED and nothing worse.  Reads go
 * through this alone.  Writes are LMDB's; before each, what it is going to
 * touch is looked at here.
 *
 * Threads: an index may be read from several; a cursor belongs to one.
 */
#ifndef CACHE_INDEX_H
#define CACHE_INDEX_H

#include <lmdb.h>

#include "cache/page.h"

/* The trees as one transaction left them; good while a transaction keeps that state alive. */
struct index {
	const uint8_t *map;
	uint64_t page_bytes;
	struct page_meta meta;
};

/* A way from the root to an entry of a leaf. */
struct index_cursor {
	const struct index *index;
	const struct page_tree *tree;
	bool is_strict; /* every node of a page is looked at, not only those that are used */
	struct index_step {
		const uint8_t *page;
		struct page_head head;
		size_t at; /* node of the page */
	} steps[PAGE_DEPTH_MAX];
};

/*
 * The state that transaction `txn_id` left, from its meta page.  MDB_CORRUPTED
 * when that page holds something else: it is damaged, or two commits ago.
 */
int index_open(struct index *index, const uint8_t *map, uint64_t page_bytes, uint64_t txn_id);

/* These return 0, MDB_NOTFOUND or MDB_CORRUPTED.  Keys and values point into the map. */

/* Does not touch a value that has pages of its own. */
int index_find(const struct index *index, const MDB_val *key, MDB_val *value);

/* The first record whose key is not below `from`; of all, if that is NULL. */
int index_seek(struct index_cursor *cursor, const struct index *index, const MDB_val *from,
    MDB_val *key, MDB_val *value);

/* The one behind. */
int index_next(struct index_cursor *cursor, MDB_val *key, MDB_val *value);

/* Before LMDB writes; 0 or MDB_CORRUPTED. */

/* Every page on the way to `key` and, on each level, `reach` neighbours on both sides; its value's head. */
int index_check(const struct index *index, const MDB_val *key, size_t reach);

/* The tree of free pages, and that each is a page of the file. */
int index_check_free_pages(const struct index *index);

#endif
