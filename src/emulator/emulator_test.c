/* SPDX-License-Identifier: MIT */
#include "emulator/test_client.h"

#include <math.h>
#include <zlib.h>

#include "wire/base64.h"

#define SMALL "\"model\":\"text-embedding-3-small\""

/* ---- Answers --------------------------------------------------------- */

static json_t *item_of(const json_t *json, size_t index)
{
	return json_array_get(json_object_get(json, "data"), index);
}

static void all_four_input_forms_are_answered_and_ids_as_their_text(void **state)
{
	static const char *const bodies[] = {"{" SMALL ",\"input\":\"hello world\"}",
	    "{" SMALL ",\"input\":[\"hello world\"]}", "{" SMALL ",\"input\":[15339,1917]}",
	    "{" SMALL ",\"input\":[[15339,1917]]}"};
	struct stand stand = STAND("--framing=length");
	char first[65536] = "";

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct answer answer = embed_body(&stand, bodies[i]);

		assert_int_equal(answer.status, 200);
		assert_true(answer.body_len > 5000 && answer.body_len < sizeof(first));
		if (i == 0)
			memcpy(first, answer.body, answer.body_len);
		assert_memory_equal(answer.body, first, answer.body_len);
		answer_free(&answer);
	}
	stand_close(&stand);
}

static void usage_is_the_exact_token_count(void **state)
{
	struct stand stand = STAND("--gzip=no");
	/* "hello world" is 2 tokens of cl100k_base, "tiktoken is great!" is 6. */
	struct answer answer =
	    embed_body(&stand, "{" SMALL ",\"input\":[\"hello world\",\"tiktoken is great!\"]}");
	json_t *json = json_of(&answer), *usage = json_object_get(json, "usage");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(usage, "prompt_tokens")), 8);
	assert_int_equal(json_integer_value(json_object_get(usage, "total_tokens")), 8);
	assert_int_equal(json_integer_value(json_object_get(item_of(json, 1), "index")), 1);
	json_decref(json);
	answer_free(&answer);
	assert_int_equal(stat_of(&stand, "tokens"), 8);
	assert_int_equal(stat_of(&stand, "texts"), 2);
	assert_int_equal(stat_of(&stand, "charged"), 7); /* 29 bytes */
	assert_int_equal(stat_of(&stand, "largest_request"), 2);
	stand_close(&stand);
}

static void base64_holds_the_same_numbers_as_decimals(void **state)
{
	struct stand stand = STAND("--gzip=no");
	struct answer text = embed_body(&stand, "{" SMALL ",\"input\":\"some text\"}");
	struct answer coded = embed_body(
	    &stand, "{" SMALL ",\"input\":\"some text\",\"encoding_format\":\"base64\"}");
	json_t *text_json = json_of(&text), *coded_json = json_of(&coded);
	const json_t *numbers = json_object_get(item_of(text_json, 0), "embedding");
	const json_t *base64 = json_object_get(item_of(coded_json, 0), "embedding");
	float decoded[1536];
	size_t len;

	(void)state;
	assert_int_equal(json_string_length(base64), 8192);
	assert_true(
	    base64_decode(decoded, &len, json_string_value(base64), json_string_length(base64)));
	assert_int_equal(json_array_size(numbers), 1536);
	for (size_t i = 0; i < 1536; i++)
		assert_true(json_number_value(json_array_get(numbers, i)) == (double)decoded[i]);
	json_decref(text_json);
	json_decref(coded_json);
	answer_free(&text);
	answer_free(&coded);
	stand_close(&stand);
}

