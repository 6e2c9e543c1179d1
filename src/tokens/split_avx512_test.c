/* SPDX-License-Identifier: MIT */
/*
 * The AVX-512 path on any machine: its source compiled with each instruction it
 * uses written out in C, so that its algebra is held to the scalar path where
 * no processor has them.  tokens.split runs the instructions themselves where
 * one does.
 */
#include "base/test.h"

#include "tokens/split_texts.h"
#include "tokens/vocabulary.h"

/* ---- The instructions, one byte after the other ------------------------ */

struct vector {
	uint8_t byte[64];
};

static inline struct vector vector_load(const void *at)
{
	struct vector all;

	memcpy(all.byte, at, sizeof(all.byte));
	return all;
}

static inline struct vector vector_set1(char byte)
{
	struct vector all;

	memset(all.byte, (uint8_t)byte, sizeof(all.byte));
	return all;
}

static inline struct vector vector_or(struct vector a, struct vector b)
{
	for (int i = 0; i < 64; i++)
		a.byte[i] |= b.byte[i];
	return a;
}

static inline struct vector vector_sub(struct vector a, struct vector b)
{
	for (int i = 0; i < 64; i++)
		a.byte[i] = (uint8_t)(a.byte[i] - b.byte[i]);
	return a;
}

static inline uint64_t vector_less(struct vector a, struct vector b)
{
	uint64_t mask = 0;

	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)(a.byte[i] < b.byte[i]) << i;
	return mask;
}

static inline uint64_t vector_equal(struct vector a, struct vector b)
{
	uint64_t mask = 0;

	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)(a.byte[i] == b.byte[i]) << i;
	return mask;
}

static inline uint64_t vector_in_common(struct vector a, struct vector b)
{
	uint64_t mask = 0;

	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)((a.byte[i] & b.byte[i]) != 0) << i;
	return mask;
}

static inline uint64_t vector_top_bits(struct vector a)
{
	uint64_t mask = 0;

	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)(a.byte[i] >> 7) << i;
	return mask;
}

#define SPLIT_AVX512_EMULATED
#define TARGET
#define __m512i                struct vector
#define _mm512_loadu_si512     vector_load
#define _mm512_set1_epi8       vector_set1
#define _mm512_or_si512        vector_or
#define _mm512_sub_epi8        vector_sub
#define _mm512_cmplt_epu8_mask vector_less
#define _mm512_cmpeq_epi8_mask vector_equal
#define _mm512_test_epi8_mask  vector_in_common
#define _mm512_movepi8_mask    vector_top_bits
#define split_avx512           split_avx512_emulated
split_fn split_avx512_emulated;
#include "tokens/split_avx512.c"

/* ---- Tests -------------------------------------------------------------- */

static void cuts_with_the_instructions_of_avx512_written_out_as_without_them(void **state)
{
	struct random random = {9};
	char text[TEXT_BYTES];
	size_t expected[TEXT_BYTES + SPLIT_SLACK], ends[TEXT_BYTES + SPLIT_SLACK];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		bool is_ill_expected = false, is_ill = false;
		struct split_text whole = {
		    tokens_encoding_find(round % 2 == 0 ? "cl100k_base" : "o200k_base"),
		    (const uint8_t *)text, random_text(&random, text), round % 4 < 2};
		size_t count = split_scalar(&whole, 0, expected, TEXT_BYTES, &is_ill_expected);

		assert_int_equal(
		    split_avx512_emulated(&whole, 0, ends, TEXT_BYTES, &is_ill), count);
		assert_memory_equal(ends, expected, count * sizeof(*ends));
		assert_int_equal(is_ill, is_ill_expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cuts_with_the_instructions_of_avx512_written_out_as_without_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
