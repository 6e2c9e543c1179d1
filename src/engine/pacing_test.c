/* SPDX-License-Identifier: MIT */
/* Slots, breaker, backoff and budget: what decides how hard an upstream is pushed. */
#include "base/test.h"

#include "engine/breaker.h"
#include "engine/heap.h"
#include "engine/retry.h"
#include "engine/slots.h"

#define SECOND INT64_C(1000000)

/* ---- Slots ----------------------------------------------------------- */

static void slots_double_in_a_round_while_nothing_goes_wrong(void **state)
{
	struct slots slots;

	(void)state;
	slots_init(&slots, 16);
	assert_int_equal(slots_count(&slots), 8);
	for (int i = 0; i < 8; i++)
		slots_went_well(&slots, true, 0);
	assert_int_equal(slots_count(&slots), 16);
	slots_went_well(&slots, true, 0);
	assert_int_equal(slots_count(&slots), 16);
}

static void slots_that_were_not_all_taken_teach_nothing(void **state)
{
	struct slots slots;

	(void)state;
	slots_init(&slots, 16);
	for (int i = 0; i < 100; i++)
		slots_went_well(&slots, false, 0);
	assert_int_equal(slots_count(&slots), 8);
}

static void overload_cuts_slots_once_for_all_that_was_sent_before(void **state)
{
	struct slots slots;

	(void)state;
	slots_init(&slots, 16);
	slots_overloaded(&slots, 0, 10);
	assert_int_equal(slots_count(&slots), 5);
	slots_overloaded(&slots, 5, 11);
	assert_int_equal(slots_count(&slots), 5);
	slots_overloaded(&slots, 11, 20);
	assert_int_equal(slots_count(&slots), 3);
}

static void after_an_overload_a_whole_round_adds_one_slot(void **state)
{
	struct slots slots;

	(void)state;
	slots_init(&slots, 16);
	slots_overloaded(&slots, 0, 10);
	for (int i = 0; i < 6; i++)
		slots_went_well(&slots, true, 20);
	assert_int_equal(slots_count(&slots), 6);
}

static void one_slot_is_always_left(void **state)
{
	struct slots slots;

	(void)state;
	slots_init(&slots, 4);
	for (int64_t i = 1; i < 100; i++)
		slots_overloaded(&slots, i * 10, i * 10 + 1);
	assert_int_equal(slots_count(&slots), 1);
	assert_true(slots_take(&slots));
	assert_int_equal(slots_free(&slots), 0);
}

static void held_slots_do_not_grow(void **state)
{
	struct slots slots;

	(void)state;
	slots_init(&slots, 16);
	slots_hold(&slots, 100, 0);
	slots_went_well(&slots, true, 99);
	assert_int_equal(slots_count(&slots), 8);
	slots_went_well(&slots, true, 100);
	assert_int_equal(slots_count(&slots), 9);
}

/* ---- Breaker --------------------------------------------------------- */

static void fail_times(struct breaker *breaker, struct random *random, int count, int64_t now_us)
{
	for (int i = 0; i < count; i++)
		breaker_failed(breaker, random, now_us);
}

static void the_breaker_opens_after_five_failures_in_a_row(void **state)
{
	struct random random = {1};
	struct breaker breaker;

	(void)state;
	breaker_init(&breaker);
	fail_times(&breaker, &random, BREAKER_FAILURES - 1, 0);
	assert_int_equal(breaker_wait_us(&breaker, 0), 0);
	assert_true(breaker_failed(&breaker, &random, 0));
	assert_in_range(breaker_wait_us(&breaker, 0), SECOND, SECOND * 5 / 4);
	assert_string_equal(breaker_name(&breaker), "open");
}

static void a_success_in_between_starts_the_count_again(void **state)
{
	struct random random = {1};
	struct breaker breaker;

	(void)state;
	breaker_init(&breaker);
	fail_times(&breaker, &random, BREAKER_FAILURES - 1, 0);
	assert_false(breaker_went_well(&breaker));
	fail_times(&breaker, &random, BREAKER_FAILURES - 1, 0);
	assert_int_equal(breaker_wait_us(&breaker, 0), 0);
}

static void a_half_open_breaker_lets_one_pass_and_closes_if_it_goes_well(void **state)
{
	struct random random = {1};
	struct breaker breaker;

	(void)state;
	breaker_init(&breaker);
	fail_times(&breaker, &random, BREAKER_FAILURES, 0);
	assert_true(breaker_pass(&breaker, 2 * SECOND));
	assert_int_equal(breaker_wait_us(&breaker, 2 * SECOND), INT64_MAX);
	assert_true(breaker_went_well(&breaker));
	assert_int_equal(breaker_wait_us(&breaker, 2 * SECOND), 0);
}

