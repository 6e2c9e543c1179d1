/* SPDX-License-Identifier: MIT */
#include "wire/utf8.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * The method of J. Keiser and D. Lemire ("Validating UTF-8 In Less Than One
 * Instruction Per Byte", 2021): three 16-entry tables, looked up by the halves
 * of a byte and the upper half of the next, each entry a set of faults that
 * such bytes may still be part of.  A fault that all three name is one.
 */
#define TOO_SHORT      0x01 /* a lead or ASCII byte where a continuation is due */
#define TOO_LONG       0x02 /* a continuation after ASCII */
#define OVERLONG_3     0x04
#define TOO_LARGE      0x08 /* above U+10FFFF, second byte 9x or more */
#define SURROGATE      0x10
#define OVERLONG_2     0x20
#define TOO_LARGE_1000 0x40 /* F5 and more, second byte 8x */
#define OVERLONG_4     0x40
#define TWO_CONTS      0x80 /* fine when the bytes before want it, which is checked apart */
#define CARRY          (TOO_SHORT | TOO_LONG | TWO_CONTS)
#define LARGE          (CARRY | TOO_LARGE | TOO_LARGE_1000)
#define CONT           (TOO_LONG | OVERLONG_2 | TWO_CONTS)

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define BYTE(bits) ((char)(bits))

/* What one block leaves to the next. */
struct utf8_state {
	__m256i before;     /* the block before */
	__m256i incomplete; /* not 0: it ends within a character */
	__m256i faults;
};

/* The bytes `n` places earlier. */
#define EARLIER(block, before, n)                                                                  \
	_mm256_alignr_epi8(block, _mm256_permute2x128_si256(before, block, 0x21), 16 - (n))

__attribute__((target("avx2"))) static __m256i pair_faults(__m256i block, __m256i earlier)
{
	const __m256i by_first_high = TWICE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
	    TOO_LONG, TOO_LONG, TOO_LONG, BYTE(TWO_CONTS), BYTE(TWO_CONTS), BYTE(TWO_CONTS),
	    BYTE(TWO_CONTS), TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
	    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
	const __m256i by_first_low = TWICE(BYTE(CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4),
	    BYTE(CARRY | OVERLONG_2), BYTE(CARRY), BYTE(CARRY), BYTE(CARRY | TOO_LARGE),
	    BYTE(LARGE), BYTE(LARGE), BYTE(LARGE), BYTE(LARGE), BYTE(LARGE), BYTE(LARGE),
	    BYTE(LARGE), BYTE(LARGE), BYTE(LARGE | SURROGATE), BYTE(LARGE), BYTE(LARGE));
	const __m256i by_second_high = TWICE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
	    TOO_SHORT, TOO_SHORT, TOO_SHORT, BYTE(CONT | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4),
	    BYTE(CONT | OVERLONG_3 | TOO_LARGE), BYTE(CONT | SURROGATE | TOO_LARGE),
	    BYTE(CONT | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
	const __m256i low_half = _mm256_set1_epi8(0x0f);
	__m256i first_high = _mm256_and_si256(_mm256_srli_epi16(earlier, 4), low_half);
	__m256i first_low = _mm256_and_si256(earlier, low_half);
	__m256i second_high = _mm256_and_si256(_mm256_srli_epi16(block, 4), low_half);

	return _mm256_and_si256(_mm256_shuffle_epi8(by_first_high, first_high),
	    _mm256_and_si256(_mm256_shuffle_epi8(by_first_low, first_low),
		_mm256_shuffle_epi8(by_second_high, second_high)));
}

__attribute__((target("avx2"))) static void check_block(struct utf8_state *state, __m256i block)
{
	/* The last three bytes may not be leads that want more than there is. */
	const __m256i most_at_end =
	    _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, BYTE(0xef), BYTE(0xdf), BYTE(0xbf));
	__m256i pairs, third, fourth, wanted;

	if (_mm256_movemask_epi8(block) == 0) {
		state->faults = _mm256_or_si256(state->faults, state->incomplete);
		state->incomplete = _mm256_setzero_si256();
		state->before = block;
		return;
	}
	pairs = pair_faults(block, EARLIER(block, state->before, 1));
	/* A third or fourth byte of a character must be a continuation, and no other may be one. */
	third = _mm256_subs_epu8(EARLIER(block, state->before, 2), _mm256_set1_epi8(BYTE(0xdf)));
	fourth = _mm256_subs_epu8(EARLIER(block, state->before, 3), _mm256_set1_epi8(BYTE(0xef)));
	wanted = _mm256_cmpgt_epi8(_mm256_or_si256(third, fourth), _mm256_setzero_si256());
	wanted = _mm256_and_si256(wanted, _mm256_set1_epi8(BYTE(0x80)));
	state->faults = _mm256_or_si256(state->faults, _mm256_xor_si256(wanted, pairs));
	state->incomplete = _mm256_subs_epu8(block, most_at_end);
	state->before = block;
}

__attribute__((target("avx2"))) static bool is_well_formed_avx2(const char *text, size_t len)
{
	struct utf8_state state = {0};
	char last[32];
	size_t at = 0;

	for (; len - at >= 32; at += 32)
		check_block(&state, _mm256_loadu_si256((const __m256i *)(const void *)(text + at)));
	/* The rest, and at least one blank, which shows a cut character. */
	memset(last, ' ', sizeof(last));
	memcpy(last, text + at, len - at);
	check_block(&state, _mm256_loadu_si256((const __m256i *)(const void *)last));
	state.faults = _mm256_or_si256(state.faults, state.incomplete);
	return _mm256_testz_si256(state.faults, state.faults) != 0;
}

bool utf8_is_surely_well_formed(const char *text, size_t len)
{
	return __builtin_cpu_supports("avx2") && is_well_formed_avx2(text, len);
}

#else

bool utf8_is_surely_well_formed(const char *text, size_t len)
{
	(void)text;
	(void)len;
	return false;
}

#endif
