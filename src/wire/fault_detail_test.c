/* SPDX-License-Identifier: MIT */
/* What a fault tells beside its verdict: index, wait, limits, words. */
#include "base/test.h"

#include "base/random.h"
#include "wire/fault.h"
#include "wire/refusal.h"

#define MANY 5

static void read_answer(struct wire_fault *fault, int http_status, const char *body, size_t count)
{
	struct wire_answer answer = {
	    .http_status = http_status,
	    .body = body,
	    .body_len = strlen(body),
	    .input_count = count,
	};

	wire_fault_read(fault, &answer);
}

#define IRE(message)                                                                               \
	"{\"error\":{\"message\":\"" message                                                       \
	"\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}"
#define ERROR(message, type, code)                                                                 \
	"{\"error\":{\"message\":\"" message "\",\"type\":\"" type                                 \
	"\",\"param\":null,\"code\":\"" code "\"}}"

static void names_the_input_that_the_message_names(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_answer(
	    &fault, 400, IRE("Invalid 'input[3]': maximum input length is 8192 tokens."), MANY);
	assert_int_equal(fault.verdict, WIRE_STOP_INPUT);
	assert_int_equal(fault.error.index, 3);
	/* A number that cannot be: halve as for any other refusal. */
	read_answer(
	    &fault, 400, IRE("Invalid 'input[5]': maximum input length is 8192 tokens."), MANY);
	assert_int_equal(fault.verdict, WIRE_SPLIT);
	read_answer(&fault, 400, IRE("Invalid 'input[99999999999999999999]': x"), MANY);
	assert_int_equal(fault.verdict, WIRE_SPLIT);
	read_answer(&fault, 400, IRE("Invalid 'input[]': x"), MANY);
	assert_int_equal(fault.verdict, WIRE_SPLIT);
	read_answer(&fault, 400,
	    "{\"error\":{\"message\":\"x\",\"param\":\"input[4]\",\"code\":\"invalid_value\"}}",
	    MANY);
	assert_int_equal(fault.error.index, 4);
	assert_string_equal(fault.param, "input[4]");
	assert_string_equal(fault.error.code, "invalid_value");
}

static void reads_limits_and_wait_out_of_a_rate_refusal(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_answer(&fault, 429,
	    ERROR("Rate limit reached for M in organization org-X on tokens per min (TPM): Limit "
		  "1000000, Used 976163, Requested 70716. Please try again in 2.812s. Visit x.",
		"tokens", "rate_limit_exceeded"),
	    MANY);
	assert_true(fault.is_rate);
	assert_int_equal(fault.limit_kind, WIRE_LIMIT_TOKENS);
	assert_int_equal(fault.limit, 1000000);
	assert_int_equal(fault.used, 976163);
	assert_int_equal(fault.requested, 70716);
	assert_int_equal(fault.wait_ms, 2812);
	assert_string_equal(fault.type, "tokens");
	read_answer(&fault, 429,
	    ERROR("Rate limit reached on requests per day (RPD): Limit 200, Used 200, Requested 1. "
		  "Please try again in 7m12s.",
		"requests", "rate_limit_exceeded"),
	    MANY);
	assert_int_equal(fault.limit_kind, WIRE_LIMIT_DAY);
	assert_int_equal(fault.wait_ms, 432000);
	read_answer(&fault, 429,
	    ERROR("Rate limit reached. Limit: 60 / min. Please try again in 20s.", "requests", ""),
	    MANY);
	assert_int_equal(fault.limit_kind, WIRE_LIMIT_REQUESTS);
	assert_int_equal(fault.limit, 60);
	assert_int_equal(fault.used, -1);
	assert_int_equal(fault.wait_ms, 20000);
	read_answer(&fault, 429, "{\"error\":\"try again in a while\"}", MANY);
	assert_int_equal(fault.wait_ms, -1);
	assert_int_equal(fault.limit_kind, WIRE_LIMIT_NONE);
}