static void both_layouts_can_be_had(void **state)
{
	struct stand stand = STAND("--layout=auto");
	struct answer b = embed_body(&stand, "{" SMALL ",\"input\":\"a\",\"dimensions\":2}");
	struct answer a =
	    embed_body(&stand, "{\"model\":\"text-embedding-ada-002\",\"input\":\"a\"}");

	(void)state;
	assert_non_null(strstr(b.body, "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\","
				       "\"embedding\":["));
	assert_non_null(strstr(b.body, "],\"index\":0}],\"model\":\"text-embedding-3-small\""));
	assert_string_equal(field_of(&b, "openai-model"), "");
	assert_non_null(strstr(a.body, "{\n  \"object\": \"list\",\n  \"data\": [\n    {\n      "
				       "\"object\": \"embedding\",\n      \"index\": 0,\n"));
	assert_non_null(strstr(a.body, "\"text-embedding-ada-002-v2\""));
	assert_int_equal(a.body[a.body_len - 1], '\n');
	assert_string_equal(field_of(&a, "openai-model"), "text-embedding-ada-002");
	answer_free(&a);
	answer_free(&b);
	stand_close(&stand);
}

static void the_head_is_openais_and_says_what_answers(void **state)
{
	struct stand stand = STAND("--rpm=3000", "--tpm=1000000");
	struct answer answer =
	    embed_body(&stand, "{" SMALL ",\"input\":\"twelve bytes and eight\"}");

	(void)state;
	assert_string_equal(field_of(&answer, "x-embed-emulator"), "true");
	assert_string_equal(field_of(&answer, "content-type"), "application/json");
	assert_string_equal(field_of(&answer, "transfer-encoding"), "chunked");
	assert_int_equal(strlen(field_of(&answer, "x-request-id")), 36);
	assert_string_equal(field_of(&answer, "openai-version"), "2020-10-01");
	assert_string_equal(field_of(&answer, "x-ratelimit-limit-requests"), "3000");
	assert_string_equal(field_of(&answer, "x-ratelimit-remaining-requests"), "2999");
	assert_string_equal(field_of(&answer, "x-ratelimit-reset-requests"), "20ms");
	assert_string_equal(field_of(&answer, "x-ratelimit-limit-tokens"), "1000000");
	assert_string_equal(field_of(&answer, "x-ratelimit-remaining-tokens"), "999995");
	assert_string_equal(field_of(&answer, "x-ratelimit-reset-tokens"), "0s");
	answer_free(&answer);
	stand_close(&stand);
}

static void gzip_is_used_when_it_is_taken(void **state)
{
	struct stand stand = STAND("--layout=b");
	const char *body = "{" SMALL ",\"input\":\"a\",\"dimensions\":64}";
	struct answer plain = embed_body(&stand, body);
	struct answer packed = ask(&stand, "POST", "/v1/embeddings",
	    "Accept-Encoding: deflate, gzip;q=1.0\r\n", body, strlen(body));
	char unpacked[65536];
	z_stream stream = {.next_in = (Bytef *)packed.body,
	    .avail_in = (uInt)packed.body_len,
	    .next_out = (Bytef *)unpacked,
	    .avail_out = sizeof(unpacked)};

	(void)state;
	assert_string_equal(field_of(&plain, "content-encoding"), "");
	assert_string_equal(field_of(&packed, "content-encoding"), "gzip");
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, plain.body_len);
	assert_memory_equal(unpacked, plain.body, plain.body_len);
	inflateEnd(&stream);
	answer_free(&plain);
	answer_free(&packed);
	stand_close(&stand);
}

static void azure_paths_have_azures_manners(void **state)
{
	struct stand stand =
	    STAND("--key=k", "--deployment=mine=text-embedding-3-large", "--tpm=100000");
	const char *path = "/openai/deployments/mine/embeddings?api-version=2024-10-21";
	const char *body = "{\"input\":\"a\",\"dimensions\":3}";
	struct answer answer = ask(&stand, "POST", path, "api-key: k\r\n", body, strlen(body));

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"model\":\"text-embedding-3-large\""));
	assert_int_equal(strlen(field_of(&answer, "apim-request-id")), 36);
	assert_string_equal(field_of(&answer, "x-ratelimit-reset-tokens"), "0");
	answer_free(&answer);
	answer = ask(&stand, "POST", path, "api-key: wrong\r\n", body, strlen(body));
	assert_int_equal(answer.status, 401);
	assert_non_null(strstr(answer.body, "{\"error\":{\"code\":\"401\",\"message\":\"Access "
					    "denied due to invalid subscription key"));
	answer_free(&answer);
	answer = ask(&stand, "POST", "/openai/deployments/none/embeddings", "api-key: k\r\n", body,
	    strlen(body));
	assert_int_equal(answer.status, 404);
	assert_non_null(strstr(answer.body, "DeploymentNotFound"));
	answer_free(&answer);
	stand_close(&stand);
}

