/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "emulator/fault.h"

static const struct embed_text texts[] = {
    {.bytes = "one", .len = 3}, {.bytes = "MARKED", .len = 6}};
static const struct fault_request marked = {
    FAULT_ON_EMBEDDINGS, "sk-a", "text-embedding-3-small", texts, 2};
static const struct fault_request plain = {
    FAULT_ON_EMBEDDINGS, "sk-b", "text-embedding-3-large", texts, 1};

static void add(struct fault_set *set, const char *spec)
{
	struct embed_error error;

	if (fault_set_add(set, spec, strlen(spec), &error) != EMBED_OK)
		fail_msg("%s: %s", spec, error.message);
}

static enum fault pick(struct fault_set *set, const struct fault_request *request)
{
	return fault_set_pick(set, request).fault;
}

static void without_rules_nothing_goes_wrong(void **state)
{
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	assert_int_equal(pick(&set, &plain), FAULT_none);
}

static void the_next_requests_go_wrong_and_then_no_more(void **state)
{
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	add(&set, "reset@next=2");
	assert_int_equal(pick(&set, &plain), FAULT_reset);
	assert_int_equal(pick(&set, &plain), FAULT_reset);
	assert_int_equal(pick(&set, &plain), FAULT_none);
}

static void rules_take_their_turns_in_the_order_they_came(void **state)
{
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	add(&set, "stall@next=1");
	add(&set, "nan");
	assert_int_equal(pick(&set, &plain), FAULT_stall);
	assert_int_equal(pick(&set, &plain), FAULT_nan);
}

static void filters_on_text_key_model_and_size_must_all_hold(void **state)
{
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	add(&set, "reset@text=MARK@key=sk-a@model=text-embedding-3-small@min-texts=2");
	assert_int_equal(pick(&set, &plain), FAULT_none);
	assert_int_equal(pick(&set, &marked), FAULT_reset);
	fault_set_clear(&set);
	add(&set, "reset@min-texts=3");
	assert_int_equal(pick(&set, &marked), FAULT_none);
	fault_set_clear(&set);
	add(&set, "reset@on=batches");
	assert_int_equal(pick(&set, &marked), FAULT_none);
}

static void every_third_after_the_first_two(void **state)
{
	static const enum fault wanted[] = {FAULT_none, FAULT_none, FAULT_none, FAULT_none,
	    FAULT_close, FAULT_none, FAULT_none, FAULT_close};
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	add(&set, "close@skip=2@every=3");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_int_equal(pick(&set, &plain), wanted[i]);
}

static void a_percentage_strikes_about_that_often_and_the_same_with_the_same_seed(void **state)
{
	struct fault_set set, again;
	int struck = 0;

	(void)state;
	fault_set_init(&set, 7);
	fault_set_init(&again, 7);
	add(&set, "html_502@5%");
	add(&again, "html_502@5%");
	for (int i = 0; i < 10000; i++) {
		enum fault fault = pick(&set, &plain);

		assert_int_equal(fault, pick(&again, &plain));
		struck += fault == FAULT_refusal;
	}
	assert_in_range(struck, 400, 600);
}

static void an_error_answer_carries_its_parameters(void **state)
{
	struct fault_order order;
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	add(&set, "rate_tokens@retry-after=56@retry-after-ms=1500@should-retry=false");
	order = fault_set_pick(&set, &plain);
	assert_int_equal(order.fault, FAULT_refusal);
	assert_string_equal(fault_name(&order), "RATE_TOKENS");
	assert_string_equal(order.retry_after, "56");
	assert_string_equal(order.retry_after_ms, "1500");
	assert_string_equal(order.should_retry, "false");
}

static void nonsense_is_refused_with_a_sentence(void **state)
{
	static const char *const specs[] = {"", "nothing_like_it", "reset@", "reset@5",
	    "reset@101%", "reset@next=", "reset@next=-1", "reset@next=1x", "reset@every=0",
	    "reset@on=moon", "reset@colour=red", "@next=1",
	    "reset@text=", "trickle@pause-ms=99999999",
	    "reset@text=0123456789012345678901234567890123456789012345678901234567890123456789"};
	struct embed_error error;
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		assert_int_equal(
		    fault_set_add(&set, specs[i], strlen(specs[i]), &error), EMBED_BAD_FORMAT);
		assert_true(strlen(error.message) > 10);
	}
	assert_int_equal(set.count, 0);
}

static void there_is_an_end_to_rules(void **state)
{
	struct embed_error error;
	struct fault_set set;

	(void)state;
	fault_set_init(&set, 1);
	for (int i = 0; i < FAULT_RULES_MAX; i++)
		add(&set, "reset");
	assert_int_equal(fault_set_add(&set, "reset", 5, &error), EMBED_TOO_LARGE);
}

static void every_error_answer_has_a_name_that_is_found(void **state)
{
	(void)state;
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		const char *name = refusal_name((enum refusal)i);

		assert_int_equal(refusal_find(name, strlen(name)), i);
		assert_in_range(refusal_http_status((enum refusal)i), 400, 599);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_rules_nothing_goes_wrong),
	    cmocka_unit_test(the_next_requests_go_wrong_and_then_no_more),
	    cmocka_unit_test(rules_take_their_turns_in_the_order_they_came),
	    cmocka_unit_test(filters_on_text_key_model_and_size_must_all_hold),
	    cmocka_unit_test(every_third_after_the_first_two),
	    cmocka_unit_test(a_percentage_strikes_about_that_often_and_the_same_with_the_same_seed),
	    cmocka_unit_test(an_error_answer_carries_its_parameters),
	    cmocka_unit_test(nonsense_is_refused_with_a_sentence),
	    cmocka_unit_test(there_is_an_end_to_rules),
	    cmocka_unit_test(every_error_answer_has_a_name_that_is_found),
	};

	return cmocka_run_group_tests_name("emulator.fault", tests, NULL, NULL);
}
