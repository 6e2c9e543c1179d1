/* SPDX-License-Identifier: MIT */
/*
 * Memo: tokens of pieces that were merged before.
 *
 * It holds ids and no keys.  A few bits of a piece's hash choose what may be
 * its entry, and whether it is one is seen from the ids themselves: when the
 * bytes of these tokens are the piece, they are its encoding, because each
 * entry is the encoding of some piece, and of no other than the one whose
 * bytes its tokens have.  So an entry is 8 bytes for three tokens.
 *
 * Fixed in size.  A piece of at most MEMO_BYTES and MEMO_TOKENS may stand in
 * either of two cache lines; when both are full, every fourth piece that comes
 * takes another's place and the others are not kept, so that a text which is
 * too long for the memo still finds most of what it left when it comes again.
 *
 * Both encodings may use one memo.  Ownership and threads: one thread's.
 */
#ifndef TOKENS_MEMO_H
#define TOKENS_MEMO_H

#include "tokens/vocabulary.h"

#define MEMO_LINES  61440
#define MEMO_UNITS  8 /* in a line */
#define MEMO_TOKENS 18
#define MEMO_BYTES  128

/* So many bytes after a piece may be read. */
#define MEMO_READ_BEYOND 16

/*
 * Three ids of TABLES_ID_BITS each, all ones where there is none, and a tag
 * above them; 0: empty.  An entry is a unit with a tag of its own and those
 * after it that are marked as its continuation.
 */
#define MEMO_TAG_SHIFT (3 * TABLES_ID_BITS)
#define MEMO_CONTINUED 1023u

struct memo_line {
	uint64_t units[MEMO_UNITS];
};

struct memo {
	struct memo_line *lines; /* at cache lines */
	void *memory;
	uint32_t turn; /* chooses what goes when there is no room */
};

#define MEMO_MEMORY_BYTES ((MEMO_LINES + 1) * sizeof(struct memo_line))

/* NULL: no memory.  Costs nothing until lines are used: fresh pages are zero. */
struct memo *memo_create(void);
void memo_destroy(struct memo *memo);

/* The two lines of a hash; `which` is 0 or 1. */
static inline struct memo_line *memo_line(const struct memo *memo, uint64_t hash, int which)
{
	uint32_t number = which == 0 ? (uint32_t)hash : (uint32_t)(hash >> 32) * 0x9E3779B1u;

	return &memo->lines[(uint64_t)number * MEMO_LINES >> 32];
}

/* Asks for what memo_find will need, once the hash's lines are in the cache. */
void memo_prefetch(const struct memo *memo, const struct tokens_encoding *encoding, uint64_t hash);

/*
 * Writes the ids of a piece that is not ill-formed, with this hash, at most
 * MEMO_TOKENS, and returns how many; 0: it is not there.  MEMO_READ_BEYOND bytes
 * more than the piece may be read.
 */
uint32_t memo_find(const struct memo *memo, const struct tokens_encoding *encoding,
    const uint8_t *piece, size_t len, uint64_t hash, uint32_t *ids);

/* Keeps the tokens of a piece that is not there, if they are few enough and there is room or its turn. */
void memo_add(struct memo *memo, const struct tokens_encoding *encoding, uint64_t hash,
    const uint32_t *ids, size_t count);

#endif
