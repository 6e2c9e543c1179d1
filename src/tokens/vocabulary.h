/* SPDX-License-Identifier: MIT */
/*
 * Vocabulary: the tables of an encoding, and the lookups in them.
 *
 * All of it is constant: built in by the linker, shared by all threads and
 * processes, ready without any work at start.
 */
#ifndef TOKENS_VOCABULARY_H
#define TOKENS_VOCABULARY_H

#include <stdbool.h>

#include "tokens/tables.h"
#include "tokens/tokens.h"

struct tokens_special {
	uint32_t id;
	const char *text;
};

struct tokens_encoding {
	const char *name;
	bool has_cased_words; /* the pattern: o200k's if set, else cl100k's */
	uint32_t count;       /* ordinary ids are below */
	uint32_t slot_count, pair_count;
	unsigned int bucket_shift, pair_bucket_shift;
	uint32_t memo_tag; /* tells its entries in a memo from those of the other encoding */
	const uint32_t *slots;
	const uint16_t *pilots;
	const struct tables_key *keys; /* [count] */
	const uint8_t *bytes;
	const uint64_t *pairs;
	const uint16_t *pair_pilots;
	const uint32_t *singles;               /* [256] */
	const uint32_t *couples;               /* [256 * 256] */
	const uint64_t *spans;                 /* [TABLES_SPAN_ROWS] */
	const struct tokens_special *specials; /* ends with text NULL */
};

/* Classes of a code point: block = index[c / 256], bits = blocks[block * 256 + c % 256]. */
extern const uint8_t tokens_class_tables[];
extern const uint8_t *const tokens_class_index;
extern const uint8_t *const tokens_class_blocks;

/* The first n bytes of sixteen, as two words in the order of memory. */
extern const uint8_t tokens_first_bytes[TABLES_KEY_BYTES + 1][16];

static inline struct tables_key vocabulary_load(const uint8_t *bytes)
{
	struct tables_key key;

	memcpy(&key, bytes, sizeof(key));
	return key;
}

/* Whether the first `len` bytes are the same; 16 of both may be read, and `len` is at most 15. */
static inline bool vocabulary_is_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	struct tables_key left = vocabulary_load(a), right = vocabulary_load(b);
	struct tables_key mask = vocabulary_load(tokens_first_bytes[len]);

	return (((left.lo ^ right.lo) & mask.lo) | ((left.hi ^ right.hi) & mask.hi)) == 0;
}

/* Where the token with this hash of its bytes is noted, if there is one. */
static inline const uint32_t *vocabulary_slot(const struct tokens_encoding *encoding, uint64_t hash)
{
	uint16_t pilot = encoding->pilots[tables_bucket(hash, encoding->bucket_shift)];

	return &encoding->slots[tables_place(hash, pilot, encoding->slot_count)];
}

/* An ordinary token's bytes; `id` is below encoding->count. */
static inline const uint8_t *vocabulary_bytes(
    const struct tokens_encoding *encoding, uint32_t id, size_t *len)
{
	const struct tables_key *key = &encoding->keys[id];

	*len = tables_key_len(key);
	if (*len != TABLES_LONG)
		return (const uint8_t *)key;
	*len = key->lo & 255;
	return encoding->bytes + (key->lo >> 8);
}

/* The token that two adjacent tokens merge into, or TABLES_NONE. */
static inline uint32_t vocabulary_find_pair(
    const struct tokens_encoding *encoding, uint32_t left, uint32_t right)
{
	uint64_t pair = (uint64_t)left << TABLES_ID_BITS | right;
	uint32_t bucket = tables_bucket(tables_pair_bucket_hash(pair), encoding->pair_bucket_shift);
	uint64_t found = encoding->pairs[tables_place(
	    tables_pair_slot_hash(pair), encoding->pair_pilots[bucket], encoding->pair_count)];
	uint32_t id = (uint32_t)found & TABLES_ID_MASK;

	return found >> TABLES_ID_BITS == pair ? id : TABLES_NONE;
}

/* The token that has these bytes and this hash of them, or TABLES_NONE. */
uint32_t vocabulary_find(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint64_t hash);

#endif
