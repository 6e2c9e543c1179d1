/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "wire/reply.h"

static void the_bound_for_a_reply_holds(void **state)
{
	static float vector[3] = {-1.1754944e-38f, -8.761882781982422e-6f, -0.00012345678f};
	struct wire_reply_writer writer;
	struct buffer body;

	(void)state;
	buffer_init(&body, 1 << 20);
	for (int layout = 0; layout < 2; layout++) {
		for (int format = 0; format < 2; format++) {
			buffer_reset(&body);
			wire_reply_begin(
			    &writer, &body, (enum wire_layout)layout, (enum wire_format)format);
			for (size_t i = 0; i < 100; i++)
				wire_reply_add(&writer, i, vector, 3);
			wire_reply_finish(&writer, "text-embedding-3-small", UINT64_MAX);
			assert_true(body.len <= wire_reply_bytes((enum wire_layout)layout,
						    (enum wire_format)format, 100, 3));
		}
	}
	buffer_fini(&body);
}

static void writes_openais_two_layouts(void **state)
{
	static const float vector[2] = {0.0209503173828125f, -1.0f};
	struct wire_reply_writer writer;
	struct buffer body;

	(void)state;
	buffer_init(&body, 1 << 20);
	wire_reply_begin(&writer, &body, WIRE_LAYOUT_COMPACT, WIRE_FORMAT_FLOAT);
	wire_reply_add(&writer, 0, vector, 2);
	wire_reply_add_text(&writer, 7, "null", 4);
	wire_reply_finish(&writer, "m", 6);
	assert_string_equal(
	    buffer_reserve(&body, 1) ? (body.bytes[body.len] = '\0', body.bytes) : "",
	    "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":"
	    "[0.0209503173828125,-1.0],\"index\":0},{\"object\":\"embedding\",\"embedding\":null,"
	    "\"index\":7}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":6,\"total_tokens\":6}}");
	buffer_reset(&body);
	wire_reply_begin(&writer, &body, WIRE_LAYOUT_INDENTED, WIRE_FORMAT_FLOAT);
	wire_reply_add(&writer, 0, vector, 2);
	wire_reply_finish(&writer, "m", 6);
	assert_string_equal(
	    buffer_reserve(&body, 1) ? (body.bytes[body.len] = '\0', body.bytes) : "",
	    "{\n  \"object\": \"list\",\n  \"data\": [\n    {\n      \"object\": \"embedding\",\n"
	    "      \"index\": 0,\n      \"embedding\": [\n        0.020950317,\n        -1\n      ]\n"
	    "    }\n  ],\n  \"model\": \"m\",\n  \"usage\": {\n    \"prompt_tokens\": 6,\n"
	    "    \"total_tokens\": 6\n  }\n}\n");
	buffer_fini(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_bound_for_a_reply_holds),
	    cmocka_unit_test(writes_openais_two_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
