/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <math.h>

#include "base/random.h"
#include "cache/record.h"

#define DIMENSIONS 1536

static uint8_t bytes[RECORD_BYTES_MAX];
static float numbers[CACHE_DIMENSIONS_MAX];
static float back[CACHE_DIMENSIONS_MAX];

static const struct digest some_key = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};

static struct cache_put put_of(uint32_t dimensions)
{
	return (struct cache_put){.key = some_key,
	    .numbers = numbers,
	    .dimensions = dimensions,
	    .tokens = 77,
	    .created_s = 1700000000};
}

/* Multiples of 2^-11 below 1 are halves. */
static void fill_with_halves(uint32_t seed)
{
	struct random random = {seed};

	for (size_t i = 0; i < CACHE_DIMENSIONS_MAX; i++)
		numbers[i] = ((float)random_below(&random, 2047) - 1023.0f) / 2048.0f;
}

static void halves_take_half_the_room_and_lose_nothing(void **state)
{
	struct cache_put put = put_of(DIMENSIONS);
	struct record_head head;
	size_t len;

	(void)state;
	fill_with_halves(1);
	len = record_encode(bytes, half_best(), &put);
	assert_int_equal(len, 32 + 2 * DIMENSIONS);
	assert_true(record_decode(&head, &some_key, bytes, len));
	assert_int_equal(head.numbers, RECORD_HALVES);
	assert_int_equal(head.dimensions, DIMENSIONS);
	assert_int_equal(head.tokens, 77);
	assert_int_equal(head.created_s, 1700000000);
	record_copy(back, half_best(), &head, bytes, DIMENSIONS);
	assert_memory_equal(back, numbers, DIMENSIONS * sizeof(float));
}

static void one_number_that_is_no_half_keeps_all_as_floats(void **state)
{
	struct cache_put put = put_of(DIMENSIONS);
	struct record_head head;
	size_t len;

	(void)state;
	fill_with_halves(2);
	numbers[DIMENSIONS - 1] = 0.1f;
	len = record_encode(bytes, half_best(), &put);
	assert_int_equal(len, 32 + 4 * DIMENSIONS);
	assert_true(record_decode(&head, &some_key, bytes, len));
	assert_int_equal(head.numbers, RECORD_FLOATS);
	record_copy(back, half_best(), &head, bytes, DIMENSIONS);
	assert_memory_equal(back, numbers, DIMENSIONS * sizeof(float));
}

static void the_largest_record_fits_its_maximum(void **state)
{
	struct cache_put put = put_of(CACHE_DIMENSIONS_MAX);
	struct record_head head;

	(void)state;
	fill_with_halves(3);
	numbers[0] = 0.1f;
	assert_int_equal(record_encode(bytes, half_best(), &put), RECORD_BYTES_MAX);
	assert_true(record_decode(&head, &some_key, bytes, RECORD_BYTES_MAX));
}

static void every_flipped_bit_is_found(void **state)
{
	struct cache_put put = put_of(64);
	struct record_head head;
	size_t len;

	(void)state;
	fill_with_halves(4);
	len = record_encode(bytes, half_best(), &put);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(record_decode(&head, &some_key, bytes, len));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(record_decode(&head, &some_key, bytes, len));
}

static void a_record_cut_or_padded_anywhere_is_bad(void **state)
{
	struct cache_put put = put_of(64);
	struct record_head head;
	size_t len;

	(void)state;
	fill_with_halves(5);
	len = record_encode(bytes, half_best(), &put);
	for (size_t cut = 0; cut < len; cut++)
		assert_false(record_decode(&head, &some_key, bytes, cut));
	assert_false(record_decode(&head, &some_key, bytes, len + 1));
}

static void a_record_under_another_key_is_bad(void **state)
{
	struct cache_put put = put_of(64);
	struct digest other = some_key;
	struct record_head head;
	size_t len;

	(void)state;
	fill_with_halves(6);
	len = record_encode(bytes, half_best(), &put);
	other.bytes[0] ^= 1;
	assert_false(record_decode(&head, &other, bytes, len));
}

static void numbers_that_are_not_a_vector_are_told(void **state)
{
	float few[5] = {0, 0.5f, 0, 0, 0};

	(void)state;
	assert_true(record_numbers_are_sound(few, 5));
	few[4] = NAN;
	assert_false(record_numbers_are_sound(few, 5));
	few[4] = INFINITY;
	assert_false(record_numbers_are_sound(few, 5));
	few[4] = -0.0f;
	assert_true(record_numbers_are_sound(few, 5));
	few[1] = 0;
	assert_false(record_numbers_are_sound(few, 5));
}

static void a_cut_vector_has_length_one_again(void **state)
{
	float few[4] = {3, 0, 4, 0};
	float none[2] = {0, 0};

	(void)state;
	assert_true(record_renormalise(few, 4));
	assert_true(few[0] == 0.6f && few[2] == 0.8f && few[1] == 0 && few[3] == 0);
	assert_false(record_renormalise(none, 2));
}

static void age_counts_only_with_a_time_to_live(void **state)
{
	(void)state;
	assert_false(record_is_expired(0, INT64_MAX, 0));
	assert_false(record_is_expired(100, 110, 10));
	assert_true(record_is_expired(100, 111, 10));
	assert_false(record_is_expired(200, 100, 10));
	assert_true(record_is_expired(INT64_MIN, INT64_MAX, UINT64_MAX - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(halves_take_half_the_room_and_lose_nothing),
	    cmocka_unit_test(one_number_that_is_no_half_keeps_all_as_floats),
	    cmocka_unit_test(the_largest_record_fits_its_maximum),
	    cmocka_unit_test(every_flipped_bit_is_found),
	    cmocka_unit_test(a_record_cut_or_padded_anywhere_is_bad),
	    cmocka_unit_test(a_record_under_another_key_is_bad),
	    cmocka_unit_test(numbers_that_are_not_a_vector_are_told),
	    cmocka_unit_test(a_cut_vector_has_length_one_again),
	    cmocka_unit_test(age_counts_only_with_a_time_to_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
