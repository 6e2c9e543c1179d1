/* SPDX-License-Identifier: MIT */
/*
 * Inbox: how other threads hand things to the engine's.
 *
 * A stack of items that are part of the caller's structs: pushing is one
 * compare-and-swap, the engine takes all at once and puts them back in order.
 * Nobody waits for anybody.
 *
 * Threads: inbox_push any, inbox_take one.
 */
#ifndef ENGINE_INBOX_H
#define ENGINE_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum inbox_kind { INBOX_SUBMIT, INBOX_CANCEL, INBOX_RECORDED, INBOX_CHANGE, INBOX_CLOSE };

struct inbox_item {
	struct inbox_item *next;
	enum inbox_kind kind;
};

struct inbox {
	_Atomic(struct inbox_item *) newest;
};

static inline void inbox_init(struct inbox *inbox)
{
	atomic_init(&inbox->newest, NULL);
}

/* True: it was empty, so the engine may be asleep. */
static inline bool inbox_push(struct inbox *inbox, struct inbox_item *item, enum inbox_kind kind)
{
	struct inbox_item *newest = atomic_load_explicit(&inbox->newest, memory_order_relaxed);

	item->kind = kind;
	do
		item->next = newest;
	while (!atomic_compare_exchange_weak_explicit(
	    &inbox->newest, &newest, item, memory_order_release, memory_order_relaxed));
	return newest == NULL;
}

/* All items, the oldest first. */
static inline struct inbox_item *inbox_take(struct inbox *inbox)
{
	struct inbox_item *item =
	    atomic_exchange_explicit(&inbox->newest, NULL, memory_order_acquire);
	struct inbox_item *oldest = NULL;

	while (item) {
		struct inbox_item *next = item->next;

		item->next = oldest;
		oldest = item;
		item = next;
	}
	return oldest;
}

#endif
