/* SPDX-License-Identifier: MIT */
#include "tokens/split_block.h"

#if defined(__x86_64__) || defined(SPLIT_AVX512_EMULATED)

/* A test defines what comes from here in its own way. */
#ifndef SPLIT_AVX512_EMULATED
#include <immintrin.h>
#define TARGET __attribute__((target("avx512f,avx512bw,bmi,bmi2,lzcnt,popcnt")))
#endif

TARGET static inline uint64_t in_range(__m512i bytes, char low, char count)
{
	return _mm512_cmplt_epu8_mask(
	    _mm512_sub_epi8(bytes, _mm512_set1_epi8(low)), _mm512_set1_epi8(count));
}

TARGET static inline uint64_t equal(__m512i bytes, char byte)
{
	return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte));
}

TARGET static inline __attribute__((always_inline)) void classify(
    const uint8_t *at, struct block_masks *masks)
{
	__m512i bytes = _mm512_loadu_si512(at);
	__m512i lower = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));

	masks->high = _mm512_movepi8_mask(bytes);
	masks->continuation = in_range(bytes, (char)0x80, 64);
	masks->letter = in_range(lower, 'a', 26);
	masks->upper = in_range(bytes, 'A', 26);
	masks->digit = in_range(bytes, '0', 10);
	masks->space = equal(bytes, ' ');
	masks->blank = in_range(bytes, '\t', 5) | masks->space;
	masks->newline = equal(bytes, '\n') | equal(bytes, '\r');
	masks->apostrophe = equal(bytes, '\'');
	masks->slash = equal(bytes, '/');
}

/* Bytes, of 64, that have this bit. */
TARGET static inline __attribute__((always_inline)) uint64_t class_mask(
    const uint8_t *classes, unsigned int bit)
{
	return _mm512_test_epi8_mask(_mm512_loadu_si512(classes), _mm512_set1_epi8((char)bit));
}

TARGET size_t split_avx512(
    const struct split_text *text, size_t at, size_t *ends, size_t cap, bool *is_ill_formed)
{
	if (text->encoding->has_cased_words)
		SPLIT_BY_BLOCKS(classify, class_mask, true);
	SPLIT_BY_BLOCKS(classify, class_mask, false);
}

#endif
