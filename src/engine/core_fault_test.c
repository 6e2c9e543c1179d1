/* SPDX-License-Identifier: MIT */
/* Refusals, faults, limits and dead upstreams. */
#include "engine/core_rig.h"

static const struct engine_job_spec plain = {.model = "m"};
static const struct engine_job_spec bulk = {.model = "m", .lane = EMBED_LANE_BULK};
static struct asked a, b;

#define POISON 7

/* Refuses what holds text number POISON, answers the rest; gives how many were refused. */
static size_t refuse_poison(struct rig *rig, bool is_named)
{
	size_t refused = 0;

	for (int i = 0; i < 10000 && a.done == 0; i++) {
		const struct flight *flight;
		size_t place = 0;
		bool is_bad = false;
		char body[256];

		rig_wait(rig, 1000);
		if (rig->sent_count == 0)
			continue;
		for (flight = rig->sent[0]->batch->texts.first; flight && !is_bad;
		     flight = flight->next) {
			is_bad = flight_digest(flight)->bytes[0] == POISON &&
				 flight_digest(flight)->bytes[1] == 0;
			place += !is_bad;
		}
		if (!is_bad) {
			rig_answer(rig, 0);
			continue;
		}
		refused++;
		snprintf(body, sizeof(body),
		    "{\"error\":{\"message\":\"Invalid 'input[%zu]': input cannot be an empty "
		    "string\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}",
		    place);
		rig_refuse(rig, 0, 400, is_named ? body : RIG_BAD_INPUT);
	}
	return refused;
}

static void a_refused_batch_is_halved_until_the_bad_text_stands_alone(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 64);
	assert_int_equal(refuse_poison(&rig, false), 7);
	assert_int_equal(a.ok, 63);
	assert_int_equal(a.failed, 1);
	assert_int_equal(a.status[POISON], EMBED_REFUSED);
	rig_finish(&rig);
}

static void a_text_that_the_answer_names_is_taken_out_directly(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 64);
	assert_int_equal(refuse_poison(&rig, true), 2);
	assert_int_equal(a.ok, 63);
	assert_int_not_equal(a.status[POISON], EMBED_OK);
	rig_finish(&rig);
}

static void a_request_that_is_refused_in_all_its_parts_is_not_cut_for_ever(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 2000);
	for (int i = 0; i < 1000 && a.done == 0; i++) {
		rig_wait(&rig, 1000);
		if (rig.sent_count > 0)
			rig_refuse(&rig, 0, 400, RIG_BAD_INPUT);
	}
	assert_int_equal(a.failed, 2000);
	assert_true(rig.sent_in_all < 200);
	rig_finish(&rig);
}

static void a_timeout_never_splits_and_asks_for_a_new_connection(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 100);
	rig_send(&rig);
	rig_time_out(&rig, 0);
	rig_wait(&rig, 10000000);
	assert_int_equal(rig.sent_count, 1);
	assert_int_equal(rig_texts(&rig, 0), 100);
	assert_true(rig.sent[0]->batch->is_fresh);
	assert_int_equal(rig.sent[0]->record.retry, 1);
	rig_finish(&rig);
	assert_int_equal(a.ok, 100);
}

static void a_rate_limit_never_splits_and_is_waited_out(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 100);
	rig_send(&rig);
	rig_refuse(&rig, 0, 429, RIG_RATE);
	rig_wait(&rig, 2811000);
	assert_int_equal(rig.sent_count, 0);
	rig_wait(&rig, 1000000);
	assert_int_equal(rig_texts(&rig, 0), 100);
	rig_finish(&rig);
	assert_int_equal(a.ok, 100);
}

static void after_a_rate_limit_nobody_sends_until_it_is_over(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_refuse(&rig, 0, 429, RIG_RATE);
	rig_ask(&rig, &b, &plain, 10, 1);
	rig_wait(&rig, 2000000);
	assert_int_equal(rig.sent_count, 0);
	rig_finish(&rig);
}

static void overload_takes_slots_away(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_refuse(&rig, 0, 429, RIG_RATE);
	assert_int_equal(slots_count(&rig.core->upstreams[0].slots), 5);
	rig_finish(&rig);
}

