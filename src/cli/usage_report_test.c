/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cli/usage_report.h"

static const struct embed_usage_row first = {
    .start_s = 1795305600,
    .model = "text-embedding-3-small",
    .attempts = 2,
    .billed_texts = 1000,
    .billed_tokens = 123456,
    .cost_nano = 2469120,
    .hit_texts = 7,
    .hit_tokens = 70,
    .saved_nano = 1400,
};
static const struct embed_usage_row second = {
    .start_s = 1795392000, .model = "mine, \"x\"", .attempts = 1, .cost_nano = 1};

static void assert_report(enum usage_format format, const char *expected)
{
	struct usage_report report;

	usage_report_init(&report, format, EMBED_BY_DAY | EMBED_BY_MODEL);
	usage_report_row(&first, &report);
	usage_report_row(&second, &report);
	usage_report_finish(&report);
	buffer_append_char(&report.out, '\0');
	assert_string_equal(report.out.bytes, expected);
	usage_report_fini(&report);
}

static void a_table_lines_up_and_adds_up(void **state)
{
	(void)state;
	assert_report(USAGE_TABLE,
	    "day         model                   requests  failed  texts   tokens          cost  hits  joined         saved\n"
	    "2026-11-22  text-embedding-3-small         2       0  1,000  123,456       $0.0025     7       0  $0.000001400\n"
	    "2026-11-23  mine, \"x\"                      1       0      0        0  $0.000000001     0       0            $0\n"
	    "total                                      3       0  1,000  123,456       $0.0025     7       0  $0.000001400\n");
}

static void json_is_exact_to_the_nano_dollar(void **state)
{
	(void)state;
	assert_report(USAGE_JSON,
	    "[\n  {\"day\":\"2026-11-22\",\"model\":\"text-embedding-3-small\",\"attempts\":2,"
	    "\"failed_attempts\":0,\"billed_texts\":1000,\"billed_tokens\":123456,\"cost_nano\":2469120,"
	    "\"hit_texts\":7,\"joined_texts\":0,\"saved_nano\":1400,\"hit_tokens\":70,\"joined_tokens\":0},\n"
	    "  {\"day\":\"2026-11-23\",\"model\":\"mine, \\\"x\\\"\",\"attempts\":1,\"failed_attempts\":0,"
	    "\"billed_texts\":0,\"billed_tokens\":0,\"cost_nano\":1,\"hit_texts\":0,\"joined_texts\":0,"
	    "\"saved_nano\":0,\"hit_tokens\":0,\"joined_tokens\":0}\n]\n");
}

static void csv_quotes_and_gives_dollars(void **state)
{
	(void)state;
	assert_report(USAGE_CSV,
	    "day,model,attempts,failed_attempts,billed_texts,billed_tokens,cost_usd,hit_texts,joined_texts,saved_usd\r\n"
	    "2026-11-22,text-embedding-3-small,2,0,1000,123456,0.002469120,7,0,0.000001400\r\n"
	    "2026-11-23,\"mine, \"\"x\"\"\",1,0,0,0,0.000000001,0,0,0.000000000\r\n");
}

static void nothing_used_is_said(void **state)
{
	struct usage_report report;

	(void)state;
	usage_report_init(&report, USAGE_JSON, 0);
	usage_report_finish(&report);
	assert_memory_equal(report.out.bytes, "[]\n", 3);
	usage_report_fini(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_lines_up_and_adds_up),
	    cmocka_unit_test(json_is_exact_to_the_nano_dollar),
	    cmocka_unit_test(csv_quotes_and_gives_dollars),
	    cmocka_unit_test(nothing_used_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
