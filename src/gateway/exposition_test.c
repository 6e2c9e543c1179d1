/* SPDX-License-Identifier: MIT */
#include "gateway/exposition.h"

#include "base/test.h"

static bool wants(const char *accept)
{
	return exposition_wants_open(accept, strlen(accept));
}

static void openmetrics_is_given_to_who_prefers_it(void **state)
{
	(void)state;
	assert_true(wants("application/openmetrics-text"));
	assert_true(wants("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
			  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
	assert_true(wants("text/plain;q=0.3, application/openmetrics-text; q=0.3"));
	assert_false(wants(""));
	assert_false(wants("*/*"));
	assert_false(wants("text/html,text/plain"));
	assert_false(wants("application/openmetrics-text;q=0"));
	assert_false(wants("application/openmetrics-text;q=0.4,text/plain;q=0.5"));
}

static void a_weight_that_is_none_counts_as_0(void **state)
{
	static const char *const odd[] = {"", "-1", "+1", "0", "0.", "0.000", ".5", "1.001", "2",
	    "9", "10", "1e0", "1e308", "0x1", "0x1p-1", "inf", "nan", "0,5", "0.5.5", "0.5x",
	    "99999999999", " 1"};
	static const char *const good[] = {
	    "1", "1.", "1.000", "0.001", "0.5", "0.75", "0.5 ", "0.5;a=b"};
	char accept[80];

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		snprintf(accept, sizeof(accept), "application/openmetrics-text;q=%s", odd[i]);
		if (wants(accept))
			fail_msg("%s", accept);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(accept, sizeof(accept), "application/openmetrics-text;q=%s", good[i]);
		if (!wants(accept))
			fail_msg("%s", accept);
	}
	assert_true(wants("text/plain;q=0.49,application/openmetrics-text;q=0.5"));
	assert_false(wants("text/plain;q=0.501,application/openmetrics-text;q=0.5"));
	assert_false(wants("text/plain,application/openmetrics-text;q=inf"));
}

static void assert_written(bool is_open, const char *expected)
{
	struct exposition exposition;
	struct buffer out;

	buffer_init(&out, 4096);
	exposition_init(&exposition, &out, is_open);
	exposition_begin(&exposition, "embed_jobs", EXPOSITION_COUNTER, "jobs accepted");
	exposition_count(&exposition, "", 3, "lane", "bulk", "name", "a\"b\\c\nd", NULL);
	exposition_begin(&exposition, "embed_hit_seconds", EXPOSITION_SUMMARY, "a hit");
	exposition_number(&exposition, "_sum", 1.5, NULL);
	exposition_end(&exposition);
	buffer_append(&out, "", 1);
	assert_string_equal(out.bytes, expected);
	buffer_fini(&out);
}

static void a_counters_family_has_its_ending_in_text_only(void **state)
{
	(void)state;
	assert_written(false,
	    "# HELP embed_jobs_total jobs accepted\n# TYPE embed_jobs_total counter\n"
	    "embed_jobs_total{lane=\"bulk\",name=\"a\\\"b\\\\c\\nd\"} 3\n"
	    "# HELP embed_hit_seconds a hit\n# TYPE embed_hit_seconds summary\n"
	    "embed_hit_seconds_sum 1.500000\n");
	assert_written(true, "# HELP embed_jobs jobs accepted\n# TYPE embed_jobs counter\n"
			     "embed_jobs_total{lane=\"bulk\",name=\"a\\\"b\\\\c\\nd\"} 3\n"
			     "# HELP embed_hit_seconds a hit\n# TYPE embed_hit_seconds summary\n"
			     "embed_hit_seconds_sum 1.500000\n# EOF\n");
}

static void bounds_look_like_fractions(void **state)
{
	char text[32];

	(void)state;
	exposition_bound(text, 1);
	assert_string_equal(text, "1.0");
	exposition_bound(text, 0.00025);
	assert_string_equal(text, "0.00025");
	exposition_bound(text, 10);
	assert_string_equal(text, "10.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openmetrics_is_given_to_who_prefers_it),
	    cmocka_unit_test(a_weight_that_is_none_counts_as_0),
	    cmocka_unit_test(a_counters_family_has_its_ending_in_text_only),
	    cmocka_unit_test(bounds_look_like_fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
