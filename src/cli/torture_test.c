/* SPDX-License-Identifier: MIT */
/* What is written for people when memory fails: all of it, or nothing. */
#include "cli/usage_report.h"

#include "base/test_memory.h"

static const struct embed_usage_row row = {
    .start_s = 1795305600,
    .model = "text-embedding-3-small",
    .attempts = 2,
    .billed_texts = 1000,
    .billed_tokens = 123456,
    .cost_nano = 2469120,
    .saved_nano = 1400,
};

static void write_report(struct usage_report *report, enum usage_format format)
{
	usage_report_init(report, format, EMBED_BY_DAY | EMBED_BY_MODEL);
	usage_report_row(&row, report);
	usage_report_row(&row, report);
	usage_report_finish(report);
}

static void a_report_has_each_number_or_is_refused(void **state)
{
	(void)state;
	if (!test_memory_can_fail)
		skip();
	for (int format = USAGE_TABLE; format <= USAGE_CSV; format++) {
		struct usage_report wanted, report;
		bool failed = true;

		write_report(&wanted, (enum usage_format)format);
		for (long at = 1; failed; at++) {
			test_memory_fail_at(at);
			write_report(&report, (enum usage_format)format);
			failed = test_memory_has_failed();
			test_memory_fail_at(0);
			if (report.out.status == EMBED_OK) {
				assert_int_equal(report.out.len, wanted.out.len);
				assert_memory_equal(
				    report.out.bytes, wanted.out.bytes, wanted.out.len);
			}
			assert_true(failed == (report.out.status != EMBED_OK));
			usage_report_fini(&report);
		}
		usage_report_fini(&wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_report_has_each_number_or_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
