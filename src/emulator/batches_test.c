/* SPDX-License-Identifier: MIT */
/* Files and batches from upload to download, with the clock moved instead of waited for. */
#include "emulator/test_client.h"

#define LINE(id, input)                                                                            \
	"{\"custom_id\":\"" id "\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":"       \
	"{\"model\":\"text-embedding-3-small\",\"input\":" input ",\"dimensions\":4}}\n"

static struct answer upload(const struct stand *stand, const char *name, const char *content)
{
	char body[16384];
	int len = snprintf(body, sizeof(body),
	    "--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
	    "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n\r\n%s\r\n"
	    "--B--\r\n",
	    name, content);

	assert_true(len > 0 && (size_t)len < sizeof(body));
	return ask(stand, "POST", "/v1/files", "Content-Type: multipart/form-data; boundary=B\r\n",
	    body, (size_t)len);
}

/* A member of the answer's object as text; "null" for null.  Frees the answer. */
static void take_member(struct answer *answer, const char *name, char out[128])
{
	json_t *json = json_of(answer);
	const json_t *value = json_object_get(json, name);

	snprintf(out, 128, "%s", json_is_string(value) ? json_string_value(value) : "null");
	json_decref(json);
	answer_free(answer);
}

static void create_batch(const struct stand *stand, const char *content, char id[128])
{
	struct answer answer = upload(stand, "in.jsonl", content);
	char file[128], body[512];

	take_member(&answer, "id", file);
	snprintf(body, sizeof(body),
	    "{\"input_file_id\":\"%s\",\"endpoint\":\"/v1/embeddings\",\"completion_window\":"
	    "\"24h\",\"metadata\":{\"who\":\"test\"}}",
	    file);
	answer = post(stand, "/v1/batches", body);
	assert_int_equal(answer.status, 200);
	take_member(&answer, "id", id);
}

static struct answer look(const struct stand *stand, const char *id)
{
	char path[256];

	snprintf(path, sizeof(path), "/v1/batches/%s", id);
	return get(stand, path);
}

static void assert_status(const struct stand *stand, const char *id, const char *wanted)
{
	struct answer answer = look(stand, id);
	char status[128];

	take_member(&answer, "status", status);
	assert_string_equal(status, wanted);
}

static void advance(const struct stand *stand, int seconds)
{
	char body[64];
	struct answer answer;

	snprintf(body, sizeof(body), "{\"advance_s\":%d}", seconds);
	answer = post(stand, "/emulator/clock", body);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
}

/* The content of the file that the batch names as `which`; "" when it names none. */
static struct answer content_of(const struct stand *stand, const char *id, const char *which)
{
	struct answer answer = look(stand, id);
	char file[128], path[256];

	take_member(&answer, which, file);
	snprintf(path, sizeof(path), "/v1/files/%s/content", file);
	return get(stand, path);
}

static json_int_t count_of(const struct stand *stand, const char *id, const char *name)
{
	struct answer answer = look(stand, id);
	json_t *json = json_of(&answer);
	json_int_t count =
	    json_integer_value(json_object_get(json_object_get(json, "request_counts"), name));

	json_decref(json);
	answer_free(&answer);
	return count;
}

static void a_batch_goes_through_its_stages_as_time_passes(void **state)
{
	struct stand stand = STAND("--batch-request=1s");
	struct answer answer;
	char id[128];

	(void)state;
	create_batch(
	    &stand, LINE("a", "\"one\"") LINE("b", "[\"two\",\"three\"]") LINE("c", "\"\""), id);
	assert_status(&stand, id, "validating");
	advance(&stand, 61);
	assert_status(&stand, id, "in_progress");
	assert_int_equal(count_of(&stand, id, "total"), 3);
	advance(&stand, 2);
	assert_in_range(count_of(&stand, id, "completed"), 1, 2);
	advance(&stand, 60);
	assert_status(&stand, id, "completed");
	assert_int_equal(count_of(&stand, id, "completed"), 2);
	assert_int_equal(count_of(&stand, id, "failed"), 1);
	answer = content_of(&stand, id, "output_file_id");
	assert_string_equal(field_of(&answer, "content-type"), "application/octet-stream");
	assert_non_null(strstr(field_of(&answer, "content-disposition"), "_output.jsonl"));
	assert_non_null(strstr(answer.body, "\"custom_id\": \"a\""));
	assert_non_null(strstr(answer.body, "\"custom_id\": \"b\""));
	assert_non_null(strstr(answer.body, "\"status_code\": 200"));
	answer_free(&answer);
	answer = content_of(&stand, id, "error_file_id");
	assert_non_null(strstr(answer.body, "\"status_code\": 400"));
	assert_non_null(strstr(answer.body, "input cannot be an empty string"));
	answer_free(&answer);
	assert_int_equal(stat_of(&stand, "batch_texts"), 3);
	assert_int_equal(stat_of(&stand, "batch_tokens"), 3);
	stand_close(&stand);
}

static void output_lines_are_json_and_not_in_input_order(void **state)
{
	struct stand stand = STAND("--batch-validating=0", "--batch-finalizing=0");
	char content[8192] = "", id[128], in_order[256] = "", found[256] = "";
	struct answer answer;
	char *line, *rest;

	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(content + strlen(content), sizeof(content) - strlen(content),
		    LINE("%d", "\"text %d\""), i, i);
		snprintf(
		    in_order + strlen(in_order), sizeof(in_order) - strlen(in_order), "%d ", i);
	}
	create_batch(&stand, content, id);
	advance(&stand, 10);
	answer = content_of(&stand, id, "output_file_id");
	rest = (char *)answer.body;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *json = json_loads(line, 0, NULL);

		assert_non_null(json);
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s ",
		    json_string_value(json_object_get(json, "custom_id")));
		json_decref(json);
	}
	assert_int_equal(strlen(found), strlen(in_order));
	assert_string_not_equal(found, in_order);
	answer_free(&answer);
	stand_close(&stand);
}

