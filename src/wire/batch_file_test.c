/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "wire/batch_file.h"

static const struct wire_request_tail no_tail = {0};

static void an_input_line_is_read_back_and_its_body_is_a_request(void **state)
{
	struct wire_request_writer writer;
	struct batch_input_line line;
	struct wire_request request;
	struct buffer out;

	(void)state;
	buffer_init(&out, 10000);
	batch_input_line_begin(&writer, &out, "a\"1", "text-embedding-3-small");
	wire_request_add_text(&writer, "te\nxt", 5);
	assert_int_equal(batch_input_line_end(&writer, &no_tail), EMBED_OK);
	assert_int_equal(out.bytes[out.len - 1], '\n');
	assert_int_equal(batch_input_line_read(&line, out.bytes, out.len - 1, NULL), EMBED_OK);
	assert_string_equal(line.custom_id.bytes, "a\"1");
	assert_string_equal(line.method.bytes, "POST");
	assert_string_equal(line.url.bytes, "/v1/embeddings");
	assert_int_equal(line.body_kind, WIRE_OBJECT);
	wire_request_init(&request);
	assert_int_equal(wire_request_read(&request, line.body, line.body_len, 0, NULL), EMBED_OK);
	assert_string_equal(request.texts[0].bytes, "te\nxt");
	wire_request_fini(&request);
	buffer_fini(&out);
}

static void missing_and_odd_fields_are_told_apart(void **state)
{
	struct batch_input_line line;
	char empty[] = "{}";
	char odd[] = "{\"custom_id\":5,\"method\":null,\"body\":\"x\",\"more\":[1,{}]}";

	(void)state;
	assert_int_equal(batch_input_line_read(&line, empty, 2, NULL), EMBED_OK);
	assert_int_equal(line.custom_id.kind, WIRE_ABSENT);
	assert_int_equal(line.body_kind, WIRE_ABSENT);
	assert_int_equal(batch_input_line_read(&line, odd, strlen(odd), NULL), EMBED_OK);
	assert_int_equal(line.custom_id.kind, WIRE_INTEGER);
	assert_int_equal(line.method.kind, WIRE_NULL);
	assert_int_equal(line.body_kind, WIRE_STRING);
}

static void refuses_lines_that_are_not_one_json_object(void **state)
{
	static const char *const bad[] = {"", " ", "[]", "{", "{\"custom_id\":\"a\"", "{}{}",
	    "{}\x01", "{\"custom_id\":\"a\",\"custom_id\":\"b\"}", "{\"body\":{},\"body\":{}}",
	    "{\"custom_id\":\"\xff\"}", "{\"body\":{\"a\":\"\\ud800\"}}", "{\"x\":1,}", "{1:2}"};
	struct batch_input_line input;
	struct batch_output_line output;
	struct embed_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *copy = malloc(strlen(bad[i]) + 1);

		memcpy(copy, bad[i], strlen(bad[i]));
		if (batch_input_line_read(&input, copy, strlen(bad[i]), &error) == EMBED_OK)
			fail_msg("took %s", bad[i]);
		assert_non_null(strstr(error.message, "batch line, byte "));
		memcpy(copy, bad[i], strlen(bad[i]));
		if (strstr(bad[i], "body") == NULL)
			assert_int_not_equal(
			    batch_output_line_read(&output, copy, strlen(bad[i]), &error),
			    EMBED_OK);
		free(copy);
	}
}

static void output_lines_are_read_back(void **state)
{
	struct batch_output_line line;
	struct buffer out;

	(void)state;
	buffer_init(&out, 10000);
	batch_output_line_write(&out, "batch_req_1", "id\n", 200, "uuid", "{\"data\": []}", 12);
	buffer_append_char(&out, '\0');
	assert_string_equal(out.bytes,
	    "{\"id\": \"batch_req_1\", \"custom_id\": \"id\\n\", \"response\": {\"status_code\": 200, "
	    "\"request_id\": \"uuid\", \"body\": {\"data\": []}}, \"error\": null}\n");
	assert_int_equal(batch_output_line_read(&line, out.bytes, out.len - 1, NULL), EMBED_OK);
	assert_string_equal(line.id.bytes, "batch_req_1");
	assert_string_equal(line.custom_id.bytes, "id\n");
	assert_true(line.has_response);
	assert_int_equal(line.status_code, 200);
	assert_string_equal(line.request_id.bytes, "uuid");
	assert_int_equal(line.body_len, 12);
	assert_memory_equal(line.body, "{\"data\": []}", 12);
	assert_int_equal(line.error_code.kind, WIRE_ABSENT);
	buffer_reset(&out);
	batch_output_line_write_error(&out, "r", "c", "batch_expired", "too late");
	assert_int_equal(batch_output_line_read(&line, out.bytes, out.len - 1, NULL), EMBED_OK);
	assert_false(line.has_response);
	assert_string_equal(line.error_code.bytes, "batch_expired");
	assert_string_equal(line.error_message.bytes, "too late");
	buffer_fini(&out);
}

