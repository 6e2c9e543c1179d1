/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <time.h>

#include "base/clock.h"

static void the_steady_clock_never_goes_back(void **state)
{
	int64_t last = clock_now_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_us();

		assert_true(now >= last);
		last = now;
	}
}

static void the_calendar_is_told_in_seconds_and_milliseconds_alike(void **state)
{
	int64_t before = (int64_t)time(NULL), s = clock_unix_s(), ms = clock_unix_ms();
	int64_t after = (int64_t)time(NULL);

	(void)state;
	/* time() may lag by the tick of a coarse clock. */
	assert_in_range(s, before, after);
	assert_in_range(ms, before * 1000, after * 1000 + 1999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_steady_clock_never_goes_back),
	    cmocka_unit_test(the_calendar_is_told_in_seconds_and_milliseconds_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
