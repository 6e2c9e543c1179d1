/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/float_bits.h"
#include "base/random.h"
#include "cache/half.h"

static bool is_nan_half(uint32_t half)
{
	return (half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0;
}

static void every_half_survives_the_way_there_and_back(void **state)
{
	const struct half *ways[] = {half_portable(), half_best()};

	(void)state;
	for (size_t w = 0; w < 2; w++)
		for (uint32_t bits = 0; bits < 0x10000; bits++) {
			uint16_t half = (uint16_t)bits, back;
			float number;

			if (is_nan_half(bits))
				continue;
			ways[w]->to_float(&number, &half, 1);
			assert_true(ways[w]->from_float(&back, &number, 1));
			assert_int_equal(back, half);
		}
}

/* Blocks of eight take the CPU's instructions; single ones the portable way. */
static void both_ways_give_the_same_floats_for_all_halves(void **state)
{
	static uint16_t halves[0x10000];
	static float fast[0x10000], slow[0x10000];

	(void)state;
	for (uint32_t i = 0; i < 0x10000; i++)
		halves[i] = is_nan_half(i) ? 0 : (uint16_t)i;
	half_best()->to_float(fast, halves, 0x10000);
	half_portable()->to_float(slow, halves, 0x10000);
	assert_memory_equal(fast, slow, sizeof(fast));
}

static void both_ways_agree_on_what_is_lossless(void **state)
{
	const struct half *fast_way = half_best();
	struct random random = {7};
	size_t lossless = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint64_t drawn = random_next(&random);
		/* Mostly few fraction bits and exponents about the borders of what fits. */
		uint32_t exponent = 100 + (uint32_t)(drawn >> 40) % 48;
		uint32_t keep = 0xffffffffu << ((drawn >> 32) % 24);
		uint32_t bits = ((uint32_t)drawn & 0x807fffffu & (keep | 0x80000000u)) | exponent
											     << 23;
		float numbers[9] = {0};
		uint16_t fast[9], slow[9];
		bool is_lossless;

		numbers[round % 9] = float_of_bits(bits);
		is_lossless = half_portable()->from_float(slow, numbers, 9);
		assert_int_equal(is_lossless, fast_way->from_float(fast, numbers, 9));
		if (is_lossless)
			assert_memory_equal(fast, slow, sizeof(fast));
		lossless += is_lossless;
	}
	assert_in_range(lossless, 20000, 180000);
}

static void one_lossy_number_anywhere_is_found(void **state)
{
	float numbers[19];
	uint16_t halves[19];

	(void)state;
	for (size_t at = 0; at < 19; at++) {
		for (size_t i = 0; i < 19; i++)
			numbers[i] = 0.5f;
		assert_true(half_best()->from_float(halves, numbers, 19));
		numbers[at] = 0.1f;
		assert_false(half_best()->from_float(halves, numbers, 19));
		assert_false(half_portable()->from_float(halves, numbers, 19));
	}
}

static void the_sign_of_zero_is_kept_and_overflow_is_not_infinity(void **state)
{
	uint16_t half;
	float number = -0.0f;

	(void)state;
	assert_true(half_best()->from_float(&half, &number, 1));
	assert_int_equal(half, 0x8000);
	half_best()->to_float(&number, &half, 1);
	assert_int_equal(float_bits(number), 0x80000000u);
	number = 65536.0f;
	assert_false(half_best()->from_float(&half, &number, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_half_survives_the_way_there_and_back),
	    cmocka_unit_test(both_ways_give_the_same_floats_for_all_halves),
	    cmocka_unit_test(both_ways_agree_on_what_is_lossless),
	    cmocka_unit_test(one_lossy_number_anywhere_is_found),
	    cmocka_unit_test(the_sign_of_zero_is_kept_and_overflow_is_not_infinity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
