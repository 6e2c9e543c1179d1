/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <string.h>

#include "cli/forecast.h"
#include "cli/moment.h"

static int64_t at(const char *text)
{
	int64_t unix_s = -1;

	assert_true(moment_parse(text, 0, &unix_s));
	return unix_s;
}

static struct forecast forecast_of(const char *now, const char *used_at, uint64_t cost_nano)
{
	const struct embed_usage_row row = {.start_s = at(used_at), .cost_nano = cost_nano};
	struct forecast forecast;

	forecast_init(&forecast, at(now));
	forecast_row(&row, &forecast);
	return forecast;
}

static void assert_forecast(
    const char *now, const char *used_at, uint64_t cost_nano, uint64_t expected)
{
	struct forecast forecast = forecast_of(now, used_at, cost_nano);

	assert_int_equal(forecast_month_nano(&forecast), expected);
}

static void half_a_month_comes_to_twice_its_cost(void **state)
{
	(void)state;
	assert_forecast("2026-11-16", "2026-11-02T09:00", 1500000001, 3000000002);
}

static void a_months_first_minutes_count_as_an_hour(void **state)
{
	(void)state;
	assert_forecast("2026-11-01", "2026-11-01", 10, 7200);
	assert_forecast("2026-11-01T00:05", "2026-11-01", 10, 7200);
	assert_forecast("2026-11-01T01:00", "2026-11-01", 10, 7200);
	assert_forecast("2026-11-01T02:00", "2026-11-01", 10, 3600);
}

static void february_has_a_day_more_in_leap_years(void **state)
{
	(void)state;
	assert_forecast("2028-02-02", "2028-02-01", 1000, 29000);
	assert_forecast("2027-02-02", "2027-02-01", 1000, 28000);
	assert_forecast("2100-02-02", "2100-02-01", 1000, 28000);
}

static void december_ends_with_the_year(void **state)
{
	struct forecast forecast = forecast_of("2026-12-31T23:59:59", "2026-12-31T23:00", 7);

	(void)state;
	assert_int_equal(forecast.start_s, at("2026-12-01"));
	assert_int_equal(forecast.end_s, at("2027-01-01"));
	assert_int_equal(forecast_month_nano(&forecast), 7);
}

static void other_months_are_left_out(void **state)
{
	(void)state;
	assert_forecast("2026-11-16", "2026-10-31T23:00", 1000, 0);
	assert_forecast("2026-11-16", "2026-12-01", 1000, 0);
	assert_forecast("2026-11-16", "2025-11-05", 1000, 0);
}

static void a_forecast_too_large_to_say_is_the_largest(void **state)
{
	(void)state;
	assert_forecast("2026-11-02", "2026-11-01", UINT64_MAX / 2, UINT64_MAX);
}

static void assert_output(enum usage_format format, const char *expected)
{
	struct forecast forecast = forecast_of("2026-11-16", "2026-11-02", 1500000001);
	struct buffer out;

	buffer_init(&out, 1000);
	forecast_append(&forecast, format, &out);
	buffer_append_char(&out, '\0');
	assert_int_equal(out.status, EMBED_OK);
	assert_string_equal((const char *)out.bytes, expected);
	buffer_fini(&out);
}

static void json_has_nano_dollars(void **state)
{
	(void)state;
	assert_output(USAGE_JSON,
	    "{\"month\":\"2026-11\",\"now_s\":1794787200,\"cost_nano\":1500000001,"
	    "\"forecast_nano\":3000000002}\n");
}

static void csv_has_nine_decimals(void **state)
{
	(void)state;
	assert_output(
	    USAGE_CSV, "month,cost_usd,forecast_usd\r\n2026-11,1.500000001,3.000000002\r\n");
}

static void the_table_rounds(void **state)
{
	(void)state;
	assert_output(USAGE_TABLE,
	    "month            2026-11\ncost so far      $1.5000\nat month's end   $3.0000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(half_a_month_comes_to_twice_its_cost),
	    cmocka_unit_test(a_months_first_minutes_count_as_an_hour),
	    cmocka_unit_test(february_has_a_day_more_in_leap_years),
	    cmocka_unit_test(december_ends_with_the_year),
	    cmocka_unit_test(other_months_are_left_out),
	    cmocka_unit_test(a_forecast_too_large_to_say_is_the_largest),
	    cmocka_unit_test(json_has_nano_dollars),
	    cmocka_unit_test(csv_has_nine_decimals),
	    cmocka_unit_test(the_table_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
