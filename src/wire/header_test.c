/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <time.h>

#include "base/random.h"
#include "wire/header.h"

static void read_one(struct wire_headers *headers, const char *name, const char *value)
{
	wire_headers_read(headers, name, strlen(name), value, strlen(value));
}

static void reads_every_quota_header(void **state)
{
	struct wire_headers headers;

	(void)state;
	wire_headers_init(&headers);
	assert_int_equal(headers.requests.limit, -1);
	read_one(&headers, "x-ratelimit-limit-requests", "3000");
	read_one(&headers, "X-RateLimit-Limit-Tokens", "1000000");
	read_one(&headers, "x-ratelimit-remaining-requests", " 2999 ");
	read_one(&headers, "x-ratelimit-remaining-tokens", "999994");
	read_one(&headers, "x-ratelimit-reset-requests", "20ms");
	read_one(&headers, "x-ratelimit-reset-tokens", "17.563999999s");
	read_one(&headers, "x-ratelimit-limit-project-tokens", "5");
	read_one(&headers, "x-ratelimit-remaining-project-tokens", "0");
	read_one(&headers, "x-ratelimit-reset-project-tokens", "6m0s");
	read_one(&headers, "openai-processing-ms", "37");
	read_one(&headers, "x-request-id", "req_0123456789abcdef");
	assert_int_equal(headers.requests.limit, 3000);
	assert_int_equal(headers.tokens.limit, 1000000);
	assert_int_equal(headers.requests.remaining, 2999);
	assert_int_equal(headers.tokens.remaining, 999994);
	assert_int_equal(headers.requests.reset_ms, 20);
	assert_int_equal(headers.tokens.reset_ms, 17564);
	assert_int_equal(headers.project_tokens.limit, 5);
	assert_int_equal(headers.project_tokens.remaining, 0);
	assert_int_equal(headers.project_tokens.reset_ms, 360000);
	assert_int_equal(headers.processing_ms, 37);
	assert_string_equal(headers.request_id, "req_0123456789abcdef");
}

static void azures_bare_seconds_and_minus_one(void **state)
{
	struct wire_headers headers;

	(void)state;
	wire_headers_init(&headers);
	read_one(&headers, "x-ratelimit-reset-tokens", "59");
	read_one(&headers, "x-ratelimit-remaining-tokens", "-1");
	read_one(&headers, "x-ratelimit-remaining-requests", "0");
	read_one(&headers, "apim-request-id", "a\tb\x80");
	assert_int_equal(headers.tokens.reset_ms, 59000);
	assert_int_equal(headers.tokens.remaining, -1);
	assert_int_equal(headers.requests.remaining, 0);
	assert_string_equal(headers.request_id, "a?b?");
}

static void ignores_what_makes_no_sense(void **state)
{
	static const char *const names[] = {"x-ratelimit-limit-requests",
	    "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", "retry-after",
	    "retry-after-ms", "x-should-retry"};
	static const char *const values[] = {
	    "", " ", "abc", "-5", "1,2", "1 2", "\x80", "nan", "inf"};
	static struct wire_headers headers, before; /* static: padding is 0 in both */

	(void)state;
	wire_headers_init(&before);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			wire_headers_init(&headers);
			read_one(&headers, names[i], values[j]);
			assert_memory_equal(&headers, &before, sizeof(headers));
		}
	}
	wire_headers_init(&headers);
	read_one(&headers, "x-ratelimit-limit-requests-and-much-more-that-nobody-ever-sends", "5");
	wire_headers_read(&headers, "", 0, NULL, 0);
	wire_headers_read_line(&headers, "HTTP/1.1 200 OK\r\n", 17);
	wire_headers_read_line(&headers, "\r\n", 2);
	assert_memory_equal(&headers, &before, sizeof(headers));
}

static void huge_numbers_are_cut(void **state)
{
	struct wire_headers headers;

	(void)state;
	wire_headers_init(&headers);
	read_one(&headers, "x-ratelimit-limit-tokens", "99999999999999999999999999");
	assert_true(headers.tokens.limit == INT64_C(1000000000000000));
	read_one(&headers, "retry-after", "99999999999999999999999999");
	assert_true(wire_headers_wait_ms(&headers, 0) == WIRE_MAX_WAIT_MS);
	read_one(&headers, "retry-after-ms", "99999999999999999999999999");
	assert_true(wire_headers_wait_ms(&headers, 0) == WIRE_MAX_WAIT_MS);
}

static void reads_lines_as_curl_gives_them(void **state)
{
	struct wire_headers headers;
	static const char line[] = "Retry-After: 56\r\n";

	(void)state;
	wire_headers_init(&headers);
	wire_headers_read_line(&headers, line, sizeof(line) - 1);
	assert_int_equal(wire_headers_wait_ms(&headers, 0), 56000);
}

static void the_wait_goes_by_rank(void **state)
{
	struct wire_headers headers;

	(void)state;
	wire_headers_init(&headers);
	assert_int_equal(wire_headers_wait_ms(&headers, 784111777), -1);
	read_one(&headers, "retry-after", "Sun, 06 Nov 1994 08:49:47 GMT");
	assert_int_equal(wire_headers_wait_ms(&headers, 784111777), 10000);
	assert_int_equal(wire_headers_wait_ms(&headers, 784111800), 0);
	/* The server's own clock, when it tells it. */
	read_one(&headers, "Date", "Sun, 06 Nov 1994 08:49:40 GMT");
	assert_int_equal(wire_headers_wait_ms(&headers, 0), 7000);
	read_one(&headers, "retry-after", "2.5");
	assert_int_equal(wire_headers_wait_ms(&headers, 0), 2500);
	read_one(&headers, "retry-after-ms", "1700.2");
	assert_int_equal(wire_headers_wait_ms(&headers, 0), 1701);
	read_one(&headers, "retry-after-ms", "0");
	assert_int_equal(wire_headers_wait_ms(&headers, 0), 0);
}

