/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "gateway/meter.h"

#define SECOND_US 1000000

static void a_bucket_holds_a_minutes_worth_and_refills_steadily(void **state)
{
	atomic_int_fast64_t full = 0;
	int64_t now_us = 5000 * (int64_t)SECOND_US;

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_int_equal(meter_take(&full, 60, 1, now_us), 0);
	assert_int_equal(meter_take(&full, 60, 1, now_us), SECOND_US);
	assert_int_equal(meter_take(&full, 60, 5, now_us), 5 * SECOND_US);
	assert_int_equal(meter_take(&full, 60, 1, now_us + SECOND_US), 0);
	assert_int_equal(meter_take(&full, 60, 1, now_us + SECOND_US), SECOND_US);
}

static void what_can_never_fit_is_said_so_and_costs_nothing(void **state)
{
	atomic_int_fast64_t full = 0;

	(void)state;
	assert_true(meter_take(&full, 1000, 1001, 1) == INT64_MAX);
	assert_true(meter_take(&full, 1, UINT64_MAX, 1) == INT64_MAX);
	assert_int_equal(meter_take(&full, 1000, 1000, 1), 0);
}

static void what_is_left_agrees_with_what_is_given(void **state)
{
	atomic_int_fast64_t full = 0;
	int64_t now_us = 77 * (int64_t)SECOND_US;
	struct meter_left left;

	(void)state;
	left = meter_look(&full, 3000, now_us);
	assert_int_equal(left.remaining, 3000);
	assert_int_equal(left.full_ms, 0);
	meter_take(&full, 3000, 1, now_us);
	left = meter_look(&full, 3000, now_us);
	assert_int_equal(left.remaining, 2999);
	assert_int_equal(left.full_ms, 20); /* PROTOCOL 2.2 */
	meter_take(&full, 3000, 2999, now_us);
	assert_int_equal(meter_look(&full, 3000, now_us).remaining, 0);
}

/* 2026-11-22 22:33:20 UTC was 1795386800. */
static void periods_begin_at_midnight_and_on_the_first(void **state)
{
	(void)state;
	assert_int_equal(meter_period_start(KEY_PERIOD_EVER, 1795386800), 0);
	assert_int_equal(meter_period_start(KEY_PERIOD_DAY, 1795386800), 1795305600);
	assert_int_equal(meter_period_start(KEY_PERIOD_MONTH, 1795386800), 1793491200);
}

static void a_budget_is_never_promised_twice(void **state)
{
	struct meter_set set;
	struct meter *meter;
	struct key key = {.budget_nano = 100, .period = KEY_PERIOD_DAY};
	int64_t noon_s = 1795348800;

	(void)state;
	meter_set_init(&set);
	meter = meter_set_get(&set, "a");
	assert_ptr_equal(meter, meter_set_get(&set, "a"));
	assert_ptr_not_equal(meter, meter_set_get(&set, "b"));
	assert_true(meter_reserve(meter, &key, 60, noon_s));
	assert_false(meter_reserve(meter, &key, 41, noon_s));
	assert_true(meter_reserve(meter, &key, 40, noon_s));
	assert_false(meter_reserve(meter, &key, 0, noon_s)); /* nothing is left */
	meter_settle(meter, 60, 10);
	assert_true(meter_reserve(meter, &key, 50, noon_s));
	meter_settle(meter, 40, 40);
	meter_settle(meter, 50, 50);
	assert_false(meter_reserve(meter, &key, 1, noon_s));
	assert_true(meter_reserve(meter, &key, 100, noon_s + 86400)); /* the next day */
	meter_set_fini(&set);
}

static void the_ledger_corrects_upwards_only(void **state)
{
	struct meter_set set;
	struct meter *meter;
	struct key key = {.budget_nano = 100, .period = KEY_PERIOD_EVER};

	(void)state;
	meter_set_init(&set);
	meter = meter_set_get(&set, "a");
	meter_sync(meter, 0, 90, 1000);
	assert_false(meter_reserve(meter, &key, 11, 1000));
	meter_sync(meter, 0, 20, 1001); /* it lags behind */
	assert_false(meter_reserve(meter, &key, 11, 1001));
	assert_true(meter_reserve(meter, &key, 10, 1001));
	meter_set_fini(&set);
}

static void what_may_yet_be_billed_counts_until_the_ledger_was_read_twice(void **state)
{
	struct meter_set set;
	struct meter *meter;
	struct key key = {.budget_nano = 100, .period = KEY_PERIOD_EVER};

	(void)state;
	meter_set_init(&set);
	meter = meter_set_get(&set, "a");
	assert_true(meter_reserve(meter, &key, 70, 1000));
	meter_settle(meter, 10, 10);
	meter_doubt(meter, 60);
	assert_false(meter_reserve(meter, &key, 31, 1000));
	meter_sync(meter, 0, 10, 1000); /* the bill is not in it yet */
	assert_false(meter_reserve(meter, &key, 31, 1000));
	meter_sync(meter, 0, 30, 1001);
	assert_false(meter_reserve(meter, &key, 71, 1001));
	assert_true(meter_reserve(meter, &key, 70, 1001));
	meter_set_fini(&set);
}

static void a_calendar_set_back_gives_no_budget_anew(void **state)
{
	struct meter_set set;
	struct meter *meter;
	struct key key = {.budget_nano = 100, .period = KEY_PERIOD_DAY};
	int64_t noon_s = 1795348800, today_s = noon_s - 43200;

	(void)state;
	meter_set_init(&set);
	meter = meter_set_get(&set, "a");
	assert_true(meter_is_due(meter, today_s, 60, 1));
	meter_sync(meter, today_s, 90, 1);
	assert_false(meter_is_due(meter, today_s, 60, 2));
	assert_true(meter_is_due(meter, today_s, 60, 61));
	assert_true(meter_reserve(meter, &key, 70, noon_s + 86400));
	meter_settle(meter, 70, 70);
	assert_false(
	    meter_reserve(meter, &key, 31, noon_s));      /* back, and the ledger not read yet */
	assert_true(meter_is_due(meter, today_s, 60, 2)); /* though it was read for this day */
	assert_true(meter_is_due(meter, today_s + 86400, 60, 3));
	meter_sync(meter, today_s + 86400, 70, 3);
	assert_true(meter_is_due(meter, today_s, 60, 4));
	meter_sync(meter, today_s, 95, 4);
	assert_false(meter_reserve(meter, &key, 6, noon_s));
	assert_true(meter_reserve(meter, &key, 5, noon_s));
	meter_set_fini(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bucket_holds_a_minutes_worth_and_refills_steadily),
	    cmocka_unit_test(what_can_never_fit_is_said_so_and_costs_nothing),
	    cmocka_unit_test(what_is_left_agrees_with_what_is_given),
	    cmocka_unit_test(periods_begin_at_midnight_and_on_the_first),
	    cmocka_unit_test(a_budget_is_never_promised_twice),
	    cmocka_unit_test(the_ledger_corrects_upwards_only),
	    cmocka_unit_test(what_may_yet_be_billed_counts_until_the_ledger_was_read_twice),
	    cmocka_unit_test(a_calendar_set_back_gives_no_budget_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
