/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <math.h>

#include "engine/limiter.h"

#define SECOND INT64_C(1000000)

/* Takes permits at time 0 and is told at once, by the answer, of the account's limit and what is left of it. */
static void take_and_learn(struct limiter *limiter, double cost, int64_t limit, int64_t left)
{
	struct limiter_charge charge = limiter_take(limiter, cost, 0);

	limiter_end(limiter, &charge);
	limiter_correct(limiter, &charge, limit, left, true, 0);
}

static void starts_full_and_keeps_a_twentieth_back(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	assert_true(limiter_burst(&limiter) == 57000);
	assert_int_equal(limiter_wait_us(&limiter, 57000, 0), 0);
}

static void a_set_limit_starts_with_what_an_earlier_life_left(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	limiter_spend(&limiter, 50000);
	assert_true(limiter_available(&limiter, 0) == 7000);
	limiter_spend(&limiter, 50000);
	assert_true(limiter_available(&limiter, 0) == 0);
	assert_true(limiter_available(&limiter, SECOND) == 1000);
}

static void a_limit_to_be_learnt_is_corrected_by_the_first_answer_instead(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 0, 40000, 0);
	limiter_spend(&limiter, 50000);
	assert_int_equal(limiter_wait_us(&limiter, 40000, 0), 0);
}

static void refills_continuously_a_sixtieth_each_second(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	limiter_take(&limiter, 57000, 0);
	assert_true(limiter_available(&limiter, SECOND / 2) == 500);
	assert_in_range(limiter_wait_us(&limiter, 1500, SECOND / 2), SECOND, SECOND + 2);
}

static void never_holds_more_than_its_burst(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 600, 0, 0);
	assert_true(limiter_available(&limiter, 3600 * SECOND) == 570);
}

static void over_a_long_time_no_more_than_the_limit_goes_out(void **state)
{
	struct limiter limiter;
	double sent = 0;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	for (int64_t now_us = 0; now_us < 600 * SECOND; now_us += SECOND / 10) {
		while (limiter_wait_us(&limiter, 700, now_us) == 0) {
			limiter_take(&limiter, 700, now_us);
			sent += 700;
		}
	}
	assert_true(sent <= 57000 + 600 * 1000);
	assert_true(sent > 600 * 1000);
}

static void an_unknown_limit_lets_little_under_way(void **state)
{
	struct limiter limiter;
	struct limiter_charge charge;

	(void)state;
	limiter_init(&limiter, 0, 40000, 0);
	assert_int_equal(limiter_wait_us(&limiter, 90000, 0), 0);
	charge = limiter_take(&limiter, 30000, 0);
	assert_int_equal(limiter_wait_us(&limiter, 10000, 0), 0);
	assert_int_equal(limiter_wait_us(&limiter, 10001, 0), INT64_MAX);
	limiter_end(&limiter, &charge);
	assert_int_equal(limiter_wait_us(&limiter, 10001, 0), 0);
}

static void an_answer_without_limits_means_there_are_none(void **state)
{
	struct limiter limiter;
	struct limiter_charge charge;

	(void)state;
	limiter_init(&limiter, 0, 40000, 0);
	charge = limiter_take(&limiter, 30000, 0);
	limiter_end(&limiter, &charge);
	limiter_correct(&limiter, &charge, -1, -1, false, 0);
	assert_int_equal(limiter.knowledge, LIMITER_UNKNOWN_YET);
	limiter_correct(&limiter, &charge, -1, -1, true, 0);
	assert_true(isinf(limiter_available(&limiter, 0)));
}

static void a_limit_is_learnt_with_what_is_left_of_it(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 0, 40000, 0);
	take_and_learn(&limiter, 30000, 1000000, 970000);
	assert_int_equal(limiter.knowledge, LIMITER_LEARNT);
	assert_true(limiter_available(&limiter, 0) == 920000);
}

static void what_went_out_since_the_answer_was_made_is_taken_off(void **state)
{
	struct limiter limiter;
	struct limiter_charge first;

	(void)state;
	limiter_init(&limiter, 0, 40000, 0);
	first = limiter_take(&limiter, 10000, 0);
	limiter_take(&limiter, 7000, 0);
	limiter_end(&limiter, &first);
	limiter_correct(&limiter, &first, 1000000, 990000, true, 0);
	assert_true(limiter_available(&limiter, 0) == 990000 - 50000 - 7000);
}

