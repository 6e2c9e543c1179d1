/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "app/log_sink.h"

static void assert_line(bool is_json, const char *event, const char *expected)
{
	struct buffer line;

	buffer_init(&line, 4096);
	log_sink_format(&line, is_json, 1763847607123456, EMBED_LOG_WARN, event);
	buffer_append_char(&line, '\0');
	assert_string_equal(line.bytes, expected);
	buffer_fini(&line);
}

static void a_line_has_time_and_level(void **state)
{
	(void)state;
	assert_line(false, "event=x a=1", "2025-11-22T21:40:07.123Z warn event=x a=1\n");
}

static void json_has_a_member_for_each_pair(void **state)
{
	(void)state;
	assert_line(true, "event=x a=\"two \\\"words\\\"\" b=3",
	    "{\"time\":\"2025-11-22T21:40:07.123Z\",\"level\":\"warn\",\"event\":\"x\","
	    "\"a\":\"two \\\"words\\\"\",\"b\":\"3\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_time_and_level),
	    cmocka_unit_test(json_has_a_member_for_each_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
