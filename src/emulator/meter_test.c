/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "emulator/meter.h"

static void bill(struct meter *meter, const char *key, const char *text, uint64_t tokens)
{
	const struct embed_text texts[] = {{.bytes = text, .len = strlen(text)}};
	const struct meter_bill one = {key, "text-embedding-3-small", texts, 1, tokens, 4, false};

	meter_bill(meter, &one);
}

static json_t *shown(const struct meter *meter)
{
	struct buffer out;
	json_t *object;

	buffer_init(&out, 1 << 20);
	buffer_append_char(&out, '{');
	meter_write(meter, &out);
	buffer_append_char(&out, '}');
	assert_int_equal(out.status, EMBED_OK);
	object = json_loadb(out.bytes, out.len, 0, NULL);
	buffer_fini(&out);
	assert_non_null(object);
	return object;
}

static void what_is_billed_is_summed_in_all_by_key_and_by_model(void **state)
{
	struct meter *meter = meter_create();
	json_int_t a, all, model;
	json_t *object;

	(void)state;
	bill(meter, "sk-a", "one", 3);
	bill(meter, "sk-b", "two", 5);
	bill(meter, "sk-a", "three", 7);
	object = shown(meter);
	assert_int_equal(
	    json_unpack(object, "{s:I,s:{s:{s:I}},s:{s:{s:I}}}", "tokens", &all, "keys", "sk-a",
		"tokens", &a, "models", "text-embedding-3-small", "tokens", &model),
	    0);
	assert_int_equal(all, 15);
	assert_int_equal(a, 10);
	assert_int_equal(model, 15);
	json_decref(object);
	meter_destroy(meter);
}

static void a_text_billed_again_is_counted_however_many_there_are(void **state)
{
	struct meter *meter = meter_create();
	char text[32];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "text %d", i % 9000);
		bill(meter, "sk-a", text, 2);
	}
	assert_int_equal(meter->repeated_texts, 1000);
	assert_false(meter->seen.is_full);
	meter_destroy(meter);
}

static void more_keys_than_there_is_room_for_share_the_last_place(void **state)
{
	struct meter *meter = meter_create();
	uint64_t tokens = 0;
	char key[32];

	(void)state;
	for (int i = 0; i < METER_GROUPS_MAX + 50; i++) {
		snprintf(key, sizeof(key), "sk-%d", i);
		bill(meter, key, key, 1);
	}
	assert_int_equal(meter->keys.count, METER_GROUPS_MAX);
	for (size_t i = 0; i < meter->keys.count; i++)
		tokens += meter->keys.groups[i].tokens;
	assert_int_equal(tokens, METER_GROUPS_MAX + 50);
	meter_destroy(meter);
}

static void the_peak_stays_when_the_work_is_done_and_reset_forgets_it(void **state)
{
	struct meter *meter = meter_create();

	(void)state;
	meter_begin(meter);
	meter_begin(meter);
	meter_end(meter);
	assert_int_equal(meter->working, 1);
	assert_int_equal(meter->working_peak, 2);
	meter_reset(meter);
	assert_int_equal(meter->working, 1);
	assert_int_equal(meter->working_peak, 1);
	meter_end(meter);
	meter_destroy(meter);
}

static void names_with_quotes_do_not_break_the_json(void **state)
{
	struct meter *meter = meter_create();

	(void)state;
	bill(meter, "a\"b\\c\n\xff", "text", 1);
	meter_status(meter, 200);
	meter_status(meter, 0);
	json_decref(shown(meter));
	meter_destroy(meter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_billed_is_summed_in_all_by_key_and_by_model),
	    cmocka_unit_test(a_text_billed_again_is_counted_however_many_there_are),
	    cmocka_unit_test(more_keys_than_there_is_room_for_share_the_last_place),
	    cmocka_unit_test(the_peak_stays_when_the_work_is_done_and_reset_forgets_it),
	    cmocka_unit_test(names_with_quotes_do_not_break_the_json),
	};

	return cmocka_run_group_tests_name("emulator.meter", tests, NULL, NULL);
}