static void a_request_above_the_limit_is_cut_and_teaches_the_limit(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig.text_len = 4000;
	rig_ask(&rig, &a, &bulk, 0, 60);
	rig_send(&rig);
	rig_refuse(&rig, 0, 429,
	    "{\"error\":{\"message\":\"Request too large for m in organization o on tokens per min "
	    "(TPM): Limit 40000, Requested 60000.\",\"type\":\"tokens\",\"param\":null,"
	    "\"code\":\"rate_limit_exceeded\"}}");
	assert_true(rig.core->upstreams[0].permits.limit == 40000);
	rig_wait(&rig, 120000000);
	assert_int_equal(rig_texts(&rig, 0), 30);
	rig_finish(&rig);
	assert_int_equal(a.ok, 60);
}

static void no_money_stops_everything_at_once_with_a_sentence(void **state)
{
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &plain, 10, 100);
	rig_refuse(&rig, 0, 429, RIG_QUOTA);
	rig_send(&rig);
	assert_int_equal(rig.sent_in_all, 1);
	assert_int_equal(a.status[0], EMBED_QUOTA);
	assert_int_equal(b.failed, 100);
	assert_int_equal(b.status[99], EMBED_QUOTA);
	assert_true(strlen(b.error.message) > 40);
	rig_finish(&rig);
}

static void after_a_while_a_barred_account_is_tried_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_refuse(&rig, 0, 401, RIG_BAD_KEY);
	assert_int_equal(a.status[0], EMBED_UNAUTHORIZED);
	rig_wait(&rig, UPSTREAM_BAR_US);
	rig_ask(&rig, &b, &plain, 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	rig_finish(&rig);
}

static void a_callers_own_bad_key_harms_nobody_else(void **state)
{
	const struct engine_job_spec own = {.model = "m", .authorization = "sk-own"};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &own, 0, 1);
	rig_send(&rig);
	rig_refuse(&rig, 0, 401, RIG_BAD_KEY);
	rig_ask(&rig, &b, &plain, 1, 1);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	rig_finish(&rig);
}

static void what_one_account_cannot_pay_another_does(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 2);
	rig_ask(&rig, &a, &plain, 0, 10);
	rig_send(&rig);
	assert_int_equal(rig.sent[0]->upstream->index, 0);
	rig_refuse(&rig, 0, 429, RIG_QUOTA);
	rig_send(&rig);
	assert_int_equal(rig.sent[0]->upstream->index, 1);
	rig_answer(&rig, 0);
	assert_int_equal(a.ok, 10);
	rig_finish(&rig);
}

static void a_fault_fails_over_without_waiting(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 2);
	rig_ask(&rig, &a, &plain, 0, 10);
	rig_send(&rig);
	rig_refuse(&rig, 0, 500, RIG_SERVER);
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	assert_int_equal(rig.sent[0]->upstream->index, 1);
	rig_finish(&rig);
}

static void an_upstream_that_keeps_failing_is_left_alone_then_tried_by_one(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].batch_texts = 1;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 0, 40);
	rig_send(&rig);
	while (rig.sent_count > 0)
		rig_refuse(&rig, 0, 500, RIG_SERVER);
	rig_wait(&rig, 900000);
	assert_int_equal(rig.sent_count, 0);
	rig_wait(&rig, 400000);
	assert_int_equal(rig.sent_count, 1);
	rig_answer(&rig, 0);
	rig_send(&rig);
	assert_true(rig.sent_count > 1);
	rig_finish(&rig);
}

static void attempts_are_bounded(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.options.max_attempts = 4;
	rig.options.retry_deadline_ms = 1000000;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	for (int i = 0; i < 1000 && a.done == 0; i++) {
		rig_wait(&rig, 1000000);
		if (rig.sent_count > 0)
			rig_refuse(&rig, 0, 500, RIG_SERVER);
	}
	assert_int_equal(rig.sent_in_all, 4);
	assert_int_equal(a.status[0], EMBED_UPSTREAM);
	assert_non_null(strstr(a.error.message, "gave up after 4 attempts"));
	rig_finish(&rig);
}

static void total_time_is_bounded(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.options.max_attempts = 1000;
	rig.options.retry_deadline_ms = 5000;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	while (a.done == 0) {
		rig_wait(&rig, 100000);
		if (rig.sent_count > 0)
			rig_refuse(&rig, 0, 500, RIG_SERVER);
		assert_true(rig.now_us < 7000000);
	}
	rig_finish(&rig);
}

