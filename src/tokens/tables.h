/* SPDX-License-Identifier: MIT */
/*
 * Tables: what the generator writes and the encoder reads, and the hashing
 * that both must agree on.
 *
 * For each encoding there are these tables, all read-only and without a second
 * probe: a pilot per bucket was chosen at build time so that no two entries
 * share a slot (a perfect hash by displacement).  A lookup is: hash, pilot,
 * slot, one exact comparison.
 *
 *   slots   by the hash of a token's bytes: its id, and some bits of the hash
 *   keys    by id: its bytes; frequent tokens have low ids, so these lie together
 *   bytes   of the tokens that are longer than a key
 *   pairs   (left id, right id) of the last merge of each token
 *   couples two bytes that are a token: indexed directly, first + 256 * second
 *
 * Native byte order: the generator runs on the machine it builds for.
 */
#ifndef TOKENS_TABLES_H
#define TOKENS_TABLES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Neither a token nor a slot. */
#define TABLES_NONE UINT32_MAX

#define TABLES_KEY_BYTES 15

/*
 * A piece of at most 15 bytes: the bytes, zeros, and the length in the last
 * byte.  For a longer token TABLES_LONG stands there, and `lo` is where its
 * bytes are: offset << 8 | length.
 */
struct tables_key {
	uint64_t lo, hi;
};

#define TABLES_LONG 255

static inline unsigned int tables_key_len(const struct tables_key *key)
{
	return ((const uint8_t *)key)[TABLES_KEY_BYTES];
}

/* A pair: left << 36 | right << 18 | merged; ids have 18 bits.  All ones: empty. */
#define TABLES_ID_BITS 18
#define TABLES_ID_MASK ((1u << TABLES_ID_BITS) - 1)

/* A slot: the token's id, and above it the low bits of its hash.  Zero when no token stands there. */
static inline uint32_t tables_slot_of(uint64_t hash, uint32_t id)
{
	return (uint32_t)hash << TABLES_ID_BITS | id;
}

/* Tags of each encoding in a memo, which both may share. */
#define TABLES_MEMO_TAGS 512

/* In no text, and in no couple: fills up what must not merge. */
#define TABLES_PADDING 0xFF

/*
 * Spans: between which characters beyond ASCII a token may go on.  A row for
 * the last two bytes of the character behind, a bit for the last byte of the
 * one before.
 */
#define TABLES_SPAN_ROWS 4096

/* Of a character of 2 to 4 bytes. */
static inline size_t tables_span_row(const uint8_t *character, unsigned int width)
{
	return (character[width - 2] & 0x3Fu) << 6 | (character[width - 1] & 0x3Fu);
}

static inline uint64_t tables_span_bit(uint8_t before)
{
	return UINT64_C(1) << (before & 0x3F);
}

/* Classes of a code point, as bits. */
#define CLASS_LETTER  1  /* \p{L} */
#define CLASS_NUMBER  2  /* \p{N} */
#define CLASS_BLANK   4  /* \s */
#define CLASS_UPPER   8  /* Lu Lt Lm Lo M: may start a word in o200k */
#define CLASS_LOWER   16 /* Ll Lm Lo M: may end one */
#define CLASS_NEWLINE 32 /* CR, LF */

/* 256 code points a block; blocks that are equal are stored once. */
#define TABLES_CLASS_BLOCKS (0x110000 / 256)

static inline uint64_t tables_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t tables_hash_key(struct tables_key key)
{
	return tables_mix(key.lo ^ 0x9E3779B97F4A7C15u, key.hi ^ 0xD1B54A32D192ED03u);
}

/*
 * `pair` is left << TABLES_ID_BITS | right.  One product chooses the bucket and
 * an unrelated one the slot: pairs that lie close together under one are far
 * apart under the other.
 */
static inline uint64_t tables_pair_bucket_hash(uint64_t pair)
{
	return pair * 0x9E3779B97F4A7C15u;
}

static inline uint64_t tables_pair_slot_hash(uint64_t pair)
{
	return pair * 0xD1B54A32D192ED03u;
}

static inline uint64_t tables_hash_bytes(const uint8_t *bytes, size_t len)
{
	uint64_t hash = len * 0xD1B54A32D192ED03u;
	uint64_t word;

	for (; len >= 8; bytes += 8, len -= 8) {
		memcpy(&word, bytes, 8);
		hash = tables_mix(hash ^ word, 0x9E3779B97F4A7C15u);
	}
	word = 0;
	memcpy(&word, bytes, len);
	return tables_mix(hash ^ word, 0xD1B54A32D192ED03u);
}

/* Tables have a power of two of buckets: 64 minus its logarithm. */
static inline uint32_t tables_bucket(uint64_t hash, unsigned int bucket_shift)
{
	return (uint32_t)(hash >> bucket_shift);
}

/* Pilots are odd. */
static inline uint32_t tables_place(uint64_t hash, uint16_t pilot, uint32_t slot_count)
{
	return (uint32_t)((unsigned __int128)(hash * pilot) * slot_count >> 64);
}

#endif
