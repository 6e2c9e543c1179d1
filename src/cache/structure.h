/* SPDX-License-Identifier: MIT */
/*
 * Structure: looks at the store's file without LMDB, and without trusting it.
 *
 * LMDB keeps no checksums and takes its pages at their word: a wrong offset in
 * an index page can make it read beside the map.  Here every page is read with
 * pread and every number in it is checked before it is used, so that a damaged
 * file gives a sentence and never a crash.
 *
 * Threads: any.
 */
#ifndef CACHE_STRUCTURE_H
#define CACHE_STRUCTURE_H

#include <embed.h>

#include <lmdb.h>

struct structure_facts {
	uint64_t map_bytes; /* the largest cap that the file was opened with; 0: no file yet */
	bool is_unborn;  /* its making was cut off before it ever held a record: may be emptied */
	bool is_damaged; /* why the look failed: it is a store of ours, and wrong in itself */
};

/* How much is read: more with each. */
enum structure_depth {
	STRUCTURE_HEADS, /* two pages; the index too if the file is shorter than they say */
	STRUCTURE_INDEX, /* every page of the index */
	STRUCTURE_ALL, /* also the head of each record that has pages of its own, which writes trust */
};

/*
 * What has to hold before LMDB may open the file: it is LMDB's, of the version
 * and the page size that we can read, and not cut short; and, while nobody else
 * has the store open, what `depth` asks for and the way to the entry of `key`
 * (NULL: of none).  A file that does not exist or is empty is fine.  Otherwise
 * EMBED_STORE.
 */
enum embed_status structure_look(const char *path, enum structure_depth depth, const MDB_val *key,
    struct structure_facts *facts, struct embed_error *error);

/*
 * Reads the whole index as transaction `txn_id` left it (the caller holds a
 * read transaction on it) and checks every page: kind, bounds, order of keys,
 * no page used twice, counts.  EMBED_STORE names the first thing wrong.
 */
enum embed_status structure_check(const char *path, uint64_t txn_id, struct embed_error *error);

#endif
