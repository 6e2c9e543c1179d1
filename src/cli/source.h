/* SPDX-License-Identifier: MIT */
/*
 * Source: where items come from, one at a time.  The pipeline pulls; a source
 * that would have to wait for bytes says so instead of waiting.
 *
 * Threads: none; the pipeline's thread owns it.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "cli/item.h"

enum source_status {
	SOURCE_ITEM, /* one item was added to the group (or one document looked at: maybe none) */
	SOURCE_BLOCKED, /* poll `fd` first */
	SOURCE_END,
	SOURCE_FAILED, /* the error says why; nothing more can be read */
};

struct source;

typedef enum source_status source_next_fn(
    struct source *source, struct item_group *group, struct embed_error *error);

/* The first member of each kind of source. */
struct source {
	source_next_fn *next;
	embed_service
	    *service;         /* the open one, before the first `next`; for sources that need it */
	int fd;               /* to poll when blocked */
	uint64_t bytes_done;  /* of the inputs */
	uint64_t bytes_total; /* 0: unknown */
	bool is_small;        /* a few texts: no report of progress unless asked for */
};

#endif
