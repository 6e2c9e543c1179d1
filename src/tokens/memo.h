/* SPDX-License-Identifier: MIT */
/*
 * Memo: tokens of pieces that were merged before.
 *
 * Fixed in size.  Pieces of at most 15 bytes with at most 6 tokens: two
 * entries share a cache line, and a piece may stand in either of two lines, so
 * that the memo fills up evenly; when all four places are taken, one goes.
 * Longer ones, up to MEMO_LONG_BYTES: one place each, the newest stays.
 *
 * Ownership: part of an encoder.
 */
#ifndef TOKENS_MEMO_H
#define TOKENS_MEMO_H

#include "tokens/tables.h"

#define MEMO_LINES  53248
#define MEMO_TOKENS 6

/* Three ids of 20 bits each in `low`, with the count above them, and three in `high`. */
struct memo_ids {
	uint64_t low, high;
};

struct memo_line {
	struct tables_key key[2]; /* zero: empty */
	struct memo_ids ids[2];
};

#define MEMO_LONGS       4096
#define MEMO_LONG_BYTES  124
#define MEMO_LONG_TOKENS 16

struct memo_long {
	uint16_t len; /* 0: empty */
	uint16_t count;
	uint8_t bytes[MEMO_LONG_BYTES];
	uint32_t ids[MEMO_LONG_TOKENS];
};

struct memo {
	struct memo_long *longs;
	struct memo_line *lines; /* at cache lines */
	void *memory;
	uint32_t turn; /* chooses what goes when all places are taken */
};

/* False: no memory.  Costs nothing until lines are used: fresh pages are zero. */
_Bool memo_init(struct memo *memo);
void memo_fini(struct memo *memo);

/* The two lines of a hash; `which` is 0 or 1. */
static inline struct memo_line *memo_line(const struct memo *memo, uint64_t hash, int which)
{
	uint32_t number = which == 0 ? (uint32_t)hash : (uint32_t)(hash >> 32) * 0x9E3779B1u;

	return &memo->lines[(uint64_t)number * MEMO_LINES >> 32];
}

static inline _Bool memo_is(struct tables_key a, struct tables_key b)
{
	return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

/* Writes MEMO_TOKENS ids, of which the returned count are meant; 0: not there. */
static inline uint32_t memo_find(
    const struct memo *memo, struct tables_key key, uint64_t hash, uint32_t *ids)
{
	const struct memo_line *first = memo_line(memo, hash, 0);
	const struct memo_line *second = memo_line(memo, hash, 1);
	const struct memo_ids *found = NULL;

	found = memo_is(first->key[0], key) ? &first->ids[0] : found;
	found = memo_is(first->key[1], key) ? &first->ids[1] : found;
	found = memo_is(second->key[0], key) ? &second->ids[0] : found;
	found = memo_is(second->key[1], key) ? &second->ids[1] : found;
	if (found == NULL)
		return 0;
	for (int i = 0; i < 3; i++) {
		ids[i] = (uint32_t)(found->low >> 20 * i) & 0xFFFFF;
		ids[i + 3] = (uint32_t)(found->high >> 20 * i) & 0xFFFFF;
	}
	return (uint32_t)(found->low >> 60);
}

/* Keeps the tokens of a piece that is not there, if they are few enough. */
void memo_add(
    struct memo *memo, struct tables_key key, uint64_t hash, const uint32_t *ids, uint32_t count);

/* The entry of a piece above 15 bytes with this hash of its bytes, or NULL. */
static inline const struct memo_long *memo_find_long(
    const struct memo *memo, const uint8_t *bytes, size_t len, uint64_t hash)
{
	const struct memo_long *entry = &memo->longs[hash % MEMO_LONGS];

	return entry->len == len && memcmp(entry->bytes, bytes, len) == 0 ? entry : NULL;
}

/* Keeps a piece above 15 bytes, if it is not too long. */
void memo_add_long(struct memo *memo, const uint8_t *bytes, size_t len, uint64_t hash,
    const uint32_t *ids, size_t count);

#endif
