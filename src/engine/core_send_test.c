/* SPDX-License-Identifier: MIT */
/* What goes when, where, and in which company. */
#include "engine/core_rig.h"

static const struct engine_job_spec plain = {.model = "m"};
static const struct engine_job_spec bulk = {.model = "m", .lane = EMBED_LANE_BULK};
static struct asked a, b, c;

static void a_text_goes_at_once_when_a_slot_is_free(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	for (uint32_t i = 0; i < 3; i++) {
		rig_ask(&rig, i == 0 ? &a : i == 1 ? &b : &c, &plain, i, 1);
		rig_send(&rig);
		assert_int_equal(rig.sent_count, i + 1);
	}
	rig_finish(&rig);
}

static void texts_pile_up_only_while_all_slots_are_taken(void **state)
{
	static struct asked asked[40];
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 2;
	rig_start(&rig);
	for (uint32_t i = 0; i < 40; i++) {
		rig_ask(&rig, &asked[i], &plain, i, 1);
		rig_send(&rig);
	}
	assert_int_equal(rig.sent_count, 2);
	rig_answer(&rig, 0);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 1), 38);
	rig_finish(&rig);
}

static void texts_of_one_turn_travel_together(void **state)
{
	static struct asked asked[40];
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	for (uint32_t i = 0; i < 40; i++)
		rig_ask(&rig, &asked[i], &plain, i, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	rig_finish(&rig);
}

static void a_batch_holds_no_more_than_2048_texts(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &bulk, 0, 4096);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 0), 2048);
	rig_finish(&rig);
}

static void a_batch_holds_no_more_than_295000_tokens(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.text_tokens = 1000;
	rig_start(&rig);
	rig_ask(&rig, &a, &bulk, 0, 400);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 0), 295);
	rig_finish(&rig);
}

static void a_batch_holds_no_more_than_300000_by_the_providers_count(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.text_len = 4 * 3000;
	rig_start(&rig);
	rig_ask(&rig, &a, &bulk, 0, 150);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 0), 100);
	rig_finish(&rig);
}

static void a_batch_is_no_larger_than_its_upstream_allows(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.upstreams[0].batch_bytes = UPSTREAM_BODY_ROOM + 10 * 43;
	rig_start(&rig);
	rig_ask(&rig, &a, &bulk, 0, 50);
	rig_send(&rig);
	assert_int_equal(rig_texts(&rig, 0), 10);
	rig_finish(&rig);
}

static void what_waits_is_spread_over_free_slots(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &bulk, 0, 4000);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 8);
	for (size_t i = 0; i < 8; i++)
		assert_in_range(rig_texts(&rig, i), 490, 510);
	rig_finish(&rig);
}

static void interactive_goes_before_bulk(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &bulk, 0, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &bulk, 1000, 3000);
	rig_ask(&rig, &c, &plain, 5000, 1);
	rig_answer(&rig, 0);
	rig_send(&rig);
	assert_int_equal(rig.sent[0]->batch->lane, EMBED_LANE_INTERACTIVE);
	rig_finish(&rig);
}

static void bulk_has_its_turn_however_much_is_interactive(void **state)
{
	struct rig rig;
	size_t bulk_turns = 0;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.upstreams[0].batch_texts = 1;
	rig_start(&rig);
	rig_ask(&rig, &a, &bulk, 1000, 10);
	rig_ask(&rig, &b, &plain, 2000, 64);
	for (int i = 0; i < 45; i++) {
		rig_send(&rig);
		bulk_turns += rig.sent[0]->batch->lane == EMBED_LANE_BULK;
		rig_answer(&rig, 0);
		rig_record_all(&rig);
	}
	assert_int_equal(bulk_turns, 5);
	rig_finish(&rig);
}

static void bulk_leaves_a_slot_for_interactive_texts(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].batch_texts = 1;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 5000, 1);
	rig_send(&rig);
	rig_answer(&rig, 0);
	rig_ask(&rig, &b, &bulk, 0, 100);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 7);
	rig_ask(&rig, &c, &plain, 6000, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 8);
	rig_finish(&rig);
}