static void a_slow_batch_expires_after_a_day_and_keeps_what_was_done(void **state)
{
	struct stand stand = STAND("--batch-validating=0", "--batch-request=10h");
	struct answer answer;
	char id[128];

	(void)state;
	create_batch(&stand, LINE("a", "\"1\"") LINE("b", "\"2\"") LINE("c", "\"3\""), id);
	advance(&stand, 86399);
	assert_status(&stand, id, "in_progress");
	advance(&stand, 2);
	assert_status(&stand, id, "expired");
	assert_int_equal(count_of(&stand, id, "completed"), 2);
	answer = content_of(&stand, id, "error_file_id");
	assert_non_null(strstr(answer.body, "\"custom_id\": \"c\""));
	assert_non_null(strstr(answer.body, "\"batch_expired\""));
	assert_non_null(strstr(answer.body, "\"response\": null"));
	answer_free(&answer);
	stand_close(&stand);
}

static void a_cancelled_batch_keeps_what_was_done(void **state)
{
	struct stand stand =
	    STAND("--batch-validating=0", "--batch-request=10s", "--batch-finalizing=5s");
	struct answer answer;
	char id[128], path[256], status[128];

	(void)state;
	create_batch(&stand, LINE("a", "\"1\"") LINE("b", "\"2\"") LINE("c", "\"3\""), id);
	advance(&stand, 21);
	snprintf(path, sizeof(path), "/v1/batches/%s/cancel", id);
	answer = post(&stand, path, "");
	take_member(&answer, "status", status);
	assert_string_equal(status, "cancelling");
	answer = post(&stand, path, "");
	assert_int_equal(answer.status, 409);
	answer_free(&answer);
	advance(&stand, 600);
	assert_status(&stand, id, "cancelled");
	assert_int_equal(count_of(&stand, id, "completed"), 2);
	answer = content_of(&stand, id, "output_file_id");
	assert_null(strstr(answer.body, "\"custom_id\": \"c\""));
	answer_free(&answer);
	stand_close(&stand);
}

static void a_file_that_is_not_right_fails_validation_with_the_line(void **state)
{
	static const struct {
		const char *content, *code;
		int line;
	} rows[] = {
	    {"", "empty_file", 0},
	    {LINE("a", "\"1\"") "{nonsense\n", "invalid_json_line", 2},
	    {LINE("a", "\"1\"") LINE("b", "\"1\"") LINE("a", "\"2\""), "duplicate_custom_id", 3},
	    {"{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/responses\",\"body\":{}}\n",
		"url_mismatch", 1},
	    {LINE("a", "\"1\"") "{\"custom_id\":\"b\",\"method\":\"POST\",\"url\":\"/v1/"
				"embeddings\",\"body\":{\"model\":\"text-embedding-3-large\","
				"\"input\":\"x\"}}\n",
		"model_mismatch", 2},
	    {"{\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{}}\n",
		"missing_required_parameter", 1},
	};
	struct stand stand = STAND("--batch-validating=0");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer;
		json_t *json, *failure;
		char id[128];

		create_batch(&stand, rows[i].content, id);
		answer = look(&stand, id);
		json = json_of(&answer);
		assert_string_equal(json_string_value(json_object_get(json, "status")), "failed");
		failure =
		    json_array_get(json_object_get(json_object_get(json, "errors"), "data"), 0);
		assert_string_equal(
		    json_string_value(json_object_get(failure, "code")), rows[i].code);
		assert_int_equal(
		    json_integer_value(json_object_get(failure, "line")), rows[i].line);
		json_decref(json);
		answer_free(&answer);
	}
	assert_int_equal(stat_of(&stand, "tokens"), 0);
	stand_close(&stand);
}

