/* SPDX-License-Identifier: MIT */
/*
 * Memo: tokens of pieces that were merged before.
 *
 * Fixed in size: a piece has one place where it can stand, and the newest
 * wins.  Holds pieces of at most 15 bytes with at most 11 tokens.
 *
 * Ownership: part of an encoder.
 */
#ifndef TOKENS_MEMO_H
#define TOKENS_MEMO_H

#include "tokens/tables.h"

#define MEMO_ENTRIES 32768
#define MEMO_TOKENS  11

struct memo_entry {
	struct tables_key key; /* zero: empty */
	uint32_t count;
	uint32_t ids[MEMO_TOKENS];
};

struct memo {
	struct memo_entry *entries; /* at cache lines */
	void *memory;
};

/* False: no memory.  Costs nothing until entries are used: fresh pages are zero. */
_Bool memo_init(struct memo *memo);
void memo_fini(struct memo *memo);

static inline struct memo_entry *memo_entry(struct memo *memo, uint64_t hash)
{
	return &memo->entries[(hash >> 7) % MEMO_ENTRIES];
}

static inline _Bool memo_has(const struct memo_entry *entry, struct tables_key key)
{
	return entry->key.lo == key.lo && entry->key.hi == key.hi;
}

#endif
