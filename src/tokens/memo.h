/* SPDX-License-Identifier: MIT */
/*
 * Memo: tokens of pieces that were merged before.
 *
 * Holds pieces of at most 15 bytes with at most 6 tokens.  Fixed in size: two
 * entries share a cache line, a hash chooses the line, and the older of the
 * two goes.
 *
 * Ownership: part of an encoder.
 */
#ifndef TOKENS_MEMO_H
#define TOKENS_MEMO_H

#include "tokens/tables.h"

#define MEMO_LINES  65536
#define MEMO_TOKENS 6

/* Three ids of 20 bits each in `low`, with the count above them, and three in `high`. */
struct memo_ids {
	uint64_t low, high;
};

struct memo_line {
	struct tables_key key[2]; /* zero: empty */
	struct memo_ids ids[2];
};

struct memo {
	struct memo_line *lines; /* at cache lines */
	void *memory;
};

/* False: no memory.  Costs nothing until lines are used: fresh pages are zero. */
_Bool memo_init(struct memo *memo);
void memo_fini(struct memo *memo);

static inline struct memo_line *memo_line(const struct memo *memo, uint64_t hash)
{
	return &memo->lines[(hash >> 7) % MEMO_LINES];
}

static inline _Bool memo_is(struct tables_key a, struct tables_key b)
{
	return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

/* Writes MEMO_TOKENS ids, of which the returned count are meant; 0: not there. */
static inline uint32_t memo_find(const struct memo_line *line, struct tables_key key, uint32_t *ids)
{
	_Bool is_second = memo_is(line->key[1], key);
	struct memo_ids packed = line->ids[is_second];

	if (!is_second && !memo_is(line->key[0], key))
		return 0;
	for (int i = 0; i < 3; i++) {
		ids[i] = (uint32_t)(packed.low >> 20 * i) & 0xFFFFF;
		ids[i + 3] = (uint32_t)(packed.high >> 20 * i) & 0xFFFFF;
	}
	return (uint32_t)(packed.low >> 60);
}

/* Keeps the tokens of a piece that is not there, if they are few enough. */
static inline void memo_add(
    struct memo_line *line, struct tables_key key, const uint32_t *ids, uint32_t count)
{
	struct memo_ids packed = {(uint64_t)count << 60, 0};

	if (count > MEMO_TOKENS)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (i < 3)
			packed.low |= (uint64_t)ids[i] << 20 * i;
		else
			packed.high |= (uint64_t)ids[i] << 20 * (i - 3);
	line->key[1] = line->key[0];
	line->ids[1] = line->ids[0];
	line->key[0] = key;
	line->ids[0] = packed;
}

#endif
