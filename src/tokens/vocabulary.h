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
	uint32_t key_slots, key_buckets;
	uint32_t pair_slots, pair_buckets;
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

/* The line and the place in it (0 to 2) where a key with this hash would be. */
static inline const struct tables_key_line *vocabulary_key_line(
    const struct tokens_encoding *encoding, uint64_t hash, uint32_t *place)
{
	uint16_t pilot = encoding->key_pilots[tables_bucket(hash, encoding->key_buckets)];
	uint32_t slot = tables_slot(hash, pilot, encoding->key_slots);

	*place = slot % 3;
	return &encoding->keys[slot / 3];
}

/* The token that is this key, or TABLES_NONE. */
static inline uint32_t vocabulary_find_key(
    const struct tokens_encoding *encoding, struct tables_key key, uint64_t hash)
{
	uint32_t place;
	const struct tables_key_line *line = vocabulary_key_line(encoding, hash, &place);

	if (line->key[place].lo != key.lo || line->key[place].hi != key.hi)
		return TABLES_NONE;
	return line->id[place];
}

/* The token that two adjacent tokens merge into, or TABLES_NONE. */
static inline uint32_t vocabulary_find_pair(
    const struct tokens_encoding *encoding, uint32_t left, uint32_t right)
{
	uint64_t hash = tables_hash_pair(left, right);
	uint16_t pilot = encoding->pair_pilots[tables_bucket(hash, encoding->pair_buckets)];
	uint64_t found = encoding->pairs[tables_slot(hash, pilot, encoding->pair_slots)];
	uint64_t wanted = (uint64_t)left << TABLES_ID_BITS | right;

	if (found >> TABLES_ID_BITS != wanted)
		return TABLES_NONE;
	return (uint32_t)found & ((1u << TABLES_ID_BITS) - 1);
}

/* The token of 16 bytes or more that has these bytes, or TABLES_NONE. */
uint32_t vocabulary_find_long(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len);

/* An ordinary token's bytes; `id` is below encoding->count. */
const uint8_t *vocabulary_bytes(const struct tokens_encoding *encoding, uint32_t id, size_t *len);

#endif
