/* SPDX-License-Identifier: MIT */
#include "tokens/split_block.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

struct half {
	uint32_t letter, upper, digit, blank, newline, space, apostrophe, slash, high, continuation;
};

/* Bytes in [low, low + count), all ASCII or all not mattering. */
TARGET static inline __m256i in_range(__m256i bytes, char low, char count)
{
	/* Moved so that the range starts at the smallest signed number. */
	__m256i moved = _mm256_add_epi8(bytes, _mm256_set1_epi8((char)(-128 - low)));

	return _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(-128 + count)), moved);
}

TARGET static inline uint32_t equal(__m256i bytes, char byte)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte)));
}

TARGET static inline __attribute__((always_inline)) struct half classify_half(const uint8_t *at)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
	__m256i lower = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
	struct half half;

	half.high = (uint32_t)_mm256_movemask_epi8(bytes);
	half.continuation = (uint32_t)_mm256_movemask_epi8(in_range(bytes, (char)0x80, 64));
	half.letter = (uint32_t)_mm256_movemask_epi8(in_range(lower, 'a', 26));
	half.upper = (uint32_t)_mm256_movemask_epi8(in_range(bytes, 'A', 26));
	half.digit = (uint32_t)_mm256_movemask_epi8(in_range(bytes, '0', 10));
	half.space = equal(bytes, ' ');
	half.blank = (uint32_t)_mm256_movemask_epi8(in_range(bytes, '\t', 5)) | half.space;
	half.newline = equal(bytes, '\n') | equal(bytes, '\r');
	half.apostrophe = equal(bytes, '\'');
	half.slash = equal(bytes, '/');
	return half;
}

TARGET static inline __attribute__((always_inline)) void classify(
    const uint8_t *at, struct block_masks *masks)
{
	struct half low = classify_half(at), high = classify_half(at + 32);

#define JOIN(mask) masks->mask = low.mask | (uint64_t)high.mask << 32
	JOIN(letter);
	JOIN(upper);
	JOIN(digit);
	JOIN(blank);
	JOIN(newline);
	JOIN(space);
	JOIN(apostrophe);
	JOIN(slash);
	JOIN(high);
	JOIN(continuation);
#undef JOIN
}

/* Bytes, of 64, that have this bit. */
TARGET static inline __attribute__((always_inline)) uint64_t class_mask(
    const uint8_t *classes, unsigned int bit)
{
	int shift = __builtin_clz(bit) - 24;
	__m256i low = _mm256_load_si256((const __m256i *)(const void *)classes);
	__m256i high = _mm256_load_si256((const __m256i *)(const void *)(classes + 32));

	return (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(low, shift)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(high, shift)) << 32;
}

TARGET size_t split_avx2(
    const struct split_text *text, size_t at, size_t *ends, size_t cap, bool *is_ill_formed)
{
	if (text->encoding->has_cased_words)
		SPLIT_BY_BLOCKS(classify, class_mask, true);
	SPLIT_BY_BLOCKS(classify, class_mask, false);
}

#endif
