/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cli/progress.h"

static void assert_line(const struct progress_state *line_state, size_t bar, const char *expected)
{
	struct buffer line;

	buffer_init(&line, 4096);
	progress_line(&line, "rows", line_state, bar, false);
	buffer_append_char(&line, '\0');
	assert_string_equal(line.bytes, expected);
	buffer_fini(&line);
}

static void a_line_tells_rate_tokens_cost_cache_and_time_left(void **state)
{
	struct progress_state half = {
	    .texts = 12345,
	    .hits = 5000,
	    .joined = 555,
	    .tokens = 1234567,
	    .cost_nano = 24600000,
	    .bytes_done = 50,
	    .bytes_total = 100,
	    .elapsed_us = 61000000,
	};

	(void)state;
	assert_line(&half, 10,
	    "rows [#####-----]  50%  12,345 texts  202/s  1.2M tokens  $0.0246  cache 44%  1:01 left");
	half.is_over = true;
	assert_line(&half, 0, "rows  50%  12,345 texts  202/s  1.2M tokens  $0.0246  cache 44%");
	half.bytes_total = 0;
	half.failed = 2;
	assert_line(
	    &half, 10, "rows  12,345 texts  2 failed  202/s  1.2M tokens  $0.0246  cache 44%");
}

static void nothing_done_yet_divides_by_nothing(void **state)
{
	struct progress_state none = {.bytes_total = 10};

	(void)state;
	assert_line(&none, 0, "rows   0%  0 texts  0 tokens  $0");
}

static void assert_text(
    void (*append)(struct buffer *, uint64_t), uint64_t number, const char *expected)
{
	struct buffer text;

	buffer_init(&text, 100);
	append(&text, number);
	buffer_append_char(&text, '\0');
	assert_string_equal(text.bytes, expected);
	buffer_fini(&text);
}

static void numbers_are_easy_to_read(void **state)
{
	(void)state;
	assert_text(progress_append_count, 0, "0");
	assert_text(progress_append_count, 999, "999");
	assert_text(progress_append_count, 1000, "1,000");
	assert_text(progress_append_count, 1234567, "1,234,567");
	assert_text(progress_append_short, 9999, "9,999");
	assert_text(progress_append_short, 12345, "12.3k");
	assert_text(progress_append_short, 999960, "1.0M");
	assert_text(progress_append_dollars, 20, "$0.000000020");
	assert_text(progress_append_dollars, 12340000000, "$12.34");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_tells_rate_tokens_cost_cache_and_time_left),
	    cmocka_unit_test(nothing_done_yet_divides_by_nothing),
	    cmocka_unit_test(numbers_are_easy_to_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
