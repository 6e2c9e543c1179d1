/* SPDX-License-Identifier: MIT */
/* Equal texts, those who wait for them, and those who stop waiting. */
#include "engine/core_rig.h"

static const struct engine_job_spec plain = {.model = "m"};
static struct asked a, b, c;

static void equal_texts_go_up_once_and_all_get_the_vector(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 1, 1);
	rig_ask(&rig, &b, &plain, 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	rig_ask(&rig, &c, &plain, 1, 1);
	rig_answer_with(&rig, 0, NULL, 11);
	assert_int_equal(a.source[0], EMBED_FROM_UPSTREAM);
	assert_int_equal(b.source[0], EMBED_FROM_FLIGHT);
	assert_int_equal(c.source[0], EMBED_FROM_FLIGHT);
	assert_int_equal(a.billed, 11);
	assert_int_equal(b.billed + c.billed, 0);
	rig_finish(&rig);
}

static void between_answered_and_stored_a_text_is_answered_from_its_flight(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 1, 1);
	rig_send(&rig);
	rig_answer(&rig, 0);
	assert_int_equal(a.done, 1);
	rig_ask(&rig, &b, &plain, 1, 1);
	assert_int_equal(b.done, 1);
	assert_int_equal(b.source[0], EMBED_FROM_FLIGHT);
	rig_record_all(&rig);
	rig_ask(&rig, &c, &plain, 1, 1);
	assert_int_equal(c.done, 0);
	rig_finish(&rig);
	assert_int_equal(c.source[0], EMBED_FROM_UPSTREAM);
}

static void fewer_dimensions_join_a_flight_that_brings_more(void **state)
{
	const struct engine_job_spec shorter = {.model = "m", .dimensions = 2, .can_shorten = true};
	const struct engine_job_spec longer = {.model = "m", .can_shorten = true};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &longer, 1, 1);
	rig_ask(&rig, &b, &shorter, 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	rig_answer(&rig, 0);
	assert_int_equal(b.source[0], EMBED_FROM_FLIGHT);
	assert_int_equal(b.dimensions, 4);
	rig_finish(&rig);
}

static void more_dimensions_than_a_flight_brings_are_a_flight_of_their_own(void **state)
{
	const struct engine_job_spec shorter = {.model = "m", .dimensions = 2, .can_shorten = true};
	const struct engine_job_spec longer = {.model = "m", .can_shorten = true};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &shorter, 1, 1);
	rig_ask(&rig, &b, &longer, 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 2);
	rig_finish(&rig);
}

static void other_users_extras_keys_and_models_share_neither_flight_nor_batch(void **state)
{
	const struct engine_job_spec specs[] = {{.model = "m"}, {.model = "n"},
	    {.model = "m", .user = "u"}, {.model = "m", .extra = "\"a\":1"},
	    {.model = "m", .extra = "\"a\":2"}, {.model = "m", .authorization = "sk-other"}};
	static struct asked asked[6];
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	for (size_t i = 0; i < 6; i++)
		rig_ask(&rig, &asked[i], &specs[i], 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 6);
	rig_finish(&rig);
}

static void a_text_that_nobody_waits_for_any_more_is_not_sent(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 1, 3);
	core_cancel(rig.core, a.job, rig.now_us);
	assert_int_equal(a.done, 1);
	assert_int_equal(a.status[2], EMBED_CANCELLED);
	rig_send(&rig);
	assert_int_equal(rig.sent_in_all, 0);
	rig_finish(&rig);
}

static void a_cancel_does_not_harm_others_who_wait(void **state)
{
	const struct engine_job_spec ann = {.model = "m", .key_name = "ann"};
	const struct engine_job_spec bob = {.model = "m", .key_name = "bob"};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &ann, 1, 1);
	rig_ask(&rig, &b, &bob, 1, 1);
	core_cancel(rig.core, a.job, rig.now_us);
	rig_send(&rig);
	assert_string_equal(rig.sent[0]->shares[0].key_name, "bob");
	rig_answer(&rig, 0);
	assert_int_equal(a.status[0], EMBED_CANCELLED);
	assert_int_equal(b.source[0], EMBED_FROM_UPSTREAM);
	rig_finish(&rig);
}

