/* SPDX-License-Identifier: MIT */
#include "app/log_flood.h"

#include "base/test.h"

#define FAULT "event=attempt_failed upstream=a do=\"look at \\\"it\\\"\""

static void so_many_of_a_kind_pass_in_a_second(void **state)
{
	struct log_flood flood;
	size_t passed = 0;

	(void)state;
	log_flood_init(&flood, 10);
	for (int i = 0; i < 1000; i++)
		passed += log_flood_admit(&flood, EMBED_LOG_WARN, FAULT, 7);
	assert_int_equal(passed, 10);
	assert_true(log_flood_admit(&flood, EMBED_LOG_WARN, "event=other", 7));
	assert_true(log_flood_admit(&flood, EMBED_LOG_WARN, FAULT, 8));
}

static void what_was_left_out_is_told_once_when_the_second_is_over(void **state)
{
	char event[LOG_TEXT_MAX + 1];
	enum embed_log_level level;
	struct log_flood flood;

	(void)state;
	log_flood_init(&flood, 10);
	for (int i = 0; i < 1000; i++)
		log_flood_admit(&flood, EMBED_LOG_WARN, FAULT, 7);
	assert_false(log_flood_sum(&flood, 7, event, &level));
	assert_true(log_flood_sum(&flood, 8, event, &level));
	assert_int_equal(level, EMBED_LOG_WARN);
	assert_non_null(strstr(event, "of=attempt_failed count=990 "));
	assert_false(log_flood_sum(&flood, 8, event, &level));
}

static void nothing_is_left_out_without_a_limit(void **state)
{
	struct log_flood flood;

	(void)state;
	log_flood_init(&flood, 0);
	for (int i = 0; i < 1000; i++)
		assert_true(log_flood_admit(&flood, EMBED_LOG_INFO, "event=request", 7));
}

static void the_latest_faults_come_first_with_counts_and_advice(void **state)
{
	struct log_recent recent[2];
	struct log_flood flood;

	(void)state;
	log_flood_init(&flood, 1);
	for (int64_t second = 1; second <= 5; second++)
		log_flood_admit(&flood, EMBED_LOG_WARN, FAULT, second);
	log_flood_admit(&flood, EMBED_LOG_ERROR, "event=b do=this", 6);
	log_flood_admit(&flood, EMBED_LOG_ERROR, "event=older do=that", 2);
	log_flood_admit(&flood, EMBED_LOG_INFO, "event=request id=1", 9);
	assert_int_equal(log_flood_recent(&flood, recent, 2), 2);
	assert_string_equal(recent[0].event, "b");
	assert_string_equal(recent[0].advice, "this");
	assert_string_equal(recent[1].event, "attempt_failed");
	assert_string_equal(recent[1].advice, "look at \"it\"");
	assert_int_equal(recent[1].count, 5);
	assert_int_equal(recent[1].first_s, 1);
	assert_int_equal(recent[1].last_s, 5);
}

static void more_kinds_than_there_is_room_for_push_out_the_oldest(void **state)
{
	struct log_recent recent[LOG_KINDS_MAX];
	struct log_flood flood;
	char event[64];

	(void)state;
	log_flood_init(&flood, 1);
	for (int i = 0; i < 3 * LOG_KINDS_MAX; i++) {
		snprintf(event, sizeof(event), "event=kind%d do=it", i);
		assert_true(log_flood_admit(&flood, EMBED_LOG_WARN, event, i));
	}
	assert_int_equal(log_flood_recent(&flood, recent, LOG_KINDS_MAX), LOG_KINDS_MAX);
	assert_string_equal(recent[0].event, "kind191");
	assert_string_equal(recent[LOG_KINDS_MAX - 1].event, "kind128");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(so_many_of_a_kind_pass_in_a_second),
	    cmocka_unit_test(what_was_left_out_is_told_once_when_the_second_is_over),
	    cmocka_unit_test(nothing_is_left_out_without_a_limit),
	    cmocka_unit_test(the_latest_faults_come_first_with_counts_and_advice),
	    cmocka_unit_test(more_kinds_than_there_is_room_for_push_out_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
