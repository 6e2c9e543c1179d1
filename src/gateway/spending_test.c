/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "gateway/spending.h"

#define TODAY_S     1700006400ll
#define YESTERDAY_S (TODAY_S - 86400)

static void add(struct spending *spending, int64_t day_s, const char *key, uint64_t nano)
{
	struct embed_usage_row row = {
	    .start_s = day_s, .key_name = key, .cost_nano = nano, .hit_texts = 1};

	spending_add(spending, &row, TODAY_S);
}

static void days_make_the_month_and_the_last_of_them_is_today(void **state)
{
	struct spending spending;

	(void)state;
	spending_init(&spending);
	add(&spending, YESTERDAY_S, "a", 5);
	add(&spending, TODAY_S, "a", 7);
	assert_int_equal(spending.month.cost_nano, 12);
	assert_int_equal(spending.month.hit_texts, 2);
	assert_int_equal(spending.today.cost_nano, 7);
	spending_fini(&spending);
}

static void each_key_is_found_by_its_name_in_whatever_order_they_came(void **state)
{
	static const char *const names[] = {"m", "b", "z", "", "c", "m", "b"};
	struct spending spending;

	(void)state;
	spending_init(&spending);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add(&spending, i < 3 ? YESTERDAY_S : TODAY_S, names[i], 10 + i);
	assert_int_equal(spending.key_count, 5);
	assert_int_equal(spending_of(&spending, "m")->month.cost_nano, 10 + 15);
	assert_int_equal(spending_of(&spending, "m")->today.cost_nano, 15);
	assert_int_equal(spending_of(&spending, "")->month.cost_nano, 13);
	assert_int_equal(spending_of(&spending, "z")->today.cost_nano, 0);
	assert_null(spending_of(&spending, "q"));
	spending_fini(&spending);
}

static void many_keys_are_kept_apart(void **state)
{
	struct spending spending;
	char name[16];

	(void)state;
	spending_init(&spending);
	for (uint64_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "key%llu", (unsigned long long)(i * 617 % 1000));
		add(&spending, TODAY_S, name, i * 617 % 1000);
	}
	assert_int_equal(spending.key_count, 1000);
	for (uint64_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "key%llu", (unsigned long long)i);
		assert_int_equal(spending_of(&spending, name)->month.cost_nano, i);
	}
	spending_fini(&spending);
}

static void a_sum_is_written_with_all_its_columns(void **state)
{
	struct spending_sum sum = {.cost_nano = 17, .saved_nano = 3};
	struct buffer out;

	(void)state;
	buffer_init(&out, 1024);
	spending_write_sum(&out, &sum);
	buffer_append_char(&out, '\0');
	assert_string_equal(out.bytes,
	    "{\"attempts\":0,\"failed_attempts\":0,\"billed_texts\":0,\"billed_tokens\":0,"
	    "\"cost_nano\":17,\"hit_texts\":0,\"hit_tokens\":0,\"joined_texts\":0,"
	    "\"joined_tokens\":0,\"saved_nano\":3}");
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(days_make_the_month_and_the_last_of_them_is_today),
	    cmocka_unit_test(each_key_is_found_by_its_name_in_whatever_order_they_came),
	    cmocka_unit_test(many_keys_are_kept_apart),
	    cmocka_unit_test(a_sum_is_written_with_all_its_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
