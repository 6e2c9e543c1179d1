/* SPDX-License-Identifier: MIT */
#include "tokens/memo.h"

#include <stdlib.h>

_Static_assert(sizeof(struct memo_line) == 64, "a memo line is a cache line");

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Where all is full, one piece of so many takes another's place. */
#define GIVES_UP_EVERY 4

struct memo *memo_create(void)
{
	struct memo *memo = malloc(sizeof(*memo));

	if (memo == NULL)
		return NULL;
	memo->memory = calloc(1, MEMO_MEMORY_BYTES);
	if (memo->memory == NULL) {
		free(memo);
		return NULL;
	}
	memo->turn = 0;
	memo->lines =
	    (struct memo_line *)(((uintptr_t)memo->memory + sizeof(struct memo_line) - 1) &
				 ~(uintptr_t)(sizeof(struct memo_line) - 1));
	return memo;
}

void memo_destroy(struct memo *memo)
{
	if (memo == NULL)
		return;
	free(memo->memory);
	free(memo);
}

/* Neither 0, which is an empty unit's, nor a continuation's. */
static uint32_t tag_of(const struct tokens_encoding *encoding, uint64_t hash)
{
	uint32_t low = (uint32_t)hash % (TABLES_MEMO_TAGS - 2);

	return encoding->memo_tag + 1 + low;
}

/* Bit i: unit i has this tag. */
#if defined(__SSE2__)
static inline unsigned int units_tagged(const struct memo_line *line, uint32_t tag)
{
	const __m128i *units = (const __m128i *)(const void *)line->units;
	__m128i wanted = _mm_set1_epi32((int)tag), same[2];

	for (unsigned int i = 0; i < 2; i++) {
		__m128 a = _mm_castsi128_ps(_mm_load_si128(units + 2 * i));
		__m128 b = _mm_castsi128_ps(_mm_load_si128(units + 2 * i + 1));
		__m128i high = _mm_castps_si128(_mm_shuffle_ps(a, b, 0xDD));

		same[i] = _mm_cmpeq_epi32(_mm_srli_epi32(high, MEMO_TAG_SHIFT - 32), wanted);
	}
	return (unsigned int)_mm_movemask_epi8(
	    _mm_packs_epi16(_mm_packs_epi32(same[0], same[1]), _mm_setzero_si128()));
}
#else
static inline unsigned int units_tagged(const struct memo_line *line, uint32_t tag)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < MEMO_UNITS; i++)
		found |= (unsigned int)(line->units[i] >> MEMO_TAG_SHIFT == tag) << i;
	return found;
}
#endif

/* Whether the token is what the piece has at `at`; 0, or its length. */
static inline size_t token_here(const struct tokens_encoding *encoding, uint32_t id,
    const uint8_t *piece, size_t len, size_t at)
{
	size_t token_len;
	const uint8_t *token = vocabulary_bytes(encoding, id, &token_len);

	if (token_len > len - at)
		return 0;
	if (token_len > TABLES_KEY_BYTES)
		return memcmp(token, piece + at, token_len) == 0 ? token_len : 0;
	return vocabulary_is_same(token, piece + at, token_len) ? token_len : 0;
}

/* The entry that starts at a unit, if its tokens are the piece. */
static inline uint32_t read_entry(const struct memo_line *line, unsigned int unit,
    const struct tokens_encoding *encoding, const uint8_t *piece, size_t len, uint32_t *ids)
{
	uint64_t packed = line->units[unit];
	uint32_t count = 0;

	for (size_t at = 0;;) {
		uint32_t id = (uint32_t)packed & TABLES_ID_MASK;
		size_t token_len =
		    id == TABLES_ID_MASK ? 0 : token_here(encoding, id, piece, len, at);

		if (token_len == 0)
			return 0;
		ids[count++] = id;
		at += token_len;
		if (at == len)
			return count;
		packed >>= TABLES_ID_BITS;
		if (count % 3 != 0)
			continue;
		if (++unit == MEMO_UNITS || line->units[unit] >> MEMO_TAG_SHIFT != MEMO_CONTINUED)
			return 0;
		packed = line->units[unit];
	}
}