static void should_retry_is_true_or_false_or_unsaid(void **state)
{
	struct wire_headers headers;

	(void)state;
	wire_headers_init(&headers);
	assert_int_equal(headers.should_retry, WIRE_RETRY_UNSAID);
	read_one(&headers, "x-should-retry", "true");
	assert_int_equal(headers.should_retry, WIRE_RETRY_YES);
	read_one(&headers, "x-should-retry", "False");
	assert_int_equal(headers.should_retry, WIRE_RETRY_NO);
	read_one(&headers, "x-should-retry", "maybe");
	assert_int_equal(headers.should_retry, WIRE_RETRY_NO);
}

static void reads_go_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"0s", 0}, {"6ms", 6}, {"20ms", 20}, {"284ms", 284}, {"1.182s", 1182},
	    {"17.563999999s", 17564}, {"6s", 6000}, {"6m0s", 360000}, {"20m52.666s", 1252666},
	    {"1h2m3.5s", 3723500}, {"1h", 3600000}, {"5us", 1}, {"1000us", 1}, {"1001us", 2},
	    {"5\xc2\xb5s", 1}, {"5\xce\xbcs", 1}, {"7ns", 1}, {"1.5ms", 2}, {"0.0000000001s", 1},
	    {".5s", 500}, {"1.s", 1000}, {"5", 5000}, {"0", 0}, {"2.5", 2500}, {" 3s ", 3000},
	    {"8784h", WIRE_MAX_WAIT_MS}};
	static const char *const bad[] = {"", " ", "s", "ms", ".", ".s", "1x", "1 s", "-1s", "+1s",
	    "1s2", "0s5", "1s-2s", "1e3s", "1..5s", "8785h", "99999999999999999999h", "1m 2s",
	    "\xc2", "1\xc2"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ms = -1;
		if (!wire_duration_read(cases[i].text, strlen(cases[i].text), &ms) ||
		    ms != cases[i].ms)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (wire_duration_read(bad[i], strlen(bad[i]), &ms))
			fail_msg("took %s", bad[i]);
	}
}

static void writes_durations_as_go_does(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0s"}, {1, "1ms"}, {20, "20ms"}, {999, "999ms"}, {1000, "1s"},
	    {1182, "1.182s"}, {1500, "1.5s"}, {17010, "17.01s"}, {60000, "1m0s"},
	    {1252666, "20m52.666s"}, {3600000, "1h0m0s"}, {3602500, "1h0m2.5s"}};
	char text[WIRE_DURATION_CAP];
	struct random random = {1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(text, 'x', sizeof(text));
		wire_duration_write(text, cases[i].ms);
		assert_string_equal(text, cases[i].text);
	}
	for (int i = 0; i < 20000; i++) {
		int64_t ms = (int64_t)random_below(&random, 1 + (uint64_t)WIRE_MAX_WAIT_MS) >>
			     random_below(&random, 35);
		int64_t back = -1;
		size_t len = wire_duration_write(text, ms);

		assert_true(len < WIRE_DURATION_CAP);
		assert_true(wire_duration_read(text, len, &back) && back == ms);
	}
	assert_true(wire_duration_write(text, INT64_MAX) < WIRE_DURATION_CAP);
}

static void reads_http_dates_in_three_forms(void **state)
{
	static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
	    "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
	static const char *const bad[] = {"", "x", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994",
	    "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
	    "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
	    "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
	    "Sun, a6 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMTx"};
	int64_t unix_s;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		unix_s = 0;
		assert_true(wire_date_read(same[i], strlen(same[i]), &unix_s));
		assert_int_equal(unix_s, 784111777);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (wire_date_read(bad[i], strlen(bad[i]), &unix_s))
			fail_msg("took %s", bad[i]);
	}
}

static void dates_agree_with_the_c_library(void **state)
{
	struct random random = {9};
	char text[64];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		time_t when = (time_t)random_below(&random, 253402300800); /* up to the year 9999 */
		int64_t unix_s = -1;
		struct tm parts;
		size_t len;

		gmtime_r(&when, &parts);
		len = strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
		assert_true(wire_date_read(text, len, &unix_s));
		assert_int_equal(unix_s, when);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_every_quota_header),
	    cmocka_unit_test(azures_bare_seconds_and_minus_one),
	    cmocka_unit_test(ignores_what_makes_no_sense),
	    cmocka_unit_test(huge_numbers_are_cut),
	    cmocka_unit_test(reads_lines_as_curl_gives_them),
	    cmocka_unit_test(the_wait_goes_by_rank),
	    cmocka_unit_test(should_retry_is_true_or_false_or_unsaid),
	    cmocka_unit_test(reads_go_durations),
	    cmocka_unit_test(writes_durations_as_go_does),
	    cmocka_unit_test(reads_http_dates_in_three_forms),
	    cmocka_unit_test(dates_agree_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
