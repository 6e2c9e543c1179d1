/* SPDX-License-Identifier: MIT */
/* Structure's own parts: the file that is looked at, and its heads as LMDB writes them.  For structure*.c only. */
#ifndef CACHE_STRUCTURE_FILE_H
#define CACHE_STRUCTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/structure.h"

#define META_PAGES 2u

struct tree {
	uint32_t pad; /* of the tree of free pages: the page size */
	uint16_t flags;
	uint16_t depth;
	uint64_t branch_pages, leaf_pages, overflow_pages, entries;
	uint64_t root; /* UINT64_MAX: empty */
};

struct meta {
	uint32_t magic, version;
	uint64_t address;
	uint64_t map_bytes;
	struct tree free_pages, records;
	uint64_t last_page;
	uint64_t txn_id;
};
_Static_assert(sizeof(struct meta) == 24 + 2 * 48 + 16, "as LMDB writes it");

struct file {
	const char *path;
	int fd;
	uint64_t bytes;
	uint64_t page_bytes;
	bool is_damaged; /* what was found wrong is in the file, not in reading it */
	struct meta metas[META_PAGES];
};

/* EMBED_STORE with a sentence that names the page. */
enum embed_status structure_damaged(
    struct file *file, struct embed_error *error, uint64_t page, const char *what);

/* EMBED_STORE when the file ends before (then it is damaged) or the disk fails (then it need not be). */
enum embed_status structure_read_at(
    struct file *file, void *bytes, size_t len, uint64_t offset, struct embed_error *error);

/* Walks both trees as `meta` tells them: structure_tree.c. */
enum embed_status structure_check_meta(struct file *file, const struct meta *meta,
    enum structure_depth depth, struct embed_error *error);

#endif
