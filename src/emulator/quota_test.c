/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "emulator/quota.h"

#define SECOND 1000000

static struct quota with(uint64_t rpm, uint64_t rpd, uint64_t tpm, int64_t span_us)
{
	const struct quota_limits limits = {rpm, rpd, tpm, span_us};
	struct quota quota;

	quota_init(&quota, &limits, 0);
	return quota;
}

static void a_request_shows_in_the_headers_as_the_provider_writes_them(void **state)
{
	static const struct {
		uint64_t rpm;
		int64_t reset_us;
	} rows[] = {{3000, 20000}, {5000, 12000}, {10000, 6000}}; /* PROTOCOL 2.2 */
	struct quota_excess excess;
	struct quota_view view;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct quota quota = with(rows[i].rpm, 0, 0, 0);

		assert_int_equal(quota_take(&quota, 5, 0, &excess), QUOTA_OK);
		assert_true(quota_look(&quota.requests, 0, &view));
		assert_int_equal(view.limit, rows[i].rpm);
		assert_int_equal(view.remaining, rows[i].rpm - 1);
		assert_int_equal(view.reset_us, rows[i].reset_us);
		assert_false(quota_look(&quota.tokens, 0, &view));
	}
}

static void too_many_tokens_are_refused_with_the_numbers_of_the_protocol(void **state)
{
	struct quota quota = with(0, 0, 1000000, 0);
	struct quota_excess excess;

	(void)state;
	assert_int_equal(quota_take(&quota, 976163, 0, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 70716, 0, &excess), QUOTA_TOKENS);
	assert_int_equal(excess.limit, 1000000);
	assert_int_equal(excess.used, 976163);
	assert_int_equal(excess.requested, 70716);
	/* (976163 + 70716 - 1000000) / 1000000 of a minute: 2.812 s */
	assert_in_range(excess.wait_us, 2812740, 2812742);
}

static void after_the_wait_that_was_named_the_request_passes(void **state)
{
	struct quota quota = with(0, 0, 1000, 0);
	struct quota_excess excess;

	(void)state;
	assert_int_equal(quota_take(&quota, 900, 0, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 300, 0, &excess), QUOTA_TOKENS);
	assert_int_equal(quota_take(&quota, 300, excess.wait_us - 1000, &excess), QUOTA_TOKENS);
	assert_int_equal(quota_take(&quota, 300, 12 * SECOND + 1, &excess), QUOTA_OK);
}

static void a_request_above_the_limit_can_never_pass(void **state)
{
	struct quota quota = with(0, 0, 40000, 0);
	struct quota_excess excess;

	(void)state;
	assert_int_equal(quota_take(&quota, 40001, 0, &excess), QUOTA_TOO_LARGE);
	assert_int_equal(quota_take(&quota, 40000, 0, &excess), QUOTA_OK);
}

static void requests_run_out_and_come_back_one_by_one(void **state)
{
	struct quota quota = with(60, 0, 0, 0);
	struct quota_excess excess;

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_int_equal(quota_take(&quota, 1, 0, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 1, 0, &excess), QUOTA_REQUESTS);
	assert_in_range(excess.wait_us, SECOND, SECOND + 2);
	assert_int_equal(quota_take(&quota, 1, SECOND, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 1, SECOND, &excess), QUOTA_REQUESTS);
}

static void a_day_has_its_own_limit(void **state)
{
	struct quota quota = with(0, 3, 0, 0);
	struct quota_excess excess;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(quota_take(&quota, 1, 0, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 1, 60 * SECOND, &excess), QUOTA_REQUESTS_DAY);
	assert_int_equal(quota_take(&quota, 1, (int64_t)28800 * SECOND + 1, &excess), QUOTA_OK);
}

static void a_limit_can_hold_over_a_shorter_span(void **state)
{
	struct quota quota = with(0, 0, 60000, SECOND);
	struct quota_excess excess;

	(void)state;
	assert_int_equal(quota_take(&quota, 1000, 0, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 1000, SECOND / 2, &excess), QUOTA_TOKENS);
	assert_in_range(excess.wait_us, SECOND / 2, SECOND / 2 + 2);
	assert_int_equal(quota_take(&quota, 1000, SECOND, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 1001, 9 * SECOND, &excess), QUOTA_TOO_LARGE);
}

static void a_request_refused_for_its_tokens_costs_a_request(void **state)
{
	struct quota quota = with(2, 0, 10, 0);
	struct quota_excess excess;

	(void)state;
	assert_int_equal(quota_take(&quota, 10, 0, &excess), QUOTA_OK);
	assert_int_equal(quota_take(&quota, 10, 0, &excess), QUOTA_TOKENS);
	assert_int_equal(quota_take(&quota, 0, 0, &excess), QUOTA_REQUESTS);
}

static void bytes_are_charged_by_fours(void **state)
{
	(void)state;
	assert_int_equal(quota_charge_of(20, 0), 5);
	assert_int_equal(quota_charge_of(34, 0), 8);
	assert_int_equal(quota_charge_of(13, 0), 3);
	assert_int_equal(quota_charge_of(94995, 0), 23748);
	assert_int_equal(quota_charge_of(0, 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_shows_in_the_headers_as_the_provider_writes_them),
	    cmocka_unit_test(too_many_tokens_are_refused_with_the_numbers_of_the_protocol),
	    cmocka_unit_test(after_the_wait_that_was_named_the_request_passes),
	    cmocka_unit_test(a_request_above_the_limit_can_never_pass),
	    cmocka_unit_test(requests_run_out_and_come_back_one_by_one),
	    cmocka_unit_test(a_day_has_its_own_limit),
	    cmocka_unit_test(a_limit_can_hold_over_a_shorter_span),
	    cmocka_unit_test(a_request_refused_for_its_tokens_costs_a_request),
	    cmocka_unit_test(bytes_are_charged_by_fours),
	};

	return cmocka_run_group_tests_name("emulator.quota", tests, NULL, NULL);
}
