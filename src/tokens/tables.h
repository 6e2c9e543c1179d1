/* SPDX-License-Identifier: MIT */
/*
 * Tables: what the generator writes and the encoder reads, and the hashing
 * that both must agree on.
 *
 * For each encoding there are four tables, all read-only and without a second
 * probe: a pilot per bucket was chosen at build time so that no two entries
 * share a slot (a perfect hash by displacement).  A lookup is: hash, pilot,
 * one cache line, one exact comparison.
 *
 *   keys    pieces of at most 15 bytes that are a token
 *   pairs   (left id, right id) of the last merge of each token
 *   couples two bytes that are a token: indexed directly, first + 256 * second
 *   longs   tokens of 16 bytes and more: open addressing, bytes compared
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

/* A piece of at most 15 bytes: the bytes, zeros, and the length in the last byte. */
struct tables_key {
	uint64_t lo, hi;
};

/* Three keys and their ids fill a cache line. */
struct tables_key_line {
	struct tables_key key[3];
	uint32_t id[3];
	uint32_t unused;
};

/* left << 36 | right << 18 | merged; ids have 18 bits.  All ones: empty. */
#define TABLES_ID_BITS    18
#define TABLES_EMPTY_PAIR UINT64_MAX

struct tables_long {
	uint32_t tag; /* low half of the hash */
	uint32_t id;  /* TABLES_NONE: empty */
	uint32_t offset;
	uint32_t len;
};

/* Where a token's bytes are, by id: a key's number, or this bit and a slot of the longs. */
#define TABLES_IS_LONG 0x80000000u

/* In no text, and in no couple: fills up what must not merge. */
#define TABLES_PADDING 0xFF

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

/* Tables have a power of two of buckets, and pairs a power of two of slots: 64 minus its logarithm. */
static inline uint32_t tables_bucket(uint64_t hash, unsigned int bucket_shift)
{
	return (uint32_t)(hash >> bucket_shift);
}

/* Pilots are odd. */
static inline uint32_t tables_pair_slot(uint64_t hash, uint16_t pilot, unsigned int slot_shift)
{
	return (uint32_t)(hash * pilot >> slot_shift);
}

/* Keys stand three in a line: 3 * line + place. */
static inline uint32_t tables_key_slot(
    uint64_t hash, uint16_t pilot, uint32_t lines, uint32_t *place)
{
	unsigned __int128 spread = (unsigned __int128)(hash * pilot) * lines;

	*place = (uint32_t)((unsigned __int128)(uint64_t)spread * 3 >> 64);
	return (uint32_t)(spread >> 64);
}

#endif
