/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "wire/refusal.h"

static json_t *error_of(struct buffer *out)
{
	json_t *root = json_loadb(out->bytes, out->len, 0, NULL);
	json_t *error = json_incref(json_object_get(root, "error"));

	assert_non_null(error);
	assert_int_equal(json_object_size(root), 1);
	assert_int_equal(json_object_size(error), 4);
	json_decref(root);
	return error;
}

static void fills_message_param_and_code_in_that_order(void **state)
{
	struct buffer out;
	json_t *error;

	(void)state;
	buffer_init(&out, 10000);
	wire_refusal_write(&out, WIRE_REFUSAL_UNKNOWN_FIELD, "fo\"o", "fo\"o", NULL);
	error = error_of(&out);
	assert_string_equal(
	    json_string_value(json_object_get(error, "message")), "Unknown parameter: 'fo\"o'.");
	assert_string_equal(json_string_value(json_object_get(error, "param")), "fo\"o");
	assert_string_equal(json_string_value(json_object_get(error, "code")), "unknown_parameter");
	json_decref(error);
	buffer_reset(&out);
	wire_refusal_write(
	    &out, WIRE_REFUSAL_NO_CREDIT, "Out of money", "billing_not_active", NULL);
	error = error_of(&out);
	assert_string_equal(json_string_value(json_object_get(error, "message")), "Out of money");
	assert_string_equal(
	    json_string_value(json_object_get(error, "code")), "billing_not_active");
	assert_true(json_is_null(json_object_get(error, "param")));
	json_decref(error);
	buffer_fini(&out);
}

static void every_row_is_openais_shape_even_without_arguments(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 10000);
	for (int id = 1; id < WIRE_REFUSAL_COUNT; id++) {
		const struct wire_refusal *row = wire_refusal_row((enum wire_refusal_id)id);
		json_t *error;

		buffer_reset(&out);
		wire_refusal_write(&out, (enum wire_refusal_id)id, NULL);
		error = error_of(&out);
		assert_true(json_is_string(json_object_get(error, "message")));
		assert_string_equal(json_string_value(json_object_get(error, "type")), row->type);
		assert_true(row->http_status >= 400 && row->http_status <= 599);
		assert_int_equal(wire_refusal_find(row->name), id);
		json_decref(error);
	}
	assert_int_equal(wire_refusal_find("nothing"), WIRE_REFUSAL_NONE);
	buffer_fini(&out);
}

static void whatever_is_echoed_comes_out_as_json(void **state)
{
	static const char odd[] = "a\"\\\n\x01 \x80 \xc3 \xed\xa0\x80 \xc3\xa9 \xf0\x9f\x98\x80";
	struct buffer out;
	json_t *error;

	(void)state;
	buffer_init(&out, 10000);
	wire_error_write(&out, odd, "t", NULL, "c");
	error = error_of(&out);
	assert_string_equal(json_string_value(json_object_get(error, "message")),
	    "a\"\\\n\x01 \xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xc3\xa9 "
	    "\xf0\x9f\x98\x80");
	assert_true(json_is_null(json_object_get(error, "param")));
	json_decref(error);
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fills_message_param_and_code_in_that_order),
	    cmocka_unit_test(every_row_is_openais_shape_even_without_arguments),
	    cmocka_unit_test(whatever_is_echoed_comes_out_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
