/* SPDX-License-Identifier: MIT */
/* Where a text's time goes, as the records and the lanes tell it. */
#include "engine/core_rig.h"

#define SECOND INT64_C(1000000)

static const struct engine_job_spec plain = {.model = "m"};
static const struct engine_job_spec bulk = {.model = "m", .lane = EMBED_LANE_BULK};
static struct asked a, b, c;

static void assert_waits(const struct rig *rig, int64_t queue_s, int64_t pacing_s, int64_t retry_s)
{
	assert_int_equal(rig->last_record.queue_us / SECOND, queue_s);
	assert_int_equal(rig->last_record.pacing_us / SECOND, pacing_s);
	assert_int_equal(rig->last_record.retry_us / SECOND, retry_s);
}

static void a_lone_text_waits_for_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_wait(&rig, 2 * SECOND);
	rig_answer(&rig, 0);
	assert_waits(&rig, 0, 0, 0);
	rig_finish(&rig);
}

static void waiting_for_a_slot_is_told_as_queue(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &plain, 1, 1);
	rig_wait(&rig, 3 * SECOND);
	rig_answer(&rig, 0);
	rig_send(&rig);
	rig_answer(&rig, 0);
	assert_waits(&rig, 3, 0, 0);
	rig_finish(&rig);
}

static void waiting_for_a_limit_is_told_as_pacing(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].requests_per_minute = 2;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_answer(&rig, 0);
	rig_ask(&rig, &b, &plain, 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 0);
	while (rig.sent_count == 0)
		rig_wait(&rig, SECOND);
	rig_answer(&rig, 0);
	assert_int_equal(rig.last_record.queue_us / SECOND, 0);
	assert_in_range(rig.last_record.pacing_us, 1 * SECOND, 31 * SECOND);
	rig_finish(&rig);
}

static void both_waits_together_are_the_whole_wait(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].requests_per_minute = 2;
	rig.upstreams[0].max_in_flight = 1;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &plain, 1, 1);
	rig_wait(&rig, 2 * SECOND); /* for the slot */
	rig_answer(&rig, 0);
	rig_send(&rig);
	for (int64_t i = 0; i < 60 && rig.sent_count == 0; i++)
		rig_wait(&rig, SECOND);
	rig_answer(&rig, 0);
	assert_int_equal(rig.last_record.queue_us / SECOND, 2);
	assert_int_equal(rig.last_record.queue_us + rig.last_record.pacing_us,
	    rig.now_us - SECOND); /* the rig's clock begins at 1 s */
	rig_finish(&rig);
}

static void the_time_of_failed_attempts_is_told_as_retry(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_wait(&rig, 4 * SECOND);
	rig_refuse(&rig, 0, 500, "");
	while (rig.sent_count == 0)
		rig_wait(&rig, SECOND / 10);
	rig_answer(&rig, 0);
	assert_in_range(rig.last_record.retry_us, 4 * SECOND, 5 * SECOND);
	assert_int_equal(rig.last_record.queue_us, 0);
	rig_finish(&rig);
}

static void a_lane_tells_what_waits_and_for_how_long(void **state)
{
	struct embed_lane_state lane;
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &bulk, 1, 5);
	rig_wait(&rig, 7 * SECOND);
	rig_ask(&rig, &c, &bulk, 10, 3);
	rig_wait(&rig, SECOND);
	lane = core_lane_state(rig.core, EMBED_LANE_BULK, rig.now_us);
	assert_int_equal(lane.texts, 8);
	assert_int_equal(lane.tokens, 8 * rig.text_tokens);
	assert_int_equal(lane.oldest_us, 8 * SECOND);
	lane = core_lane_state(rig.core, EMBED_LANE_INTERACTIVE, rig.now_us);
	assert_int_equal(lane.texts, 0);
	assert_int_equal(lane.oldest_us, 0);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_lone_text_waits_for_nothing),
	    cmocka_unit_test(waiting_for_a_slot_is_told_as_queue),
	    cmocka_unit_test(waiting_for_a_limit_is_told_as_pacing),
	    cmocka_unit_test(both_waits_together_are_the_whole_wait),
	    cmocka_unit_test(the_time_of_failed_attempts_is_told_as_retry),
	    cmocka_unit_test(a_lane_tells_what_waits_and_for_how_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