static void a_file_object_is_read_back(void **state)
{
	static const struct batch_file_object file = {.id = "file-1",
	    .purpose = "batch",
	    .filename = "in\".jsonl",
	    .status = "processed",
	    .bytes = 298,
	    .created_s = 1787150613,
	    .expires_s = 1789742613};
	struct batch_file_object back;
	struct buffer out;

	(void)state;
	buffer_init(&out, 10000);
	batch_file_object_write(&out, &file, 0);
	assert_int_equal(batch_file_object_read(&back, out.bytes, out.len, NULL), EMBED_OK);
	assert_memory_equal(&back, &file, sizeof(file));
	buffer_append_char(&out, '\0');
	assert_string_equal(out.bytes,
	    "{\n  \"object\": \"file\",\n  \"id\": \"file-1\",\n  \"purpose\": \"batch\",\n"
	    "  \"filename\": \"in\\\".jsonl\",\n  \"bytes\": 298,\n  \"created_at\": 1787150613,\n"
	    "  \"expires_at\": 1789742613,\n  \"status\": \"processed\",\n"
	    "  \"status_details\": null\n}");
	buffer_fini(&out);
}

/* PROTOCOL.md 8.2, in its order. */
static void assert_has_the_keys_of_the_wire(json_t *batch)
{
	static const char *const names[] = {"id", "object", "endpoint", "model", "errors",
	    "input_file_id", "completion_window", "status", "output_file_id", "error_file_id",
	    "created_at", "in_progress_at", "expires_at", "finalizing_at", "completed_at",
	    "failed_at", "expired_at", "cancelling_at", "cancelled_at", "request_counts", "usage",
	    "metadata"};
	const char *name;
	json_t *value;
	size_t i = 0;

	json_object_foreach(batch, name, value) assert_string_equal(name, names[i++]);
	assert_int_equal(i, sizeof(names) / sizeof(names[0]));
}

static void a_batch_object_is_read_back_in_every_status(void **state)
{
	static const struct batch_failure failures[] = {
	    {"invalid_json_line", 3, "This line is not parseable as valid JSON.", ""},
	    {"duplicate_custom_id", 0, "x", "custom_id"}};
	struct batch_object batch = {.id = "batch_1",
	    .endpoint = "/v1/embeddings",
	    .input_file_id = "file-1",
	    .completion_window = "24h",
	    .created_s = 1,
	    .expires_s = 86401,
	    .completed_s = 5,
	    .total = 10,
	    .completed = 9,
	    .failed = 1,
	    .input_tokens = 1234,
	    .metadata = "{\"a\":\"b\"}"};
	struct batch_object back;
	struct buffer out;

	(void)state;
	buffer_init(&out, 10000);
	for (int status = 0; status < BATCH_STATUS_COUNT; status++) {
		json_t *root;

		batch.status = (enum batch_status)status;
		batch.failures = status == BATCH_FAILED ? failures : NULL;
		batch.failure_count = status == BATCH_FAILED ? 2 : 0;
		buffer_reset(&out);
		batch_object_write(&out, &batch, 1);
		root = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, NULL);
		assert_has_the_keys_of_the_wire(root);
		json_decref(root);
		assert_int_equal(batch_object_read(&back, out.bytes, out.len, NULL), EMBED_OK);
		assert_int_equal(back.status, status);
		assert_string_equal(back.id, "batch_1");
		assert_int_equal(back.expires_s, 86401);
		assert_int_equal(back.completed_s, 5);
		assert_int_equal(back.cancelled_s, 0);
		assert_int_equal(back.completed, 9);
		assert_int_equal(back.input_tokens, 1234);
		assert_string_equal(back.output_file_id, "");
		assert_int_equal(back.failure_count, batch.failure_count);
		if (status == BATCH_FAILED) {
			assert_int_equal(back.first_failure.line, 3);
			assert_string_equal(back.first_failure.code, "invalid_json_line");
		}
	}
	buffer_fini(&out);
}

static void refuses_objects_that_are_something_else(void **state)
{
	static const char *const bad[] = {"", "{}", "[]", "{\"object\":\"file\"}",
	    "{\"object\":\"batch\"}", "{\"object\":\"batch\",\"id\":\"\",\"status\":\"completed\"}",
	    "{\"object\":\"batch\",\"id\":\"b\",\"status\":\"dancing\"}",
	    "{\"object\":\"batch\",\"id\":5,\"status\":\"completed\"}",
	    "{\"object\":\"file\",\"id\":[]}"};
	struct batch_object batch;
	struct batch_file_object file;
	struct embed_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    batch_object_read(&batch, bad[i], strlen(bad[i]), &error), EMBED_BAD_FORMAT);
		assert_true(error.message[0] != '\0');
		assert_int_equal(batch_file_object_read(&file, bad[i], strlen(bad[i]), &error),
		    EMBED_BAD_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_input_line_is_read_back_and_its_body_is_a_request),
	    cmocka_unit_test(missing_and_odd_fields_are_told_apart),
	    cmocka_unit_test(refuses_lines_that_are_not_one_json_object),
	    cmocka_unit_test(output_lines_are_read_back),
	    cmocka_unit_test(a_file_object_is_read_back),
	    cmocka_unit_test(a_batch_object_is_read_back_in_every_status),
	    cmocka_unit_test(refuses_objects_that_are_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