static void read_with_header(struct wire_fault *fault, int http_status, const char *body,
    const char *name, const char *value)
{
	struct wire_headers headers;
	struct wire_answer answer = {.http_status = http_status,
	    .headers = &headers,
	    .body = body,
	    .body_len = strlen(body),
	    .input_count = MANY,
	    .unix_s = 784111777};

	wire_headers_init(&headers);
	wire_headers_read(&headers, name, strlen(name), value, strlen(value));
	wire_fault_read(fault, &answer);
}

static void the_header_says_how_long_to_wait(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_with_header(
	    &fault, 429, "{\"error\":\"Please try again in 2s\"}", "retry-after", "56");
	assert_int_equal(fault.wait_ms, 56000);
	assert_int_equal(fault.error.wait_ms, 56000);
	assert_int_equal(fault.verdict, WIRE_RETRY);
	read_with_header(&fault, 503, "", "retry-after", "Sun, 06 Nov 1994 08:49:40 GMT");
	assert_int_equal(fault.wait_ms, 3000);
	read_with_header(&fault, 429, "", "retry-after", "86400");
	assert_int_equal(fault.verdict, WIRE_STOP_ALL);
	assert_int_equal(fault.error.status, EMBED_RATE_LIMITED);
	assert_int_equal(fault.wait_ms, 86400000);
	read_with_header(&fault, 429, "", "retry-after", "3600");
	assert_int_equal(fault.verdict, WIRE_RETRY);
}

static void should_retry_overrides_all_but_money(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_with_header(&fault, 400, IRE("x"), "x-should-retry", "true");
	assert_int_equal(fault.verdict, WIRE_RETRY);
	read_with_header(&fault, 401, "", "x-should-retry", "true");
	assert_int_equal(fault.verdict, WIRE_RETRY);
	assert_false(fault.is_account);
	read_with_header(
	    &fault, 429, ERROR("x", "insufficient_quota", "x"), "x-should-retry", "true");
	assert_int_equal(fault.verdict, WIRE_STOP_ALL);
	read_with_header(&fault, 500, "", "x-should-retry", "false");
	assert_int_equal(fault.verdict, WIRE_STOP_ALL);
	read_with_header(&fault, 429, "", "x-should-retry", "false");
	assert_int_equal(fault.verdict, WIRE_STOP_ALL);
	read_with_header(&fault, 413, "", "x-should-retry", "false");
	assert_int_equal(fault.verdict, WIRE_SPLIT);
	read_with_header(&fault, 200, "", "x-should-retry", "false");
	assert_int_equal(fault.verdict, WIRE_DONE);
}

static void the_sentence_says_what_and_what_to_do(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_answer(&fault, 429,
	    ERROR("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
	    1);
	assert_string_equal(fault.error.message,
	    "the upstream account has no credit left (HTTP 429, insufficient_quota): \"You exceeded "
	    "your current quota.\". Add credit or raise the spending limit (OpenAI: "
	    "https://platform.openai.com/settings/organization/billing), then run the same again: "
	    "what is stored is not paid for twice.");
	assert_string_equal(fault.error.code, "insufficient_quota");
}

static void a_refused_key_is_never_repeated(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_answer(&fault, 401, IRE("bad key sk-very-secret"), 1);
	assert_null(strstr(fault.error.message, "secret"));
	assert_string_equal(fault.text, "");
	read_answer(&fault, 403, IRE("bad key sk-very-secret"), 1);
	assert_null(strstr(fault.error.message, "secret"));
}

static void long_and_odd_words_are_cut_to_whole_characters(void **state)
{
	char body[2000];
	struct wire_fault fault;

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		size_t len = (size_t)sprintf(body, "{\"error\":\"%.*s", shift, "abc");

		for (int i = 0; i < 300; i++)
			len += (size_t)sprintf(body + len, "\xe2\x82\xac");
		strcpy(body + len, "\"}");
		read_answer(&fault, 400, body, 1);
		assert_true(strlen(fault.text) >= sizeof(fault.text) - 4);
		for (const char *p = fault.text + shift; *p != '\0'; p += 3)
			assert_memory_equal(p, "\xe2\x82\xac", 3);
		assert_non_null(strstr(fault.error.message, "\xe2\x82\xac\". Look at"));
	}
	read_answer(&fault, 400, "line\none\x01\x7f\xff end", 1);
	assert_string_equal(fault.text, "line one  ? end");
	read_answer(&fault, 502, "<html><title>502 Bad\nGateway</title>", 1);
	assert_string_equal(fault.text, "502 Bad Gateway");
}

