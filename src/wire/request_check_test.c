/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "wire/model.h"
#include "wire/request_rig.h"

static const struct wire_request_policy openai = {
    .refuse_unknown = true, .needs_model = true, .max_inputs = 3, .max_text_bytes = 20};

static void refuses_in_the_order_and_words_of_openai(void **state)
{
	static const struct {
		const char *body;
		enum wire_refusal_id id;
		enum embed_status status;
		size_t index;
		const char *message;
	} cases[] = {
	    {"{\"x\":1}", WIRE_REFUSAL_NO_MODEL, EMBED_NO_MODEL, EMBED_NO_INDEX,
		"you must provide a model parameter"},
	    {"{\"model\":\"\"}", WIRE_REFUSAL_NO_MODEL, EMBED_NO_MODEL, EMBED_NO_INDEX,
		"you must provide a model parameter"},
	    {"{\"model\":null}", WIRE_REFUSAL_NO_MODEL, EMBED_NO_MODEL, EMBED_NO_INDEX,
		"you must provide a model parameter"},
	    {"{\"model\":5}", WIRE_REFUSAL_BAD_FIELD, EMBED_BAD_FORMAT, EMBED_NO_INDEX,
		"Invalid type for 'model': expected a string, but got an integer instead."},
	    {"{\"model\":\"a\\u0000\"}", WIRE_REFUSAL_BAD_VALUE, EMBED_BAD_FORMAT, EMBED_NO_INDEX,
		"Invalid value for 'model': it holds a NUL character."},
	    {"{\"model\":\"m\",\"foo\":1}", WIRE_REFUSAL_UNKNOWN_FIELD, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX, "Unknown parameter: 'foo'."},
	    {"{\"model\":\"m\",\"encoding_format\":\"\"}", WIRE_REFUSAL_BAD_VALUE, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX,
		"Invalid value for 'encoding_format': expected one of 'float' or 'base64'."},
	    {"{\"model\":\"m\",\"encoding_format\":\"floats\"}", WIRE_REFUSAL_BAD_VALUE,
		EMBED_BAD_FORMAT, EMBED_NO_INDEX,
		"Invalid value for 'encoding_format': expected one of 'float' or 'base64'."},
	    {"{\"model\":\"m\",\"encoding_format\":1}", WIRE_REFUSAL_BAD_FIELD, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX,
		"Invalid type for 'encoding_format': expected a string, but got an integer "
		"instead."},
	    {"{\"model\":\"m\",\"user\":[]}", WIRE_REFUSAL_BAD_FIELD, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX,
		"Invalid type for 'user': expected a string, but got an array instead."},
	    {"{\"model\":\"m\",\"dimensions\":\"5\"}", WIRE_REFUSAL_BAD_FIELD, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX,
		"Invalid type for 'dimensions': expected an integer, but got a string instead."},
	    {"{\"model\":\"m\"}", WIRE_REFUSAL_MISSING_FIELD, EMBED_BAD_FORMAT, EMBED_NO_INDEX,
		"Missing required parameter: 'input'."},
	    {"{\"model\":\"m\",\"input\":null}", WIRE_REFUSAL_MISSING_FIELD, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX, "Missing required parameter: 'input'."},
	    {"{\"model\":\"m\",\"input\":[\"a\",2]}", WIRE_REFUSAL_BAD_INPUT, EMBED_BAD_FORMAT, 1,
		"'$.input' is invalid. Please check the API reference: "
		"https://platform.openai.com/docs/api-reference."},
	    {"{\"model\":\"m\",\"input\":[]}", WIRE_REFUSAL_EMPTY_INPUT, EMBED_BAD_FORMAT,
		EMBED_NO_INDEX, "Invalid 'input': input cannot be an empty array."},
	    {"{\"model\":\"m\",\"input\":\"\"}", WIRE_REFUSAL_EMPTY_TEXT, EMBED_EMPTY_TEXT, 0,
		"Invalid 'input': input cannot be an empty string."},
	    {"{\"model\":\"m\",\"input\":[\"a\",\"\"]}", WIRE_REFUSAL_EMPTY_TEXT_AT,
		EMBED_EMPTY_TEXT, 1, "Invalid 'input[1]': input cannot be an empty string"},
	    {"{\"model\":\"m\",\"input\":[[1],[]]}", WIRE_REFUSAL_EMPTY_IDS_AT, EMBED_EMPTY_TEXT, 1,
		"Invalid 'input[1]': input cannot be an empty array."},
	    {"{\"model\":\"m\",\"input\":[\"a\",\"b\",\"c\",\"d\"]}", WIRE_REFUSAL_TOO_MANY_INPUTS,
		EMBED_TOO_LARGE, EMBED_NO_INDEX,
		"Invalid 'input': array length must be 3 or less."},
	    {"{\"model\":\"m\",\"input\":[\"a\",\"123456789012345678901\"]}",
		WIRE_REFUSAL_TEXT_TOO_MANY_BYTES_AT, EMBED_TEXT_TOO_LONG, 1,
		"Invalid 'input[1]': string too long. Expected a string with maximum length 20."},
	    {"{\"model\":\"m\",\"input\":\"a\",\"dimensions\":0}",
		WIRE_REFUSAL_DIMENSIONS_TOO_SMALL, EMBED_BAD_DIMENSIONS, EMBED_NO_INDEX,
		"Invalid value for 'dimensions' = 0. Must be greater than or equal to 1."},
	    {"{\"model\":\"m\",\"input\":\"a\",\"dimensions\":1537}",
		WIRE_REFUSAL_DIMENSIONS_TOO_LARGE, EMBED_BAD_DIMENSIONS, EMBED_NO_INDEX,
		"Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536."},
	    {"{\"model\":\"m\",\"input\":\"a\",\"dimensions\":1536}", WIRE_REFUSAL_NONE, EMBED_OK,
		EMBED_NO_INDEX, NULL},
	};
	struct wire_request request;
	struct embed_error error;
	struct buffer out;
	char *copy;

	(void)state;
	wire_request_init(&request);
	buffer_init(&out, 10000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum wire_refusal_id id;
		json_t *root;

		buffer_reset(&out);
		assert_reads(&request, &copy, cases[i].body);
		memset(&error, 0, sizeof(error));
		id = wire_request_check(
		    &request, &openai, model_find("text-embedding-3-small"), &out, &error);
		if (id != cases[i].id || error.status != cases[i].status)
			fail_msg("%s: %s, %s", cases[i].body, wire_refusal_row(id)->name,
			    embed_status_code(error.status));
		free(copy);
		if (id == WIRE_REFUSAL_NONE)
			continue;
		assert_true(error.index == cases[i].index);
		assert_true(error.message[0] != '\0');
		root = json_loadb(out.bytes, out.len, 0, NULL);
		assert_string_equal(
		    json_string_value(json_object_get(json_object_get(root, "error"), "message")),
		    cases[i].message);
		json_decref(root);
	}
	buffer_fini(&out);
	wire_request_fini(&request);
}