static void models_are_listed_and_found_by_name(void **state)
{
	struct stand stand = STAND("--model-limit=text-embedding-3-small,text-embedding-3-large");
	struct answer answer = get(&stand, "/v1/models");
	json_t *json = json_of(&answer);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(json, "data")), 2);
	assert_int_equal(
	    json_integer_value(json_object_get(item_of(json, 0), "created")), 1705948997);
	json_decref(json);
	answer_free(&answer);
	answer = get(&stand, "/v1/models/text-embedding%2D3-large");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"owned_by\": \"system\""));
	answer_free(&answer);
	answer = get(&stand, "/v1/models/text-embedding-ada-002");
	assert_int_equal(answer.status, 404);
	answer_free(&answer);
	stand_close(&stand);
}

/* ---- Limits and time ------------------------------------------------- */

static void a_limit_is_reached_named_and_forgotten_as_the_clock_moves(void **state)
{
	struct stand stand = STAND("--tpm=1000");
	char body[4096];
	struct answer answer;

	(void)state;
	snprintf(body, sizeof(body), "{" SMALL ",\"input\":\"%02400d\",\"dimensions\":1}", 0);
	answer = embed_body(&stand, body);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	answer = embed_body(&stand, body);
	assert_int_equal(answer.status, 429);
	assert_non_null(strstr(answer.body,
	    "Rate limit reached for text-embedding-3-small in organization org-emulator on tokens "
	    "per min (TPM): Limit 1000, Used "));
	assert_non_null(strstr(answer.body, ", Requested 600. Please try again in 1"));
	assert_string_equal(field_of(&answer, "retry-after"), "12");
	answer_free(&answer);
	/* Another key has buckets of its own. */
	answer = ask(
	    &stand, "POST", "/v1/embeddings", "Authorization: Bearer sk-2\r\n", body, strlen(body));
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	answer = post(&stand, "/emulator/clock", "{\"advance_s\":13}");
	assert_non_null(strstr(answer.body, "\"ahead_s\":13"));
	answer_free(&answer);
	answer = embed_body(&stand, body);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	assert_int_equal(stat_of(&stand, "texts"), 3);
	stand_close(&stand);
}

static void one_request_above_the_limit_is_too_large(void **state)
{
	struct stand stand = STAND("--tpm=10");
	struct answer answer = embed_body(&stand,
	    "{" SMALL ",\"input\":\"a text of more than forty bytes, which is eleven tokens\"}");

	(void)state;
	assert_int_equal(answer.status, 429);
	assert_non_null(strstr(answer.body, "Request too large for text-embedding-3-small"));
	assert_string_equal(field_of(&answer, "retry-after"), "");
	answer_free(&answer);
	stand_close(&stand);
}

static void an_answer_takes_the_latency_that_was_set(void **state)
{
	struct stand stand = STAND("--latency=30ms");
	int64_t started_us = clock_now_us();
	struct answer answer = embed_body(&stand, "{" SMALL ",\"input\":\"a\"}");

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_true(clock_now_us() - started_us >= 30000);
	answer_free(&answer);
	stand_close(&stand);
}

static void with_one_slot_requests_wait_for_each_other(void **state)
{
	struct stand stand = STAND("--latency=30ms", "--slots=1");
	static const char request[] =
	    "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
	    "46\r\n\r\n{\"model\":\"text-embedding-3-small\",\"input\":\"a\"}";
	int64_t started_us = clock_now_us();
	struct answer answers[2];
	int fds[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		fds[i] = stand_connect(&stand);
		send_all(fds[i], request, strlen(request));
	}
	for (int i = 0; i < 2; i++) {
		answers[i] = read_answer(fds[i]);
		assert_int_equal(answers[i].status, 200);
		answer_free(&answers[i]);
		close(fds[i]);
	}
	assert_true(clock_now_us() - started_us >= 60000);
	assert_int_equal(stat_of(&stand, "working_peak"), 2);
	stand_close(&stand);
}

