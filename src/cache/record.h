/* SPDX-License-Identifier: MIT */
/*
 * Record: one vector as it lies in the store and in exported files.
 *
 *	 0  u64  checksum: XXH3 of everything behind it, xor the key's first 8 bytes
 *	 8  u8   version, 1
 *	 9  u8   number type: 1 halves, 2 floats
 *	10  u16  0
 *	12  u32  dimensions
 *	16  u32  tokens of the text
 *	20  u32  0
 *	24  i64  created, seconds since 1970
 *	32  numbers
 *
 * All little-endian.  The key in the checksum makes a record that lies under
 * another's key (a damaged page can do that) as bad as one with a flipped bit.
 *
 * 1,536 halves make 3,104 bytes, which with LMDB's page header take one page
 * of 4 KB; as floats they take two.
 *
 * Threads: any; nothing is shared.
 */
#ifndef CACHE_RECORD_H
#define CACHE_RECORD_H

#include <embed.h>

#include "cache/cache.h"
#include "cache/half.h"

#define RECORD_HEAD_BYTES 32u
#define RECORD_BYTES_MAX  (RECORD_HEAD_BYTES + 4u * CACHE_DIMENSIONS_MAX)

enum record_numbers {
	RECORD_HALVES = 1,
	RECORD_FLOATS = 2,
};

struct record_head {
	enum record_numbers numbers;
	uint32_t dimensions;
	uint32_t tokens;
	int64_t created_s;
};

/* Every number is finite and at least one is not 0. */
bool record_numbers_are_sound(const float *numbers, size_t count);

/*
 * Writes the record of `put` (numbers sound, dimensions in range) to `out`,
 * which has room for RECORD_BYTES_MAX bytes.  Returns its length.
 */
size_t record_encode(uint8_t *out, const struct half *half, const struct cache_put *put);

/*
 * False when the bytes are not a whole, undamaged record of `key`.  Does not
 * look at the single numbers: the checksum says that they are what was put.
 */
bool record_decode(
    struct record_head *head, const struct digest *key, const uint8_t *bytes, size_t len);

/* The first `count` numbers of a decoded record. */
void record_copy(float *out, const struct half *half, const struct record_head *head,
    const uint8_t *bytes, size_t count);

/* Scales to length 1, as upstream does after a cut; false when the length is 0. */
bool record_renormalise(float *numbers, size_t count);

/* True when `created_s` lies more than `ttl_s` (not 0) before `now_s`. */
bool record_is_expired(int64_t created_s, int64_t now_s, uint64_t ttl_s);

#endif
