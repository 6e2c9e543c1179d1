/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "app/option_value.h"

static void counts_take_thousands(void **state)
{
	uint64_t count;

	(void)state;
	assert_true(option_parse_count("512", &count));
	assert_int_equal(count, 512);
	assert_true(option_parse_count("10k", &count));
	assert_int_equal(count, 10000);
	assert_true(option_parse_count("2M", &count));
	assert_int_equal(count, 2000000);
}

static void counts_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1.5", "k", "1kk", "0x10",
	    "18446744073709551616", "99999999999999999999G", "20000000000G"};
	uint64_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(option_parse_count(bad[i], &count));
}

static void sizes_step_by_1024(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_true(option_parse_bytes("64M", &bytes));
	assert_int_equal(bytes, 64 << 20);
	assert_true(option_parse_bytes("2GiB", &bytes));
	assert_int_equal(bytes, (uint64_t)2 << 30);
	assert_true(option_parse_bytes("7", &bytes));
	assert_int_equal(bytes, 7);
	assert_false(option_parse_bytes("7X", &bytes));
}

static void durations_need_a_unit(void **state)
{
	int64_t us;

	(void)state;
	assert_true(option_parse_duration("20ms", &us));
	assert_int_equal(us, 20000);
	assert_true(option_parse_duration("1.5h", &us));
	assert_int_equal(us, 5400000000);
	assert_true(option_parse_duration("7d", &us));
	assert_int_equal(us, 604800000000);
	assert_true(option_parse_duration("0", &us));
	assert_int_equal(us, 0);
	assert_false(option_parse_duration("20", &us));
	assert_false(option_parse_duration("-1s", &us));
	assert_false(option_parse_duration("nans", &us));
	assert_false(option_parse_duration("1e30d", &us));
}

static void dollars_are_exact(void **state)
{
	uint64_t nano;

	(void)state;
	assert_true(option_parse_dollars("0.02", &nano));
	assert_int_equal(nano, 20000000);
	assert_true(option_parse_dollars("$1.000000001", &nano));
	assert_int_equal(nano, 1000000001);
	assert_false(option_parse_dollars("0.0000000001", &nano));
	assert_false(option_parse_dollars("-1", &nano));
	assert_false(option_parse_dollars("", &nano));
}

static void a_slip_of_the_finger_finds_its_name(void **state)
{
	static const char *const names[] = {"model", "dimensions", "max_in_flight", "lane"};

	(void)state;
	assert_string_equal(option_nearest("modle", names, 4), "model");
	assert_string_equal(option_nearest("dimension", names, 4), "dimensions");
	assert_string_equal(option_nearest("max_in_fligth", names, 4), "max_in_flight");
	assert_null(option_nearest("completely_else", names, 4));
	assert_null(option_nearest("", names, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_take_thousands),
	    cmocka_unit_test(counts_that_are_none_are_refused),
	    cmocka_unit_test(sizes_step_by_1024),
	    cmocka_unit_test(durations_need_a_unit),
	    cmocka_unit_test(dollars_are_exact),
	    cmocka_unit_test(a_slip_of_the_finger_finds_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
