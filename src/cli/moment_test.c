/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cli/moment.h"

static void assert_moment(const char *text, int64_t expected)
{
	int64_t unix_s;

	assert_true(moment_parse(text, 1000000, &unix_s));
	assert_int_equal(unix_s, expected);
}

static void dates_are_utc(void **state)
{
	(void)state;
	assert_moment("2026-11-22", 1795305600);
	assert_moment("2026-11-22T14:30", 1795357800);
	assert_moment("2026-11-22T14:30:01Z", 1795357801);
	assert_moment("2026-11", 1793491200);
}

static void a_time_counts_back_from_now(void **state)
{
	(void)state;
	assert_moment("10s", 999990);
	assert_moment("1d", 913600);
}

static void nonsense_is_refused(void **state)
{
	int64_t unix_s;

	(void)state;
	assert_false(moment_parse("yesterday", 1000000, &unix_s));
	assert_false(moment_parse("2026-13-01", 1000000, &unix_s));
	assert_false(moment_parse("2026-11-22x", 1000000, &unix_s));
	assert_false(moment_parse("", 1000000, &unix_s));
	assert_false(moment_parse("9999d", 1000000, &unix_s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_are_utc),
	    cmocka_unit_test(a_time_counts_back_from_now),
	    cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
