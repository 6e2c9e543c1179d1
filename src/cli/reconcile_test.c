/* SPDX-License-Identifier: MIT */
#include "cli/reconcile.h"

#include "base/test.h"

/* 2025-10-05 and the day after, as OpenAI's exports have them. */
#define USAGE                                                                                      \
	"start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,"   \
	"api_key_id,model,input_tokens\n"                                                          \
	"1759622400,1759708800,2025-10-05T00:00:00+00:00,2025-10-06T00:00:00+00:00,,3,,,"          \
	"text-embedding-3-small,100\n"                                                             \
	"1759622400,1759708800,2025-10-05T00:00:00+00:00,2025-10-06T00:00:00+00:00,,2,,,"          \
	"text-embedding-3-small,50\n"                                                              \
	"1759708800,1759795200,2025-10-06T00:00:00+00:00,2025-10-07T00:00:00+00:00,,,,,,\n"        \
	"1759712400,1759795200,2025-10-06T01:00:00+00:00,2025-10-07T00:00:00+00:00,,1,,,"          \
	"text-embedding-ada-002-v2,7\n"                                                            \
	"1759708800,1759795200,2025-10-06T00:00:00+00:00,2025-10-07T00:00:00+00:00,,9,,,gpt-x,9\n"
#define COSTS                                                                                      \
	"start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,"  \
	"project_id,organization_id,organization_name\r\n"                                         \
	"1759622400,1759708800,2025-10-05T00:00:00+00:00,2025-10-06T00:00:00+00:00,"               \
	"0.0000030000000000,usd,\"text-embedding-3-small, input\",,org-x,Personal\r\n"

static void read_it(struct reconcile *reconcile, const char *export)
{
	struct embed_error error;

	reconcile_init(reconcile);
	assert_int_equal(reconcile_read(reconcile, export, strlen(export), &error), EMBED_OK);
}

static void add(struct reconcile *reconcile, int64_t day_s, const char *model, uint64_t attempts,
    uint64_t tokens)
{
	const struct embed_usage_row row = {.start_s = day_s,
	    .model = model,
	    .attempts = attempts,
	    .billed_tokens = tokens,
	    .cost_nano = tokens * 20};

	reconcile_add(&row, reconcile);
}

static void assert_written(
    struct reconcile *reconcile, enum usage_format format, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 65536);
	reconcile_append(reconcile, format, &out);
	buffer_append(&out, "", 1);
	assert_string_equal(out.bytes, expected);
	buffer_fini(&out);
}

static void buckets_of_a_day_and_model_add_up_beside_the_ledger(void **state)
{
	struct reconcile reconcile;

	(void)state;
	read_it(&reconcile, USAGE);
	add(&reconcile, 1759622400, "text-embedding-3-small", 5, 150);
	add(&reconcile, 1759708800, "text-embedding-ada-002", 1, 9);
	assert_true(reconcile_differs(&reconcile));
	assert_written(&reconcile, USAGE_CSV,
	    "day,model,requests_theirs,requests_ours,requests_difference,tokens_theirs,tokens_ours,"
	    "tokens_difference\r\n"
	    "2025-10-05,text-embedding-3-small,5,5,0,150,150,0\r\n"
	    "2025-10-06,text-embedding-ada-002,1,1,0,7,9,-2\r\n");
	reconcile_fini(&reconcile);
}

static void costs_are_compared_to_the_nano_dollar(void **state)
{
	struct reconcile reconcile;

	(void)state;
	read_it(&reconcile, COSTS);
	add(&reconcile, 1759622400, "text-embedding-3-small", 5, 150);
	assert_false(reconcile_differs(&reconcile));
	assert_written(&reconcile, USAGE_JSON,
	    "[\n  {\"day\":\"2025-10-05\",\"model\":\"text-embedding-3-small\",\"cost_nano\":"
	    "{\"theirs\":3000,\"ours\":3000,\"difference\":0}}\n]\n");
	reconcile_fini(&reconcile);
}

static void what_the_export_does_not_cover_is_not_compared(void **state)
{
	struct reconcile reconcile;

	(void)state;
	read_it(&reconcile, COSTS);
	add(&reconcile, 1759622400, "text-embedding-3-small", 5, 150);
	add(&reconcile, 1759622400 + 86400, "text-embedding-3-small", 5, 150);
	add(&reconcile, 1759622400 - 86400, "text-embedding-3-small", 5, 150);
	assert_int_equal(reconcile.count, 1);
	add(&reconcile, 1759622400, "text-embedding-3-large", 1, 1);
	assert_true(reconcile_differs(&reconcile));
	reconcile_fini(&reconcile);
}

static void another_file_is_refused_with_the_line(void **state)
{
	static const char *const bad[] = {"", "a,b\n1,2\n", "start_time,model\nyesterday,x\n",
	    "\n,,,,,\n", "start_time,model\n9223372036854775807,x\n", "start_time,model\n-1,x\n",
	    "start_time,model,input_tokens\n1759622400,text-embedding-3-small,many\n",
	    "start_time,model,amount_value\n1759622400,text-embedding-3-small,-1\n",
	    "start_time,model\n\"1759622400,x\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reconcile reconcile;
		struct embed_error error;

		reconcile_init(&reconcile);
		assert_int_equal(
		    reconcile_read(&reconcile, bad[i], strlen(bad[i]), &error), EMBED_BAD_FORMAT);
		assert_non_null(strstr(
		    error.message, *bad[i] == '\0' ? "the export is empty" : "of the export: "));
		reconcile_fini(&reconcile);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buckets_of_a_day_and_model_add_up_beside_the_ledger),
	    cmocka_unit_test(costs_are_compared_to_the_nano_dollar),
	    cmocka_unit_test(what_the_export_does_not_cover_is_not_compared),
	    cmocka_unit_test(another_file_is_refused_with_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
