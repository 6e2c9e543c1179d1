/* SPDX-License-Identifier: MIT */
#include "emulator/test_client.h"

#define SMALL "\"model\":\"text-embedding-3-small\""

struct refused {
	const char *body;
	int status;
	const char *message, *type, *param, *code; /* NULL: null */
};

static const char *or_null(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "null";
}

static void assert_refused(const struct answer *answer, const struct refused *wanted)
{
	json_t *json = json_of(answer), *error = json_object_get(json, "error");

	assert_string_equal(or_null(json_object_get(error, "message")), wanted->message);
	assert_string_equal(or_null(json_object_get(error, "type")), wanted->type);
	assert_string_equal(
	    or_null(json_object_get(error, "param")), wanted->param ? wanted->param : "null");
	assert_string_equal(
	    or_null(json_object_get(error, "code")), wanted->code ? wanted->code : "null");
	assert_int_equal(answer->status, wanted->status);
	json_decref(json);
}

#define IRE "invalid_request_error"

static void refuses_in_the_words_of_the_protocol(void **state)
{
	static const struct refused rows[] = {
	    {"{" SMALL ",\"input\":\"a\nb\"}", 400,
		"We could not parse the JSON body of your request. (HINT: This likely means you "
		"aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, "
		"but what was sent was not valid JSON.)",
		IRE, NULL, NULL},
	    {"{\"input\":\"a\"}", 400, "you must provide a model parameter", IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":\"a\",\"colour\":1}", 400, "Unknown parameter: 'colour'.", IRE,
		"colour", "unknown_parameter"},
	    {"{" SMALL "}", 400, "Missing required parameter: 'input'.", IRE, "input",
		"missing_required_parameter"},
	    {"{" SMALL ",\"input\":\"\"}", 400, "Invalid 'input': input cannot be an empty string.",
		IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":[\"a\",\"\"]}", 400,
		"Invalid 'input[1]': input cannot be an empty string", IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":{}}", 400,
		"'$.input' is invalid. Please check the API reference: "
		"https://platform.openai.com/docs/api-reference.",
		IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":[\"a\",\"b\",\"c\",\"d\"]}", 400,
		"Invalid 'input': array length must be 3 or less.", IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":\"one two three four five six\"}", 400,
		"Invalid 'input': maximum context length is 5 tokens.", IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":[\"a\",\"one two three four five six\"]}", 400,
		"Invalid 'input[1]': maximum input length is 5 tokens.", IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":[\"one two three four\",\"one two three four five\"]}", 400,
		"Requested 9 tokens, max 8 tokens per request", "max_tokens_per_request", NULL,
		"max_tokens_per_request"},
	    {"{\"model\":\"text-embedding-ada-002\",\"input\":\"a\",\"dimensions\":10}", 400,
		"This model does not support specifying dimensions.", IRE, NULL, NULL},
	    {"{" SMALL ",\"input\":\"a\",\"dimensions\":1537}", 400,
		"Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.", IRE,
		NULL, NULL},
	    {"{\"model\":\"gpt-2\",\"input\":\"a\"}", 404,
		"The model `gpt-2` does not exist or you do not have access to it.", IRE, NULL,
		"model_not_found"},
	};
	struct stand stand =
	    STAND("--max-texts=3", "--max-text-tokens=5", "--max-request-tokens=8");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = embed_body(&stand, rows[i].body);

		assert_refused(&answer, &rows[i]);
		answer_free(&answer);
	}
	assert_int_equal(stat_of(&stand, "tokens"), 0);
	stand_close(&stand);
}

static void checks_in_the_order_of_the_protocol(void **state)
{
	/* Each body has two things wrong; the earlier check must win. */
	static const struct {
		const char *body, *says;
	} rows[] = {
	    {"{\"input\":\"\"", "could not parse"},
	    {"{\"input\":\"\",\"x\":1}", "model parameter"},
	    {"{\"model\":\"none\",\"input\":\"\",\"x\":1}", "does not exist"},
	    {"{" SMALL ",\"input\":\"\",\"x\":1}", "Unknown parameter"},
	    {"{" SMALL ",\"input\":[\"a\",\"b\",\"c\",\"\"]}", "empty string"},
	    {"{" SMALL ",\"input\":[\"one two three four five six\",\"b\",\"c\",\"d\"]}",
		"array length"},
	    {"{" SMALL ",\"input\":[\"one two three four five six\",\"a b c d\"]}", "input[0]"},
	    {"{" SMALL ",\"input\":[\"one two three four\",\"one two three four five\"],"
	     "\"dimensions\":9999}",
		"Requested 9 tokens"},
	};
	struct stand stand = STAND("--max-texts=3", "--max-text-tokens=5", "--max-request-tokens=8",
	    "--tpm=1", "--rpm=100");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = embed_body(&stand, rows[i].body);

		if (!strstr(answer.body, rows[i].says))
			fail_msg("%s: %s", rows[i].body, answer.body);
		answer_free(&answer);
	}
	stand_close(&stand);
}

static void a_key_is_asked_for_before_anything_else(void **state)
{
	static const struct refused wrong = {NULL, 401,
	    "Incorrect API key provided: sk-wrong****-key. You can find your API key at "
	    "https://platform.openai.com/account/api-keys.",
	    IRE, NULL, "invalid_api_key"};
	struct stand stand = STAND("--key=sk-good-key-12345", "--key=other");
	struct answer answer = post(&stand, "/v1/nonsense", "{");

	(void)state;
	assert_int_equal(answer.status, 401);
	assert_non_null(strstr(answer.body, "You didn't provide an API key."));
	assert_string_equal(field_of(&answer, "x-ratelimit-limit-requests"), "");
	answer_free(&answer);
	answer = ask(&stand, "POST", "/v1/embeddings",
	    "Authorization: Bearer sk-wrong-secret-key\r\n", "{", 1);
	assert_refused(&answer, &wrong);
	answer_free(&answer);
	answer = ask(&stand, "GET", "/v1/models", "api-key: other\r\n", "", 0);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	stand_close(&stand);
}

static void unknown_paths_and_methods_are_named(void **state)
{
	static const struct refused path = {NULL, 404, "Invalid URL (POST /v1/x)", IRE, NULL, NULL};
	static const struct refused method = {NULL, 405,
	    "Not allowed to GET on /v1/embeddings. (HINT: Perhaps you meant to use a different "
	    "HTTP method?)",
	    IRE, NULL, NULL};
	struct stand stand = STAND("--gzip=no");
	struct answer answer = post(&stand, "/v1/x", "");

	(void)state;
	assert_refused(&answer, &path);
	answer_free(&answer);
	answer = get(&stand, "/v1/embeddings");
	assert_refused(&answer, &method);
	answer_free(&answer);
	stand_close(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_in_the_words_of_the_protocol),
	    cmocka_unit_test(checks_in_the_order_of_the_protocol),
	    cmocka_unit_test(a_key_is_asked_for_before_anything_else),
	    cmocka_unit_test(unknown_paths_and_methods_are_named),
	};

	return cmocka_run_group_tests_name("emulator.refusals", tests, NULL, NULL);
}