void memo_prefetch(const struct memo *memo, const struct tokens_encoding *encoding, uint64_t hash)
{
	const struct memo_line *line = memo_line(memo, hash, 0);
	unsigned int found = units_tagged(line, tag_of(encoding, hash));
	uint64_t packed = line->units[found == 0 ? 0 : __builtin_ctz(found)];

	for (int i = 0; i < 3; i++) {
		__builtin_prefetch(&encoding->keys[packed & TABLES_ID_MASK]);
		packed >>= TABLES_ID_BITS;
	}
}

uint32_t memo_find(const struct memo *memo, const struct tokens_encoding *encoding,
    const uint8_t *piece, size_t len, uint64_t hash, uint32_t *ids)
{
	uint32_t tag = tag_of(encoding, hash);

	for (int which = 0; which < 2; which++) {
		const struct memo_line *line = memo_line(memo, hash, which);

		for (unsigned int found = units_tagged(line, tag); found != 0; found &= found - 1) {
			uint32_t count = read_entry(
			    line, (unsigned int)__builtin_ctz(found), encoding, piece, len, ids);

			if (count != 0)
				return count;
		}
	}
	return 0;
}

/* The first place with so many empty units, or MEMO_UNITS. */
static unsigned int room_in(const struct memo_line *line, unsigned int count)
{
	unsigned int free = units_tagged(line, 0);

	for (unsigned int i = 1; i < count; i++)
		free &= free >> 1;
	return (unsigned int)__builtin_ctz(free | 1u << MEMO_UNITS);
}

static bool is_continued(const struct memo_line *line, unsigned int unit)
{
	return line->units[unit] >> MEMO_TAG_SHIFT == MEMO_CONTINUED;
}

/* An entry's start from which so many units can be given up. */
static unsigned int place_to_give_up(
    const struct memo_line *line, unsigned int count, unsigned int turn)
{
	unsigned int place = turn % MEMO_UNITS;

	if (place + count > MEMO_UNITS)
		place = MEMO_UNITS - count;
	while (place > 0 && is_continued(line, place))
		place--;
	return place;
}

static uint64_t pack(const uint32_t *ids, size_t count, uint64_t tag)
{
	uint64_t packed = tag;

	for (size_t i = 3; i-- > 0;)
		packed = packed << TABLES_ID_BITS | (i < count ? ids[i] : TABLES_ID_MASK);
	return packed;
}

void memo_add(struct memo *memo, const struct tokens_encoding *encoding, uint64_t hash,
    const uint32_t *ids, size_t count)
{
	unsigned int units = (unsigned int)(count + 2) / 3, place;
	struct memo_line *line = memo_line(memo, hash, 0);

	if (count > MEMO_TOKENS)
		return;
	place = room_in(line, units);
	if (place == MEMO_UNITS) {
		line = memo_line(memo, hash, 1);
		place = room_in(line, units);
	}
	if (place == MEMO_UNITS) {
		uint32_t turn = memo->turn++;

		if (turn % GIVES_UP_EVERY != 0)
			return;
		turn = turn * 0x9E3779B1u >> 28;
		line = memo_line(memo, hash, turn & 1);
		place = place_to_give_up(line, units, turn >> 1);
	}
	for (unsigned int i = 0; i < units; i++)
		line->units[place + i] = pack(
		    ids + 3 * i, count - 3 * i, i == 0 ? tag_of(encoding, hash) : MEMO_CONTINUED);
	/* What is left of an entry that lost its start must not be taken for this one's. */
	for (place += units; place < MEMO_UNITS && is_continued(line, place); place++)
		line->units[place] = 0;
}