static void files_are_listed_shown_deleted_and_expire(void **state)
{
	struct stand stand = STAND("--gzip=no");
	struct answer answer = upload(&stand, "in.jsonl", "{}\n");
	char id[128], path[256];
	json_t *json;

	(void)state;
	take_member(&answer, "id", id);
	answer = upload(&stand, "more.jsonl", "{}\n");
	answer_free(&answer);
	answer = get(&stand, "/v1/files?limit=1&order=asc");
	json = json_of(&answer);
	assert_true(json_is_true(json_object_get(json, "has_more")));
	assert_int_equal(json_array_size(json_object_get(json, "data")), 1);
	json_decref(json);
	answer_free(&answer);
	snprintf(path, sizeof(path), "/v1/files?order=asc&after=%s", id);
	answer = get(&stand, path);
	assert_null(strstr(answer.body, id));
	assert_non_null(strstr(answer.body, "more.jsonl"));
	answer_free(&answer);
	snprintf(path, sizeof(path), "/v1/files/%s", id);
	answer = get(&stand, path);
	assert_non_null(strstr(answer.body, "\"purpose\": \"batch\""));
	answer_free(&answer);
	answer = ask(&stand, "DELETE", path, "", "", 0);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	answer = get(&stand, path);
	assert_int_equal(answer.status, 404);
	answer_free(&answer);
	advance(&stand, 30 * 86400 + 1);
	answer = get(&stand, "/v1/files");
	assert_null(strstr(answer.body, "more.jsonl"));
	answer_free(&answer);
	stand_close(&stand);
}

static void uploads_and_batches_that_cannot_be_are_refused(void **state)
{
	static const char *const batches[] = {"[]", "{}",
	    "{\"input_file_id\":\"file-none\",\"endpoint\":\"/v1/embeddings\",\"completion_window\":"
	    "\"24h\"}",
	    "{\"input_file_id\":\"file-none\",\"endpoint\":\"/v1/chat\",\"completion_window\":"
	    "\"24h\"}",
	    "{\"input_file_id\":\"file-none\",\"endpoint\":\"/v1/embeddings\",\"completion_window\":"
	    "\"1h\"}",
	    "{\"input_file_id\":\"file-none\",\"endpoint\":\"/v1/embeddings\",\"completion_window\":"
	    "\"24h\",\"metadata\":{\"a\":1}}"};
	struct stand stand = STAND("--gzip=no");
	struct answer answer = upload(&stand, "in.csv", "x");

	(void)state;
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body, "Must be .jsonl"));
	answer_free(&answer);
	answer = post(&stand, "/v1/files", "no form");
	assert_int_equal(answer.status, 400);
	answer_free(&answer);
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
		answer = post(&stand, "/v1/batches", batches[i]);
		assert_in_range(answer.status, 400, 404);
		json_decref(json_of(&answer));
		answer_free(&answer);
	}
	stand_close(&stand);
}

static void batches_are_listed_newest_first_page_by_page(void **state)
{
	struct stand stand = STAND("--gzip=no");
	char ids[3][128], path[256];
	struct answer answer;
	json_t *json;

	(void)state;
	for (int i = 0; i < 3; i++)
		create_batch(&stand, LINE("a", "\"1\""), ids[i]);
	answer = get(&stand, "/v1/batches?limit=2");
	json = json_of(&answer);
	assert_string_equal(json_string_value(json_object_get(json, "first_id")), ids[2]);
	assert_string_equal(json_string_value(json_object_get(json, "last_id")), ids[1]);
	assert_true(json_is_true(json_object_get(json, "has_more")));
	json_decref(json);
	answer_free(&answer);
	snprintf(path, sizeof(path), "/v1/batches?limit=2&after=%s", ids[1]);
	answer = get(&stand, path);
	json = json_of(&answer);
	assert_string_equal(json_string_value(json_object_get(json, "first_id")), ids[0]);
	assert_false(json_is_true(json_object_get(json, "has_more")));
	json_decref(json);
	answer_free(&answer);
	stand_close(&stand);
}

static void a_line_with_a_marked_text_gets_the_error_that_was_asked_for(void **state)
{
	struct stand stand = STAND("--batch-validating=0", "--batch-finalizing=0");
	struct answer answer =
	    post(&stand, "/emulator/faults", "\"fault@on=batches@text=BAD@next=1\"");
	char id[128];

	(void)state;
	answer_free(&answer);
	create_batch(&stand, LINE("a", "\"good\"") LINE("b", "\"BAD\""), id);
	advance(&stand, 10);
	answer = content_of(&stand, id, "error_file_id");
	assert_non_null(strstr(answer.body, "\"custom_id\": \"b\""));
	assert_non_null(strstr(answer.body, "\"status_code\": 500"));
	answer_free(&answer);
	stand_close(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_batch_goes_through_its_stages_as_time_passes),
	    cmocka_unit_test(output_lines_are_json_and_not_in_input_order),
	    cmocka_unit_test(a_slow_batch_expires_after_a_day_and_keeps_what_was_done),
	    cmocka_unit_test(a_cancelled_batch_keeps_what_was_done),
	    cmocka_unit_test(a_file_that_is_not_right_fails_validation_with_the_line),
	    cmocka_unit_test(files_are_listed_shown_deleted_and_expire),
	    cmocka_unit_test(uploads_and_batches_that_cannot_be_are_refused),
	    cmocka_unit_test(batches_are_listed_newest_first_page_by_page),
	    cmocka_unit_test(a_line_with_a_marked_text_gets_the_error_that_was_asked_for),
	};

	return cmocka_run_group_tests_name("emulator.batches", tests, NULL, NULL);
}
