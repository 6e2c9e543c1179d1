/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "ledger/ledger.h"

static void shares_follow_the_weights(void **state)
{
	const uint64_t weights[] = {1, 2, 3, 4};
	uint64_t out[4];

	(void)state;
	ledger_split(1000, weights, 4, out);
	assert_int_equal(out[0], 100);
	assert_int_equal(out[1], 200);
	assert_int_equal(out[2], 300);
	assert_int_equal(out[3], 400);
}

static void what_is_left_goes_to_the_largest_remainders(void **state)
{
	const uint64_t weights[] = {47, 16, 158, 12, 5, 7};
	uint64_t out[6];

	/* 10 seats: quotas 1.92 0.65 6.45 0.49 0.20 0.29. */
	(void)state;
	ledger_split(10, weights, 6, out);
	assert_int_equal(out[0], 2);
	assert_int_equal(out[1], 1);
	assert_int_equal(out[2], 6);
	assert_int_equal(out[3], 1);
	assert_int_equal(out[4], 0);
	assert_int_equal(out[5], 0);
}

static void ties_go_to_the_lower_index(void **state)
{
	const uint64_t weights[] = {1, 1, 1};
	uint64_t out[3];

	(void)state;
	ledger_split(2, weights, 3, out);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[1], 1);
	assert_int_equal(out[2], 0);
}

static void without_weights_the_first_gets_all(void **state)
{
	const uint64_t weights[] = {0, 0};
	uint64_t out[2];

	(void)state;
	ledger_split(7, weights, 2, out);
	assert_int_equal(out[0], 7);
	assert_int_equal(out[1], 0);
}

static void shares_always_add_up_and_are_within_one_of_fair(void **state)
{
	struct random random = {3};
	uint64_t weights[64], out[64];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t count = 1 + random_below(&random, 64);
		uint64_t total = random_next(&random) >> random_below(&random, 64);
		uint64_t sum = 0, given = 0;

		for (size_t i = 0; i < count; i++) {
			weights[i] = random_next(&random) >> (8 + random_below(&random, 56));
			sum += weights[i];
		}
		ledger_split(total, weights, count, out);
		for (size_t i = 0; i < count; i++) {
			given += out[i];
			if (sum > 0) {
				uint64_t fair =
				    (uint64_t)((unsigned __int128)total * weights[i] / sum);

				assert_in_range(out[i] - fair, 0, 1);
				assert_true(weights[i] > 0 || out[i] == 0);
			}
		}
		assert_int_equal(given, total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shares_follow_the_weights),
	    cmocka_unit_test(what_is_left_goes_to_the_largest_remainders),
	    cmocka_unit_test(ties_go_to_the_lower_index),
	    cmocka_unit_test(without_weights_the_first_gets_all),
	    cmocka_unit_test(shares_always_add_up_and_are_within_one_of_fair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