static void a_wait_of_a_day_is_not_waited_for(void **state)
{
	struct wire_headers headers;
	struct rig rig;

	(void)state;
	rig_open_narrow(&rig);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	rig_ask(&rig, &b, &plain, 10, 1);
	wire_headers_init(&headers);
	wire_headers_read_line(&headers, "retry-after: 86400\r\n", 20);
	rig_refuse_with(&rig, 0, 429, &headers, RIG_RATE);
	rig_send(&rig);
	assert_int_equal(a.status[0], EMBED_RATE_LIMITED);
	assert_int_equal(b.status[0], EMBED_RATE_LIMITED);
	rig_finish(&rig);
}

static void when_nothing_has_worked_for_long_what_waits_is_told(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.upstreams[0].max_in_flight = 1;
	rig.upstreams[0].batch_texts = 1;
	rig.options.retry_deadline_ms = 5000;
	rig_start(&rig);
	rig_ask(&rig, &a, &plain, 0, 500);
	while (a.done == 0) {
		rig_wait(&rig, 100000);
		while (rig.sent_count > 0)
			rig_refuse(&rig, 0, 500, RIG_SERVER);
		assert_true(rig.now_us < 20000000);
		rig_record_all(&rig);
	}
	assert_int_equal(a.failed, 500);
	rig_finish(&rig);
}

static void a_dead_connection_is_replaced_at_once(void **state)
{
	struct wire_fault fault = {.verdict = WIRE_RETRY, .wait_ms = -1, .limit = -1};
	const struct core_answer answer = {.fault = &fault, .is_stale = true};
	struct rig rig;

	(void)state;
	rig_open(&rig, 1);
	rig_ask(&rig, &a, &plain, 0, 1);
	rig_send(&rig);
	error_set(&fault.error, EMBED_UPSTREAM, "reset");
	core_answer(rig.core, rig.sent[0], &answer, rig.now_us);
	rig.sent_count = 0;
	rig_send(&rig);
	assert_int_equal(rig.sent_count, 1);
	assert_true(rig.sent[0]->batch->is_fresh);
	assert_int_equal(rig.core->upstreams[0].breaker.failures, 0);
	rig_finish(&rig);
}

static void an_unknown_model_is_asked_of_every_upstream_once(void **state)
{
	static const char body[] =
	    "{\"error\":{\"message\":\"The model `m` does not exist or you do not have access to "
	    "it.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"model_not_found\"}}";
	struct rig rig;

	(void)state;
	rig_open(&rig, 3);
	rig_ask(&rig, &a, &plain, 0, 5);
	for (int i = 0; i < 3; i++) {
		rig_send(&rig);
		rig_refuse(&rig, 0, 404, body);
	}
	rig_send(&rig);
	assert_int_equal(rig.sent_in_all, 3);
	assert_int_equal(a.status[4], EMBED_NO_SUCH_MODEL);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_refused_batch_is_halved_until_the_bad_text_stands_alone),
	    cmocka_unit_test(a_text_that_the_answer_names_is_taken_out_directly),
	    cmocka_unit_test(a_request_that_is_refused_in_all_its_parts_is_not_cut_for_ever),
	    cmocka_unit_test(a_timeout_never_splits_and_asks_for_a_new_connection),
	    cmocka_unit_test(a_rate_limit_never_splits_and_is_waited_out),
	    cmocka_unit_test(after_a_rate_limit_nobody_sends_until_it_is_over),
	    cmocka_unit_test(overload_takes_slots_away),
	    cmocka_unit_test(a_request_above_the_limit_is_cut_and_teaches_the_limit),
	    cmocka_unit_test(no_money_stops_everything_at_once_with_a_sentence),
	    cmocka_unit_test(after_a_while_a_barred_account_is_tried_again),
	    cmocka_unit_test(a_callers_own_bad_key_harms_nobody_else),
	    cmocka_unit_test(what_one_account_cannot_pay_another_does),
	    cmocka_unit_test(a_fault_fails_over_without_waiting),
	    cmocka_unit_test(an_upstream_that_keeps_failing_is_left_alone_then_tried_by_one),
	    cmocka_unit_test(attempts_are_bounded),
	    cmocka_unit_test(total_time_is_bounded),
	    cmocka_unit_test(a_wait_of_a_day_is_not_waited_for),
	    cmocka_unit_test(when_nothing_has_worked_for_long_what_waits_is_told),
	    cmocka_unit_test(a_dead_connection_is_replaced_at_once),
	    cmocka_unit_test(an_unknown_model_is_asked_of_every_upstream_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