static void somebody_elses_use_takes_permits_away(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	take_and_learn(&limiter, 1000, 60000, 10000);
	assert_true(limiter_available(&limiter, 0) == 7000);
}

static void a_set_limit_is_not_raised_by_an_answer(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	take_and_learn(&limiter, 57000, 1000000, 900000);
	assert_true(limiter.limit == 60000);
	assert_true(limiter_available(&limiter, 0) == 0);
}

static void a_set_limit_is_lowered_to_what_the_account_has(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 1000000, 0, 0);
	take_and_learn(&limiter, 1000, 40000, 39000);
	assert_true(limiter_burst(&limiter) == 38000);
}

static void drained_it_starts_from_nothing(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	limiter_drain(&limiter, 0);
	assert_true(limiter_available(&limiter, 0) == 0);
	assert_true(limiter_available(&limiter, SECOND) == 1000);
}

static void another_limit_gives_no_permit_twice(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 0, 0);
	limiter_take(&limiter, 50000, 0);
	limiter_set(&limiter, 120000, 0);
	assert_true(limiter_available(&limiter, 0) == 7000);
	assert_true(limiter_available(&limiter, SECOND) == 9000);
	limiter_set(&limiter, 600, SECOND);
	assert_true(limiter_available(&limiter, SECOND) == 570);
}

static void a_limit_that_was_taken_away_is_learnt_again(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 60000, 8, 0);
	limiter_set(&limiter, 0, 0);
	assert_true(limiter_available(&limiter, 0) == 8);
	take_and_learn(&limiter, 1000, 40000, 30000);
	assert_true(limiter.limit == 40000);
}

static void a_limit_that_comes_late_counts_what_is_under_way(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 0, 8, 0);
	limiter_take(&limiter, 7, 0);
	limiter_set(&limiter, 60, 0);
	assert_true(limiter_available(&limiter, 0) == 50);
}

/* The slack of a huge limit would be ages of a small one. */
static void a_limit_that_falls_leaves_no_debt_of_the_old_one(void **state)
{
	struct limiter limiter;

	(void)state;
	limiter_init(&limiter, 0, 8, 0);
	take_and_learn(&limiter, 1, INT64_C(1000000000000000000), 0);
	take_and_learn(&limiter, 1, 60, -1);
	assert_in_range(limiter_wait_us(&limiter, 1, 0), 1, 62 * SECOND);

	limiter_init(&limiter, 5e6, 8, 0);
	take_and_learn(&limiter, 1, 5000000, 0);
	limiter_set(&limiter, 60, 0);
	assert_in_range(limiter_wait_us(&limiter, 1, 0), 1, 62 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(starts_full_and_keeps_a_twentieth_back),
	    cmocka_unit_test(a_set_limit_starts_with_what_an_earlier_life_left),
	    cmocka_unit_test(a_limit_to_be_learnt_is_corrected_by_the_first_answer_instead),
	    cmocka_unit_test(refills_continuously_a_sixtieth_each_second),
	    cmocka_unit_test(never_holds_more_than_its_burst),
	    cmocka_unit_test(over_a_long_time_no_more_than_the_limit_goes_out),
	    cmocka_unit_test(an_unknown_limit_lets_little_under_way),
	    cmocka_unit_test(an_answer_without_limits_means_there_are_none),
	    cmocka_unit_test(a_limit_is_learnt_with_what_is_left_of_it),
	    cmocka_unit_test(what_went_out_since_the_answer_was_made_is_taken_off),
	    cmocka_unit_test(somebody_elses_use_takes_permits_away),
	    cmocka_unit_test(a_set_limit_is_not_raised_by_an_answer),
	    cmocka_unit_test(a_set_limit_is_lowered_to_what_the_account_has),
	    cmocka_unit_test(drained_it_starts_from_nothing),
	    cmocka_unit_test(another_limit_gives_no_permit_twice),
	    cmocka_unit_test(a_limit_that_was_taken_away_is_learnt_again),
	    cmocka_unit_test(a_limit_that_comes_late_counts_what_is_under_way),
	    cmocka_unit_test(a_limit_that_falls_leaves_no_debt_of_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