static void each_opening_lasts_longer_up_to_half_a_minute(void **state)
{
	struct random random = {1};
	struct breaker breaker;
	int64_t now_us = 0, last_us = 0;

	(void)state;
	breaker_init(&breaker);
	fail_times(&breaker, &random, BREAKER_FAILURES, 0);
	for (int i = 0; i < 10; i++) {
		int64_t wait_us = breaker_wait_us(&breaker, now_us);

		assert_true(wait_us <= 30 * SECOND * 5 / 4);
		assert_true(i > 4 || wait_us > last_us);
		last_us = wait_us;
		now_us += wait_us;
		breaker_pass(&breaker, now_us);
		breaker_failed(&breaker, &random, now_us);
	}
	assert_true(last_us >= 30 * SECOND);
}

/* ---- Retry ----------------------------------------------------------- */

static void backoff_is_anything_up_to_a_bound_that_doubles(void **state)
{
	struct random random = {1};
	int64_t most[6] = {0};

	(void)state;
	for (uint32_t number = 0; number < 6; number++) {
		for (int i = 0; i < 2000; i++) {
			int64_t wait_us = retry_backoff_us(&random, number, -1);

			if (wait_us > most[number])
				most[number] = wait_us;
		}
	}
	assert_in_range(most[0], SECOND * 45 / 100, SECOND / 2);
	assert_in_range(most[1], SECOND * 9 / 10, SECOND);
	assert_in_range(most[5], SECOND * 7, SECOND * 8);
}

static void what_the_server_asks_is_a_minimum(void **state)
{
	struct random random = {1};

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_in_range(
		    retry_backoff_us(&random, 0, 20 * SECOND), 20 * SECOND, 21 * SECOND);
	assert_int_equal(retry_backoff_us(&random, 0, 0), 0);
}

static void retries_are_a_share_of_first_attempts(void **state)
{
	struct retry_budget budget;
	int retries = 0;

	(void)state;
	retry_budget_init(&budget, 20, 0);
	while (retry_budget_take(&budget, 0) == 0)
		retries++;
	assert_int_equal(retries, RETRY_SAVED);
	/* The one above waits for its second; ten attempts pay for it and one more. */
	for (int i = 0; i < 10; i++)
		retry_budget_earn(&budget);
	assert_int_equal(retry_budget_take(&budget, 0), 0);
	assert_in_range(retry_budget_take(&budget, 0), SECOND * 99 / 100, SECOND * 101 / 100);
}

static void one_retry_a_second_is_always_there(void **state)
{
	struct retry_budget budget;

	(void)state;
	retry_budget_init(&budget, 0, 0);
	for (int i = 0; i < RETRY_SAVED; i++)
		retry_budget_take(&budget, 0);
	assert_int_equal(retry_budget_take(&budget, SECOND), 0);
	assert_int_equal(retry_budget_take(&budget, SECOND), SECOND);
}

/* ---- Heap ------------------------------------------------------------ */

static void the_heap_gives_the_least_first_whatever_was_moved_or_removed(void **state)
{
	static struct heap_node nodes[500];
	struct random random = {7};
	struct heap heap;
	int64_t last = INT64_MIN;

	(void)state;
	heap_init(&heap);
	for (size_t i = 0; i < 500; i++)
		assert_true(heap_add(&heap, &nodes[i], (int64_t)random_below(&random, 1000)));
	for (size_t i = 0; i < 500; i += 3)
		heap_move(&heap, &nodes[i], (int64_t)random_below(&random, 1000));
	for (size_t i = 0; i < 500; i += 5)
		heap_remove(&heap, &nodes[i]);
	heap_remove(&heap, &nodes[0]);
	assert_int_equal(heap.count, 400);
	while (heap_first(&heap)) {
		struct heap_node *node = heap_first(&heap);

		assert_true(node->key >= last);
		last = node->key;
		heap_remove(&heap, node);
	}
	heap_fini(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slots_double_in_a_round_while_nothing_goes_wrong),
	    cmocka_unit_test(slots_that_were_not_all_taken_teach_nothing),
	    cmocka_unit_test(overload_cuts_slots_once_for_all_that_was_sent_before),
	    cmocka_unit_test(after_an_overload_a_whole_round_adds_one_slot),
	    cmocka_unit_test(one_slot_is_always_left),
	    cmocka_unit_test(held_slots_do_not_grow),
	    cmocka_unit_test(the_breaker_opens_after_five_failures_in_a_row),
	    cmocka_unit_test(a_success_in_between_starts_the_count_again),
	    cmocka_unit_test(a_half_open_breaker_lets_one_pass_and_closes_if_it_goes_well),
	    cmocka_unit_test(each_opening_lasts_longer_up_to_half_a_minute),
	    cmocka_unit_test(backoff_is_anything_up_to_a_bound_that_doubles),
	    cmocka_unit_test(what_the_server_asks_is_a_minimum),
	    cmocka_unit_test(retries_are_a_share_of_first_attempts),
	    cmocka_unit_test(one_retry_a_second_is_always_there),
	    cmocka_unit_test(the_heap_gives_the_least_first_whatever_was_moved_or_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