static void what_is_under_way_is_stored_though_its_caller_left(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 1, 1);
	rig_send(&rig);
	core_cancel(rig.core, a.job, rig.now_us);
	rig_answer(&rig, 0);
	assert_int_equal(rig.last_record.vector_count, 1);
	rig_finish(&rig);
}

static void a_deadline_ends_what_has_no_answer_yet(void **state)
{
	struct engine_job_spec spec = plain;
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	spec.deadline_us = rig.now_us + 5000;
	rig_ask(&rig, &a, &spec, 1, 1);
	rig_send(&rig);
	assert_int_equal(core_wake_us(rig.core), spec.deadline_us);
	rig_wait(&rig, 4999);
	assert_int_equal(a.done, 0);
	rig_wait(&rig, 1);
	assert_int_equal(a.status[0], EMBED_DEADLINE);
	rig_finish(&rig);
}

static void a_hurried_text_takes_an_equal_bulk_text_along(void **state)
{
	const struct engine_job_spec bulk = {.model = "m", .lane = EMBED_LANE_BULK};
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &bulk, 100, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &bulk, 1, 50);
	rig_ask(&rig, &c, &plain, 30, 1);
	rig_answer(&rig, 0);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 0), 1);
	rig_answer(&rig, 0);
	assert_int_equal(c.done, 1);
	assert_int_equal(b.ok, 1);
	rig_finish(&rig);
}

static void texts_that_are_not_to_be_stored_are_not_handed_over(void **state)
{
	const struct engine_job_spec spec = {.model = "m", .no_store = true};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &spec, 1, 5);
	rig_send(&rig);
	rig_answer(&rig, 0);
	assert_int_equal(rig.last_record.vector_count, 0);
	assert_true(rig.last_record.is_billed);
	rig_finish(&rig);
}

static void the_bill_is_shared_out_to_the_token(void **state)
{
	const struct engine_job_spec ann = {.model = "m", .key_name = "ann"};
	const struct engine_job_spec bob = {.model = "m", .key_name = "bob"};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &ann, 1, 2);
	rig_ask(&rig, &b, &bob, 10, 5);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 0), 7);
	rig_answer_with(&rig, 0, NULL, 76);
	assert_int_equal(a.billed + b.billed, 76);
	assert_int_equal(rig.last_record.share_count, 2);
	assert_int_equal(rig.last_record.shares[0].tokens, a.billed);
	assert_int_equal(rig.last_record.shares[1].tokens, b.billed);
	assert_int_equal(rig.last_record.shares[1].texts, 5);
	rig_finish(&rig);
}

static void closing_ends_everything(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 1, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &plain, 10, 3);
	core_close(rig.core, rig.now_us);
	assert_int_equal(a.status[0], EMBED_CLOSED);
	assert_int_equal(b.status[2], EMBED_CLOSED);
	rig_ask(&rig, &c, &plain, 20, 1);
	assert_int_equal(c.status[0], EMBED_CLOSED);
	assert_ptr_equal(core_under_way(rig.core), rig.sent[0]);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_texts_go_up_once_and_all_get_the_vector),
	    cmocka_unit_test(between_answered_and_stored_a_text_is_answered_from_its_flight),
	    cmocka_unit_test(fewer_dimensions_join_a_flight_that_brings_more),
	    cmocka_unit_test(more_dimensions_than_a_flight_brings_are_a_flight_of_their_own),
	    cmocka_unit_test(other_users_extras_keys_and_models_share_neither_flight_nor_batch),
	    cmocka_unit_test(a_text_that_nobody_waits_for_any_more_is_not_sent),
	    cmocka_unit_test(a_cancel_does_not_harm_others_who_wait),
	    cmocka_unit_test(what_is_under_way_is_stored_though_its_caller_left),
	    cmocka_unit_test(a_deadline_ends_what_has_no_answer_yet),
	    cmocka_unit_test(a_hurried_text_takes_an_equal_bulk_text_along),
	    cmocka_unit_test(texts_that_are_not_to_be_stored_are_not_handed_over),
	    cmocka_unit_test(the_bill_is_shared_out_to_the_token),
	    cmocka_unit_test(closing_ends_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
