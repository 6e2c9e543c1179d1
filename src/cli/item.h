/* SPDX-License-Identifier: MIT */
/*
 * Item: one text on its way through a command, and the output record that it
 * becomes.  Items live in groups: a group's bytes are one buffer, so that a
 * million rows cost a few allocations.
 *
 * A span is a place in the group's buffer, not a pointer, because the buffer
 * moves while it grows.
 *
 * Ownership: a group owns its bytes and items.  Threads: one owner at a time.
 */
#ifndef CLI_ITEM_H
#define CLI_ITEM_H

#include "base/buffer.h"

struct span {
	size_t start;
	size_t len;
};

struct item {
	struct span id;     /* a JSON value, ready to print */
	struct span source; /* path of its document; empty for rows */
	struct span text;
	struct span message; /* why it cannot be sent, unless `status` is EMBED_OK */
	enum embed_status status;
	uint64_t line;        /* in its file, from 1; 0 for documents */
	uint64_t chunk;       /* number in its document, from 0 */
	uint64_t start, end;  /* bytes of the document */
	bool is_whole_source; /* an error of the document itself: no chunk, no offsets */
};

struct item_group {
	struct buffer bytes;
	struct item *items;
	size_t count;
	size_t cap;
	size_t good; /* items that can be sent */
	bool is_out_of_memory;
};

/* Most bytes that a group's buffer takes: a text and its row, with room. */
#define ITEM_GROUP_MAX_BYTES (256u << 20)

void item_group_init(struct item_group *group);
void item_group_fini(struct item_group *group);

/* Forgets its items, keeps the memory unless it grew large. */
void item_group_reset(struct item_group *group);

/* A new item at the end, all zero, or NULL when memory ran out. */
struct item *item_group_add(struct item_group *group);

/* Copies bytes in. */
struct span item_group_copy(struct item_group *group, const void *bytes, size_t len);

/* Makes the item one that failed before it was sent, with a sentence. */
void item_group_refuse(struct item_group *group, struct item *item, enum embed_status status,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The id of an item that has none of its own: a number. */
struct span item_group_number(struct item_group *group, uint64_t number);

/* Memory ran out, or a limit was reached, since the reset. */
bool item_group_failed(const struct item_group *group);

static inline const char *item_bytes(const struct item_group *group, struct span span)
{
	return span.len == 0 ? "" : group->bytes.bytes + span.start;
}

#endif
