/* SPDX-License-Identifier: MIT */
/* Structure's own parts: the file that is looked at.  For structure*.c only. */
#ifndef CACHE_STRUCTURE_FILE_H
#define CACHE_STRUCTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/page.h"
#include "cache/structure.h"

struct file {
	const char *path;
	int fd;
	uint64_t bytes;
	uint64_t page_bytes;
	bool is_damaged; /* what was found wrong is in the file, not in reading it */
	struct page_meta metas[PAGE_METAS];
};

/* EMBED_STORE with a sentence that names the page. */
enum embed_status structure_damaged(
    struct file *file, struct embed_error *error, uint64_t page, const char *what);

/* EMBED_STORE when the file ends before (then it is damaged) or the disk fails (then it need not be). */
enum embed_status structure_read_at(
    struct file *file, void *bytes, size_t len, uint64_t offset, struct embed_error *error);

/* Walks both trees as `meta` tells them: structure_tree.c. */
enum embed_status structure_check_meta(struct file *file, const struct page_meta *meta,
    enum structure_depth depth, struct embed_error *error);

#endif