static void keys_share_tokens_by_weight(void **state)
{
	const struct engine_job_spec ann = {.model = "m", .key_name = "ann", .key_weight = 1};
	const struct engine_job_spec bob = {.model = "m", .key_name = "bob", .key_weight = 3};
	struct rig rig;
	uint64_t texts[2] = {0, 0};

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.upstreams[0].batch_texts = 50;
	rig.text_tokens = 500;
	rig_start(&rig);
	rig_ask(&rig, &a, &ann, 0, 4000);
	rig_ask(&rig, &b, &bob, 10000, 4000);
	for (int i = 0; i < 40; i++) {
		rig_send(&rig);
		for (size_t k = 0; k < rig.sent[0]->record.share_count; k++)
			texts[rig.sent[0]->shares[k].key_name[0] == 'b'] +=
			    rig.sent[0]->shares[k].texts;
		rig_answer(&rig, 0);
		rig_record_all(&rig);
	}
	assert_in_range(texts[1], texts[0] * 27 / 10, texts[0] * 33 / 10);
	rig_finish(&rig);
}

static void one_keys_flood_does_not_delay_anothers_query(void **state)
{
	const struct engine_job_spec ann = {.model = "m", .key_name = "ann"};
	const struct engine_job_spec bob = {.model = "m", .key_name = "bob"};
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.upstreams[0].batch_texts = 100;
	rig_start(&rig);
	rig_ask(&rig, &a, &ann, 0, 4000);
	rig_send(&rig);
	rig_ask(&rig, &b, &bob, 10000, 1);
	rig_answer(&rig, 0);
	rig_send(&rig);
	rig_answer(&rig, 0);
	assert_int_equal(b.done, 1);
	rig_finish(&rig);
}

static void upstreams_share_the_work_as_they_are_set(void **state)
{
	struct rig rig;
	size_t sent[2] = {0, 0};

	(void)state;
	rig_init(&rig, 2);
	rig.upstreams[1].share = 3;
	rig.upstreams[0].batch_texts = rig.upstreams[1].batch_texts = 10;
	rig_start(&rig);
	rig_ask(&rig, &a, &bulk, 0, 4000);
	for (int i = 0; i < 400; i++) {
		rig_send_some(&rig, 1);
		sent[rig.sent[0]->upstream->index]++;
		rig_answer(&rig, 0);
		rig_record_all(&rig);
	}
	assert_in_range(sent[0], 95, 105);
	assert_in_range(sent[1], 295, 305);
	rig_finish(&rig);
}

static void a_batch_is_no_larger_than_the_account_can_take(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].tokens_per_minute = 1000;
	rig_start(&rig);
	rig.text_len = 400;
	rig_ask(&rig, &a, &bulk, 0, 20);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	/* 950 permits at a time, 5 % kept back; 100 for a text and one more for the request. */
	assert_int_equal(rig_texts(&rig, 0), 9);
	rig_finish(&rig);
	assert_int_equal(a.ok, 20);
}

static void a_text_that_no_account_can_take_fails_and_says_so(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].tokens_per_minute = 1000;
	rig_start(&rig);
	rig.text_len = 5000;
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_in_all, 0);
	assert_int_equal(a.status[0], EMBED_TOO_LARGE);
	assert_non_null(strstr(a.error.message, "raise the account's limit"));
	rig_finish(&rig);
}

static void before_the_first_answer_little_is_sent(void **state)
{
	struct wire_headers headers;
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig.core->upstreams[0].permits.knowledge = LIMITER_UNKNOWN_YET;
	rig.text_len = 400;
	rig_ask(&rig, &a, &bulk, 0, 4000);
	rig_send(&rig);
	assert_in_range(rig.core->upstreams[0].permits.under_way, 30000, 40000);
	wire_headers_init(&headers);
	headers.tokens.limit = 1000000;
	headers.tokens.remaining = 960000;
	rig_answer_with(&rig, 0, &headers, 0);
	rig_send(&rig);
	assert_true(rig.core->upstreams[0].permits.under_way > 100000);
	rig_finish(&rig);
}