/* ---- Connections ----------------------------------------------------- */

static void a_connection_serves_many_requests_and_waits_to_send_a_body_if_asked(void **state)
{
	struct stand stand = STAND("--framing=length", "--idle-timeout=500ms");
	static const char head[] =
	    "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
	    "46\r\n\r\n";
	static const char body[] = "{\"model\":\"text-embedding-3-small\",\"input\":\"a\"}";
	static const char health[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
	char go_on[64] = "";
	struct answer answer;
	int fd = stand_connect(&stand);

	(void)state;
	send_all(fd, head, strlen(head));
	assert_int_equal(recv(fd, go_on, 25, MSG_WAITALL), 25);
	assert_string_equal(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
	send_all(fd, body, strlen(body));
	send_all(fd, health, strlen(health));
	/* Both answers, then the server closes the idle connection. */
	answer = read_answer(fd);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"emulator\":true"));
	assert_false(answer.was_reset);
	answer_free(&answer);
	close(fd);
	stand_close(&stand);
}

static void a_client_that_goes_away_costs_its_tokens_all_the_same(void **state)
{
	struct stand stand = STAND("--latency=10s");
	static const char request[] =
	    "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: "
	    "46\r\n\r\n{\"model\":\"text-embedding-3-small\",\"input\":\"a\"}";
	int fd = stand_connect(&stand);

	(void)state;
	send_all(fd, request, strlen(request));
	wait_for_stat(&stand, "tokens", 1);
	close(fd);
	wait_for_stat(&stand, "working", 0);
	assert_int_equal(stat_of(&stand, "lost_tokens"), 1);
	assert_int_equal(stat_of(&stand, "answered"), 0);
	stand_close(&stand);
}

static void options_that_cannot_work_are_refused_with_a_sentence(void **state)
{
	struct emulator_options options = {.listen = "127.0.0.1:0",
	    .workers = 1,
	    .max_texts = 1,
	    .max_text_tokens = 1,
	    .max_request_tokens = 1};
	struct emulator_options bad[3] = {options, options, options};
	const char *fault = "nonsense", *model = "gpt-2";
	struct emulator *emulator;
	struct embed_error error;

	(void)state;
	bad[0].workers = 0;
	bad[1].fault = (struct option_list){&fault, 1};
	bad[2].model_limit = (struct option_list){&model, 1};
	for (int i = 0; i < 3; i++) {
		assert_int_not_equal(emulator_open(&emulator, &bad[i], &error), EMBED_OK);
		assert_true(strlen(error.message) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_four_input_forms_are_answered_and_ids_as_their_text),
	    cmocka_unit_test(usage_is_the_exact_token_count),
	    cmocka_unit_test(base64_holds_the_same_numbers_as_decimals),
	    cmocka_unit_test(both_layouts_can_be_had),
	    cmocka_unit_test(the_head_is_openais_and_says_what_answers),
	    cmocka_unit_test(gzip_is_used_when_it_is_taken),
	    cmocka_unit_test(azure_paths_have_azures_manners),
	    cmocka_unit_test(models_are_listed_and_found_by_name),
	    cmocka_unit_test(a_limit_is_reached_named_and_forgotten_as_the_clock_moves),
	    cmocka_unit_test(one_request_above_the_limit_is_too_large),
	    cmocka_unit_test(an_answer_takes_the_latency_that_was_set),
	    cmocka_unit_test(with_one_slot_requests_wait_for_each_other),
	    cmocka_unit_test(a_connection_serves_many_requests_and_waits_to_send_a_body_if_asked),
	    cmocka_unit_test(a_client_that_goes_away_costs_its_tokens_all_the_same),
	    cmocka_unit_test(options_that_cannot_work_are_refused_with_a_sentence),
	};

	return cmocka_run_group_tests_name("emulator.emulator", tests, NULL, NULL);
}