static void ramp_and_rate_are_told_apart(void **state)
{
	struct wire_fault fault;

	(void)state;
	read_answer(&fault, 503, ERROR("Slow Down", "x", "slow_down"), MANY);
	assert_true(fault.is_slow_down && !fault.is_rate);
	read_answer(&fault, 429, "", MANY);
	assert_true(fault.is_rate && !fault.is_slow_down);
}

static void a_bad_reply_is_tried_again(void **state)
{
	struct wire_fault fault;
	struct embed_error error = {
	    .index = 3, .message = "upstream's reply is wrong at byte 9: x"};

	(void)state;
	wire_fault_from_reply(&fault, &error);
	assert_int_equal(fault.verdict, WIRE_RETRY);
	assert_int_equal(fault.error.status, EMBED_BAD_REPLY);
	assert_int_equal(fault.error.index, 3);
	assert_non_null(strstr(fault.error.message, "byte 9"));
}

/* What our own servers say, our own client understands: every row of refusals.def. */
static void every_refusal_that_we_write_is_understood(void **state)
{
	struct wire_fault fault;
	struct buffer body;

	(void)state;
	buffer_init(&body, 10000);
	for (int id = 1; id < WIRE_REFUSAL_COUNT; id++) {
		const struct wire_refusal *row = wire_refusal_row((enum wire_refusal_id)id);
		struct wire_answer answer = {.http_status = row->http_status, .input_count = MANY};

		buffer_reset(&body);
		wire_refusal_write(
		    &body, (enum wire_refusal_id)id, "1", "2", "3", "4", "5", "6", NULL);
		answer.body = body.bytes;
		answer.body_len = body.len;
		wire_fault_read(&fault, &answer);
		assert_int_not_equal(fault.verdict, WIRE_DONE);
		assert_string_equal(fault.type, row->type);
		if (row->http_status >= 500)
			assert_int_equal(fault.verdict, WIRE_RETRY);
		if (row->http_status == 401 || row->http_status == 404)
			assert_int_equal(fault.verdict, WIRE_STOP_ALL);
	}
	buffer_fini(&body);
}

static void random_bytes_give_some_verdict(void **state)
{
	struct random random = {1};
	struct wire_fault fault;
	char body[100];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct wire_answer answer = {.http_status = (int)random_below(&random, 600),
		    .body = body,
		    .body_len = random_below(&random, sizeof(body)),
		    .input_count = 1 + random_below(&random, 3)};

		for (size_t i = 0; i < answer.body_len; i++)
			body[i] = (char)random_next(&random);
		wire_fault_read(&fault, &answer);
		assert_true(fault.verdict != WIRE_SPLIT || answer.input_count > 1);
		assert_true(
		    fault.verdict != WIRE_STOP_INPUT || fault.error.index < answer.input_count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_the_input_that_the_message_names),
	    cmocka_unit_test(reads_limits_and_wait_out_of_a_rate_refusal),
	    cmocka_unit_test(the_header_says_how_long_to_wait),
	    cmocka_unit_test(should_retry_overrides_all_but_money),
	    cmocka_unit_test(the_sentence_says_what_and_what_to_do),
	    cmocka_unit_test(a_refused_key_is_never_repeated),
	    cmocka_unit_test(long_and_odd_words_are_cut_to_whole_characters),
	    cmocka_unit_test(ramp_and_rate_are_told_apart),
	    cmocka_unit_test(a_bad_reply_is_tried_again),
	    cmocka_unit_test(every_refusal_that_we_write_is_understood),
	    cmocka_unit_test(random_bytes_give_some_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
