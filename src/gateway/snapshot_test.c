/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "gateway/snapshot.h"

static struct snapshot snapshot;
static const struct key key = {
    .name = "search", .rpm = 60, .budget_nano = 5000000000, .period = KEY_PERIOD_MONTH};

static const struct spending_key used = {.name = "search", .month = {.cost_nano = 77}};

static int fill(void **state)
{
	uint64_t number = 1;

	(void)state;
	memset(&snapshot, 0, sizeof(snapshot));
#define ROW(name, kind, unit, meaning) snapshot.stats.name = number++;
	EMBED_STATS_TABLE(ROW)
#undef ROW
	snapshot.sequence = 7;
	snapshot.time_ms = 1700000000123;
	snapshot.latency[EMBED_LATENCY_miss].p99_us = 4321;
	snapshot.errors[EMBED_QUOTA] = (struct snapshot_error){.count = 4, .last_s = 1700000000};
	snapshot.fault_count = 1;
	snapshot.faults[0] = (struct log_recent){
	    .event = "attempt_failed", .text = "status=500", .advice = "wait", .count = 9};
	snapshot.raised_count = 1;
	snapshot.raised[0] = (struct alarm_event){.time_s = 5,
	    .kind = ALARM_BREAKER_OPEN,
	    .is_raised = true,
	    .value = 1,
	    .subject = "openai"};
	snapshot.upstream_count = 1;
	snapshot.upstreams[0] = (struct embed_upstream_state){.name = "a \"quoted\"\nname",
	    .base_url = "https://user:s@cret@api.example/v1",
	    .breaker = "closed",
	    .last_error = "broken\tpipe"};
	snapshot.key_total = 3;
	snapshot.key_count = 1;
	snapshot.keys[0] = (struct snapshot_key){.key = &key, .used = &used, .requests_left = 59};
	return 0;
}

static json_t *written(void)
{
	struct buffer out;
	json_t *json;

	buffer_init(&out, 1 << 20);
	snapshot_write(&out, &snapshot);
	assert_int_equal(out.status, EMBED_OK);
	assert_null(memchr(out.bytes, '\n', out.len));
	json = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	buffer_fini(&out);
	return json;
}

static int64_t number_at(json_t *json, const char *object, const char *name)
{
	json_t *value = json_object_get(json_object_get(json, object), name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void every_counter_is_there_by_its_name(void **state)
{
	json_t *json = written();
	int64_t number = 1;

	(void)state;
#define ROW(name, kind, unit, meaning) assert_int_equal(number_at(json, "stats", #name), number++);
	EMBED_STATS_TABLE(ROW)
#undef ROW
	json_decref(json);
}

static void every_latency_has_its_quantiles(void **state)
{
	json_t *json = written();
	json_t *latency = json_object_get(json, "latency");

	(void)state;
#define ROW(name, meaning) assert_int_equal(json_object_size(json_object_get(latency, #name)), 7);
	EMBED_LATENCY_TABLE(ROW)
#undef ROW
	assert_int_equal(number_at(latency, "miss", "p99_us"), 4321);
	json_decref(json);
}

static void an_error_comes_with_its_count_and_what_to_do(void **state)
{
	json_t *json = written();
	json_t *errors = json_object_get(json, "errors");
	json_t *error = json_array_get(errors, 0);

	(void)state;
	assert_int_equal(json_array_size(errors), 1);
	assert_string_equal(json_string_value(json_object_get(error, "event")), "quota_exhausted");
	assert_int_equal(json_integer_value(json_object_get(error, "count")), 4);
	assert_string_equal(
	    json_string_value(json_object_get(error, "do")), embed_status_advice(EMBED_QUOTA));
	json_decref(json);
}

static void what_the_log_told_is_there_with_what_to_do(void **state)
{
	json_t *json = written();
	json_t *fault = json_array_get(json_object_get(json, "faults"), 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(fault, "event")), "attempt_failed");
	assert_string_equal(json_string_value(json_object_get(fault, "do")), "wait");
	assert_int_equal(json_integer_value(json_object_get(fault, "count")), 9);
	json_decref(json);
}

static void an_alarm_that_is_raised_says_of_what_and_what_to_do(void **state)
{
	json_t *json = written();
	json_t *alarms = json_object_get(json, "alarms");
	json_t *raised = json_array_get(json_object_get(alarms, "raised"), 0);

	(void)state;
	assert_string_equal(
	    json_string_value(json_object_get(raised, "alarm")), alarm_code(ALARM_BREAKER_OPEN));
	assert_string_equal(json_string_value(json_object_get(raised, "subject")), "openai");
	assert_string_equal(
	    json_string_value(json_object_get(raised, "do")), alarm_advice(ALARM_BREAKER_OPEN));
	assert_int_equal(json_array_size(json_object_get(alarms, "events")), 0);
	json_decref(json);
}

static void names_of_others_cannot_break_the_line_or_the_json(void **state)
{
	json_t *json = written();
	json_t *upstream = json_array_get(json_object_get(json, "upstreams"), 0);

	(void)state;
	assert_string_equal(
	    json_string_value(json_object_get(upstream, "name")), "a \"quoted\"\nname");
	assert_string_equal(
	    json_string_value(json_object_get(upstream, "last_error")), "broken\tpipe");
	json_decref(json);
}

static void a_password_in_a_base_url_is_not_shown(void **state)
{
	json_t *json = written();
	json_t *upstream = json_array_get(json_object_get(json, "upstreams"), 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(upstream, "host")), "api.example/v1");
	json_decref(json);
}

static void keys_are_named_with_their_limits_and_all_are_counted(void **state)
{
	json_t *json = written();
	json_t *shown = json_array_get(json_object_get(json, "keys"), 0);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(json, "key_total")), 3);
	assert_int_equal(json_array_size(json_object_get(json, "keys")), 1);
	assert_string_equal(json_string_value(json_object_get(shown, "name")), "search");
	assert_string_equal(json_string_value(json_object_get(shown, "period")), "month");
	assert_int_equal(json_integer_value(json_object_get(shown, "requests_left")), 59);
	assert_int_equal(number_at(shown, "month", "cost_nano"), 77);
	json_decref(json);
}

static void who_is_in_the_ledger_without_a_key_is_shown_too(void **state)
{
	json_t *json, *shown;

	(void)state;
	snapshot.keys[0] = (struct snapshot_key){.used = &used};
	json = written();
	shown = json_array_get(json_object_get(json, "keys"), 0);
	assert_string_equal(json_string_value(json_object_get(shown, "name")), "search");
	assert_true(json_is_false(json_object_get(shown, "is_known")));
	assert_int_equal(number_at(shown, "month", "cost_nano"), 77);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(every_counter_is_there_by_its_name, fill),
	    cmocka_unit_test_setup(every_latency_has_its_quantiles, fill),
	    cmocka_unit_test_setup(an_error_comes_with_its_count_and_what_to_do, fill),
	    cmocka_unit_test_setup(what_the_log_told_is_there_with_what_to_do, fill),
	    cmocka_unit_test_setup(an_alarm_that_is_raised_says_of_what_and_what_to_do, fill),
	    cmocka_unit_test_setup(names_of_others_cannot_break_the_line_or_the_json, fill),
	    cmocka_unit_test_setup(a_password_in_a_base_url_is_not_shown, fill),
	    cmocka_unit_test_setup(keys_are_named_with_their_limits_and_all_are_counted, fill),
	    cmocka_unit_test_setup(who_is_in_the_ledger_without_a_key_is_shown_too, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
