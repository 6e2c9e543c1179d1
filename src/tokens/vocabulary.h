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
	uint32_t key_lines;
	unsigned int key_bucket_shift, pair_bucket_shift, pair_slot_shift;
	uint32_t long_mask;
	uint32_t longest; /* bytes of the longest token */
	const struct tables_key_line *keys;
	const uint16_t *key_pilots;
	const uint64_t *pairs;
	const uint16_t *pair_pilots;
	const uint32_t *singles; /* [256] */
	const uint32_t *couples; /* [256 * 256] */
	const struct tables_long *longs;
	const uint8_t *long_bytes;
	const uint32_t *places;                /* [count] */
	const struct tokens_special *specials; /* ends with text NULL */
};

/* Classes of a code point: block = index[c / 256], bits = blocks[block * 256 + c % 256]. */
extern const uint8_t tokens_class_tables[];
extern const uint8_t *const tokens_class_index;
extern const uint8_t *const tokens_class_blocks;

/* Where a key with this hash is, if it is a token at all. */
static inline const struct tables_key *vocabulary_key_slot(
    const struct tokens_encoding *encoding, uint64_t hash)
{
	uint16_t pilot = encoding->key_pilots[tables_bucket(hash, encoding->key_bucket_shift)];
	uint32_t place, line = tables_key_slot(hash, pilot, encoding->key_lines, &place);

	return &encoding->keys[line].key[place];
}

/* The id that stands in the same line as the slot. */
static inline uint32_t vocabulary_id_of_slot(const struct tables_key *slot)
{
	uintptr_t line = (uintptr_t)slot & ~(uintptr_t)63;

	return ((const struct tables_key_line *)line)->id[((uintptr_t)slot & 63) / 16];
}

/* The token that two adjacent tokens merge into, or TABLES_NONE. */
static inline uint32_t vocabulary_find_pair(
    const struct tokens_encoding *encoding, uint32_t left, uint32_t right)
{
	uint64_t pair = (uint64_t)left << TABLES_ID_BITS | right;
	uint32_t bucket = tables_bucket(tables_pair_bucket_hash(pair), encoding->pair_bucket_shift);
	uint64_t found = encoding->pairs[tables_pair_slot(
	    tables_pair_slot_hash(pair), encoding->pair_pilots[bucket], encoding->pair_slot_shift)];
	uint32_t id = (uint32_t)found & ((1u << TABLES_ID_BITS) - 1);

	return found >> TABLES_ID_BITS == pair ? id : TABLES_NONE;
}

/* The token of 16 bytes or more that has these bytes and this hash of them, or TABLES_NONE. */
uint32_t vocabulary_find_long(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint64_t hash);

/* An ordinary token's bytes; `id` is below encoding->count. */
const uint8_t *vocabulary_bytes(const struct tokens_encoding *encoding, uint32_t id, size_t *len);

#endif