static void vectors_that_are_not_stored_yet_hold_back_what_is_new(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.options.vector_bytes = 4 * 6144 * 10;
	rig_start(&rig);
	rig_ask(&rig, &a, &bulk, 0, 200);
	rig_send(&rig);
	rig_answer_all(&rig);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 0);
	rig_record_all(&rig);
	rig_send(&rig);
	assert_true(rig.sent_count > 0);
	rig_finish(&rig);
}

static void the_wait_that_is_told_is_about_the_wait_there_is(void **state)
{
	struct rig rig;
	int64_t told_us, asked_us;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].tokens_per_minute = 60000;
	rig_start(&rig);
	assert_int_equal(core_wait_us(rig.core, EMBED_LANE_BULK, rig.now_us), 0);
	rig.text_len = 4000;
	rig_ask(&rig, &a, &bulk, 0, 1000);
	for (int i = 0; i < 300; i++) {
		rig_wait(&rig, 100000);
		rig_answer_all(&rig);
		rig_record_all(&rig);
	}
	told_us = core_wait_us(rig.core, EMBED_LANE_BULK, rig.now_us);
	asked_us = rig.now_us;
	rig_ask(&rig, &b, &bulk, 5000, 1);
	while (b.done == 0) {
		rig_wait(&rig, 100000);
		rig_answer_all(&rig);
		rig_record_all(&rig);
	}
	assert_in_range(
	    told_us, (rig.now_us - asked_us) * 8 / 10, (rig.now_us - asked_us) * 13 / 10);
	rig_finish(&rig);
}

static void only_those_who_take_token_ids_get_them(void **state)
{
	const uint32_t ids[] = {1, 2, 3};
	const struct engine_text text = {.ids = ids, .id_count = 3, .tokens = 3};
	const struct engine_callbacks callbacks = {rig_on_text, rig_on_done, &a};
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.upstreams[0].no_token_ids = true;
	rig_start(&rig);
	a = (struct asked){0};
	assert_int_equal(engine_job_create(&a.job, &plain, &text, 1, &callbacks, NULL), EMBED_OK);
	engine_job_ref(a.job);
	core_submit(rig.core, a.job, rig.now_us);
	rig_send(&rig);
	assert_int_equal(rig.sent[0]->upstream->index, 1);
	assert_memory_equal(rig.sent[0]->batch->texts.first->json, "[1,2,3]", 7);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_text_goes_at_once_when_a_slot_is_free),
	    cmocka_unit_test(texts_pile_up_only_while_all_slots_are_taken),
	    cmocka_unit_test(texts_of_one_turn_travel_together),
	    cmocka_unit_test(a_batch_holds_no_more_than_2048_texts),
	    cmocka_unit_test(a_batch_holds_no_more_than_295000_tokens),
	    cmocka_unit_test(a_batch_holds_no_more_than_300000_by_the_providers_count),
	    cmocka_unit_test(a_batch_is_no_larger_than_its_upstream_allows),
	    cmocka_unit_test(what_waits_is_spread_over_free_slots),
	    cmocka_unit_test(interactive_goes_before_bulk),
	    cmocka_unit_test(bulk_has_its_turn_however_much_is_interactive),
	    cmocka_unit_test(bulk_leaves_a_slot_for_interactive_texts),
	    cmocka_unit_test(keys_share_tokens_by_weight),
	    cmocka_unit_test(one_keys_flood_does_not_delay_anothers_query),
	    cmocka_unit_test(upstreams_share_the_work_as_they_are_set),
	    cmocka_unit_test(a_batch_is_no_larger_than_the_account_can_take),
	    cmocka_unit_test(a_text_that_no_account_can_take_fails_and_says_so),
	    cmocka_unit_test(before_the_first_answer_little_is_sent),
	    cmocka_unit_test(vectors_that_are_not_stored_yet_hold_back_what_is_new),
	    cmocka_unit_test(the_wait_that_is_told_is_about_the_wait_there_is),
	    cmocka_unit_test(only_those_who_take_token_ids_get_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