static void a_model_that_cannot_shorten_refuses_dimensions(void **state)
{
	struct wire_request request;
	struct embed_error error;
	struct buffer out;
	char *copy;

	(void)state;
	wire_request_init(&request);
	buffer_init(&out, 10000);
	assert_reads(&request, &copy, "{\"model\":\"m\",\"input\":\"a\",\"dimensions\":1536}");
	assert_int_equal(wire_request_check(
			     &request, &openai, model_find("text-embedding-ada-002"), &out, &error),
	    WIRE_REFUSAL_NO_DIMENSIONS);
	assert_non_null(strstr(error.message, "leave `dimensions` out"));
	/* Of an unknown model anything sane passes. */
	assert_int_equal(
	    wire_request_check(&request, &openai, NULL, &out, &error), WIRE_REFUSAL_NONE);
	free(copy);
	buffer_fini(&out);
	wire_request_fini(&request);
}

static void a_lenient_server_lets_more_pass(void **state)
{
	static const struct wire_request_policy lenient = {0};
	struct wire_request request;
	struct buffer out;
	char *copy;

	(void)state;
	wire_request_init(&request);
	buffer_init(&out, 10000);
	assert_reads(&request, &copy,
	    "{\"input\":[\"a\",\"b\",\"c\",\"d\"],\"foo\":1,\"encoding_format\":null,"
	    "\"dimensions\":null,\"user\":null}");
	assert_int_equal(
	    wire_request_check(&request, &lenient, NULL, &out, NULL), WIRE_REFUSAL_NONE);
	assert_int_equal(wire_request_format(&request), WIRE_FORMAT_FLOAT);
	assert_int_equal(wire_request_dimensions(&request), 0);
	free(copy);
	assert_reads(
	    &request, &copy, "{\"input\":\"a\",\"encoding_format\":\"base64\",\"dimensions\":7}");
	assert_int_equal(
	    wire_request_check(&request, &lenient, NULL, &out, NULL), WIRE_REFUSAL_NONE);
	assert_int_equal(wire_request_format(&request), WIRE_FORMAT_BASE64);
	assert_int_equal(wire_request_dimensions(&request), 7);
	free(copy);
	buffer_fini(&out);
	wire_request_fini(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_in_the_order_and_words_of_openai),
	    cmocka_unit_test(a_model_that_cannot_shorten_refuses_dimensions),
	    cmocka_unit_test(a_lenient_server_lets_more_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
