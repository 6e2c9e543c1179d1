/* SPDX-License-Identifier: MIT */
/* Nobody there, or no money: how soon it is told, how often, and when it is given up. */
#include "engine/core_rig.h"

#define SECOND_US INT64_C(1000000)

static struct asked a;
static const struct engine_job_spec plain = {
    .model = "m", .model_dimensions = 4, .lane = EMBED_LANE_BULK};

/* Events that were logged, by name. */
struct told {
	size_t attempt_failed, upstream_barred;
};

static void on_log(enum embed_log_level level, const char *event, void *context)
{
	struct told *told = context;

	assert_true(level <= EMBED_LOG_WARN);
	told->attempt_failed += strstr(event, "attempt_failed") != NULL;
	told->upstream_barred += strstr(event, "upstream_barred") != NULL;
}

static const atomic_int warn = EMBED_LOG_WARN;

static void open_rig(struct rig *rig, struct told *told)
{
	*told = (struct told){0};
	rig_init(rig, 1);
	rig->options.log = (struct log){on_log, told, &warn};
	rig->options.retry_deadline_ms = 120000;
	rig->options.max_attempts = 1000;
	rig_start(rig);
}

static void cannot_connect(struct rig *rig, size_t index)
{
	struct attempt *attempt = rig->sent[index];
	struct wire_fault fault = {.verdict = WIRE_RETRY, .wait_ms = -1, .limit = -1};
	const struct core_answer answer = {.fault = &fault};

	error_set(&fault.error, EMBED_UPSTREAM, "connection refused");
	rig_forget_sent(rig, index);
	core_answer(rig->core, attempt, &answer, rig->now_us);
}

/* Until the job is done or so long has passed; returns how long it took. */
static int64_t refuse_connections(struct rig *rig, int64_t most_us)
{
	int64_t started_us = rig->now_us;

	while (a.done == 0 && rig->now_us - started_us < most_us) {
		rig_wait(rig, SECOND_US / 10);
		while (rig->sent_count > 0)
			cannot_connect(rig, 0);
		rig_record_all(rig);
	}
	return rig->now_us - started_us;
}

static void a_host_that_refuses_from_the_start_is_given_up_within_seconds(void **state)
{
	struct told told;
	struct rig rig;

	(void)state;
	open_rig(&rig, &told);
	rig_ask(&rig, &a, &plain, 0, 3);
	assert_in_range(refuse_connections(&rig, 120 * SECOND_US), 4 * SECOND_US, 11 * SECOND_US);
	assert_int_equal(a.failed, 3);
	assert_int_equal(a.status[0], EMBED_UPSTREAM);
	rig_finish(&rig);
}

static void what_comes_later_is_tried_once(void **state)
{
	struct told told;
	struct rig rig;

	(void)state;
	open_rig(&rig, &told);
	rig_ask(&rig, &a, &plain, 0, 3);
	refuse_connections(&rig, 120 * SECOND_US);
	rig_ask(&rig, &a, &plain, 10, 3);
	assert_true(refuse_connections(&rig, 120 * SECOND_US) <= 21 * SECOND_US);
	assert_int_equal(a.failed, 3);
	rig_ask(&rig, &a, &plain, 20, 3);
	rig_finish(&rig);
	assert_int_equal(a.ok, 3);
}

static void a_host_that_was_reached_once_is_waited_for_longer(void **state)
{
	struct told told;
	struct rig rig;

	(void)state;
	open_rig(&rig, &told);
	rig_ask(&rig, &a, &plain, 0, 3);
	rig_send(&rig);
	rig_refuse(&rig, 0, 503, "");
	assert_in_range(refuse_connections(&rig, 60 * SECOND_US), 60 * SECOND_US, 61 * SECOND_US);
	assert_int_equal(a.done, 0);
	rig_finish(&rig);
	assert_int_equal(a.ok, 3);
}

static void the_first_failure_of_all_is_told_at_once(void **state)
{
	struct told told;
	struct rig rig;

	(void)state;
	open_rig(&rig, &told);
	rig_ask(&rig, &a, &plain, 0, 3);
	rig_send(&rig);
	cannot_connect(&rig, 0);
	assert_int_equal(told.attempt_failed, 1);
	rig_wait(&rig, SECOND_US);
	cannot_connect(&rig, 0);
	assert_int_equal(told.attempt_failed, 1);
	rig_finish(&rig);
}

static void a_lone_failure_among_good_answers_is_not_worth_a_line(void **state)
{
	struct told told;
	struct rig rig;

	(void)state;
	open_rig(&rig, &told);
	rig_ask(&rig, &a, &plain, 0, 3);
	rig_send(&rig);
	rig_answer_all(&rig);
	rig_record_all(&rig);
	rig_ask(&rig, &a, &plain, 10, 3);
	rig_send(&rig);
	cannot_connect(&rig, 0);
	assert_int_equal(told.attempt_failed, 0);
	rig_finish(&rig);
}

static void an_empty_account_is_told_once_whatever_was_under_way(void **state)
{
	struct told told;
	struct rig rig;

	(void)state;
	open_rig(&rig, &told);
	rig_ask(&rig, &a, &plain, 0, 1000);
	rig_send(&rig);
	assert_in_range(rig.sent_count, 2, RIG_SENT);
	while (rig.sent_count > 0)
		rig_refuse(&rig, 0, 429, RIG_QUOTA);
	assert_int_equal(told.upstream_barred, 1);
	rig_record_all(&rig);
	rig_finish(&rig);
	assert_int_equal(a.status[0], EMBED_QUOTA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_host_that_refuses_from_the_start_is_given_up_within_seconds),
	    cmocka_unit_test(what_comes_later_is_tried_once),
	    cmocka_unit_test(a_host_that_was_reached_once_is_waited_for_longer),
	    cmocka_unit_test(the_first_failure_of_all_is_told_at_once),
	    cmocka_unit_test(a_lone_failure_among_good_answers_is_not_worth_a_line),
	    cmocka_unit_test(an_empty_account_is_told_once_whatever_was_under_way),
	};

	return cmocka_run_group_tests_name("engine.core_unreached", tests, NULL, NULL);
}
