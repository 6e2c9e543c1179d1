/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "wire/fault.h"
#include "wire/refusal.h"

#define MANY 5

/* One answer of an upstream to a batch of MANY, and of one; what must come of it. */
struct row {
	int http_status;
	const char *body;
	enum wire_verdict of_many;
	enum wire_verdict of_one;
	enum embed_status status;
	bool is_account;
};

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

static void assert_row(const struct row *row)
{
	struct wire_fault fault;

	read_answer(&fault, row->http_status, row->body, 1);
	if (fault.verdict != row->of_one || fault.error.status != row->status)
		fail_msg("one, %d %s: %s %s", row->http_status, row->body,
		    wire_verdict_name(fault.verdict), embed_status_code(fault.error.status));
	assert_int_equal(fault.error.index, row->of_one == WIRE_STOP_INPUT ? 0 : EMBED_NO_INDEX);
	read_answer(&fault, row->http_status, row->body, MANY);
	if (fault.verdict != row->of_many || fault.error.status != row->status ||
	    fault.is_account != row->is_account)
		fail_msg("many, %d %s: %s %s%s", row->http_status, row->body,
		    wire_verdict_name(fault.verdict), embed_status_code(fault.error.status),
		    fault.is_account ? ", account" : "");
	assert_int_equal(fault.error.http_status, row->http_status);
	if (fault.verdict == WIRE_DONE)
		return;
	assert_true(strlen(fault.error.message) > 20);
	if (fault.verdict == WIRE_STOP_INPUT)
		assert_true(fault.error.index < MANY);
}

#define IRE(message)                                                                               \
	"{\"error\":{\"message\":\"" message                                                       \
	"\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}"
#define ERROR(message, type, code)                                                                 \
	"{\"error\":{\"message\":\"" message "\",\"type\":\"" type                                 \
	"\",\"param\":null,\"code\":\"" code "\"}}"

/* PROTOCOL.md 3, row by row. */
static void sorts_every_refusal_of_openai(void **state)
{
	static const struct row rows[] = {
	    {400,
		IRE("We could not parse the JSON body of your request. (HINT: This likely means you "
		    "aren't using your HTTP library correctly."),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_REFUSED, false},
	    {400, IRE("you must provide a model parameter"), WIRE_STOP_ALL, WIRE_STOP_ALL,
		EMBED_NO_SUCH_MODEL, false},
	    {400, ERROR("Unknown parameter: 'X'.", "invalid_request_error", "unknown_parameter"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_REFUSED, false},
	    {400,
		ERROR("Missing required parameter: 'X'.", "invalid_request_error",
		    "missing_required_parameter"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_REFUSED, false},
	    {400, IRE("Invalid 'input': maximum context length is 8192 tokens."), WIRE_SPLIT,
		WIRE_STOP_INPUT, EMBED_TEXT_TOO_LONG, false},
	    {400, IRE("Invalid 'input[0]': maximum input length is 8192 tokens."), WIRE_STOP_INPUT,
		WIRE_STOP_INPUT, EMBED_TEXT_TOO_LONG, false},
	    {400,
		IRE("This model's maximum context length is 8192 tokens, however you requested 9000 "
		    "tokens (9000 in your prompt; 0 for the completion). Please reduce your prompt; "
		    "or completion length."),
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TEXT_TOO_LONG, false},
	    {400,
		ERROR("Requested 302822 tokens, max 300000 tokens per request",
		    "max_tokens_per_request", "max_tokens_per_request"),
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    {400, IRE("Invalid 'input': maximum request size is 300000 tokens per request."),
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    {400, IRE("Invalid 'input': array length must be 2048 or less."), WIRE_SPLIT,
		WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    {400, IRE("Invalid 'input': input cannot be an empty string."), WIRE_SPLIT,
		WIRE_STOP_INPUT, EMBED_EMPTY_TEXT, false},
	    {400, IRE("Invalid 'input[0]': input cannot be an empty string"), WIRE_STOP_INPUT,
		WIRE_STOP_INPUT, EMBED_EMPTY_TEXT, false},
	    {400,
		IRE("'$.input' is invalid. Please check the API reference: "
		    "https://platform.openai.com/docs/api-reference."),
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_REFUSED, false},
	    {400, IRE("This model does not support specifying dimensions."), WIRE_STOP_ALL,
		WIRE_STOP_ALL, EMBED_BAD_DIMENSIONS, false},
	    {400, IRE("Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536."),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_BAD_DIMENSIONS, false},
	    {401,
		ERROR("Incorrect API key provided: sk-wrong****-key. You can find your API key at "
		      "https://platform.openai.com/account/api-keys.",
		    "invalid_request_error", "invalid_api_key"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_UNAUTHORIZED, true},
	    {401, IRE("You didn't provide an API key."), WIRE_STOP_ALL, WIRE_STOP_ALL,
		EMBED_UNAUTHORIZED, true},
	    {403,
		ERROR("Country, region, or territory not supported", "request_forbidden",
		    "unsupported_country_region_territory"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_UNAUTHORIZED, true},
	    {404,
		ERROR("The model `X` does not exist or you do not have access to it.",
		    "invalid_request_error", "model_not_found"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_NO_SUCH_MODEL, false},
	    {404, IRE("Invalid URL (POST /v1/x)"), WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_REFUSED,
		true},
	    {405,
		IRE("Not allowed to GET on /v1/embeddings. (HINT: Perhaps you meant to use a "
		    "different HTTP method?)"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_REFUSED, true},
	    {429,
		ERROR(
		    "Rate limit reached for M in organization org-X on tokens per min (TPM): Limit "
		    "1000000, Used 976163, Requested 70716. Please try again in 2.812s.",
		    "tokens", "rate_limit_exceeded"),
		WIRE_RETRY, WIRE_RETRY, EMBED_RATE_LIMITED, false},
	    {429, ERROR("Slow down", "rate_limit_error", "slow_down"), WIRE_RETRY, WIRE_RETRY,
		EMBED_RATE_LIMITED, false},
	    {429,
		ERROR(
		    "Request too large for M in organization org-X on tokens per min (TPM): Limit "
		    "1000, Requested 2000.",
		    "tokens", "rate_limit_exceeded"),
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_RATE_LIMITED, false},
	    {429,
		ERROR(
		    "You exceeded your current quota, please check your plan and billing details.",
		    "insufficient_quota", "insufficient_quota"),
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_QUOTA, true},
	    {429, ERROR("x", "insufficient_quota", "credit_balance_exhausted"), WIRE_STOP_ALL,
		WIRE_STOP_ALL, EMBED_QUOTA, true},
	    {429, ERROR("x", "y", "credit_balance_exhausted"), WIRE_STOP_ALL, WIRE_STOP_ALL,
		EMBED_QUOTA, true},
	    {429, ERROR("x", "y", "organization_spend_limit_exceeded"), WIRE_STOP_ALL,
		WIRE_STOP_ALL, EMBED_QUOTA, true},
	    {429, ERROR("x", "y", "project_spend_limit_exceeded"), WIRE_STOP_ALL, WIRE_STOP_ALL,
		EMBED_QUOTA, true},
	    {429, ERROR("x", "y", "organization_usage_limit_exceeded"), WIRE_STOP_ALL,
		WIRE_STOP_ALL, EMBED_QUOTA, true},
	    {429, ERROR("x", "y", "billing_hard_limit_reached"), WIRE_STOP_ALL, WIRE_STOP_ALL,
		EMBED_QUOTA, true},
	    {429, ERROR("x", "y", "billing_not_active"), WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_QUOTA,
		true},
	    {500,
		ERROR("The server had an error while processing your request", "server_error",
		    "server_error"),
		WIRE_RETRY, WIRE_RETRY, EMBED_UPSTREAM, false},
	    {503, IRE("That model is currently overloaded with other requests"), WIRE_RETRY,
		WIRE_RETRY, EMBED_UPSTREAM, false},
	    {503, ERROR("x", "service_unavailable_error", "server_is_overloaded"), WIRE_RETRY,
		WIRE_RETRY, EMBED_UPSTREAM, false},
	    {503, ERROR("Slow Down", "x", "slow_down"), WIRE_RETRY, WIRE_RETRY, EMBED_RATE_LIMITED,
		false},
	    {502,
		"{\"error\":{\"code\":502,\"message\":\"Bad gateway.\",\"param\":null,\"type\":\"cf_bad_"
		"gateway\"}}",
		WIRE_RETRY, WIRE_RETRY, EMBED_UPSTREAM, false},
	    {502, "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>",
		WIRE_RETRY, WIRE_RETRY, EMBED_UPSTREAM, false},
	    {520, "<html>", WIRE_RETRY, WIRE_RETRY, EMBED_UPSTREAM, false},
	    {524, "", WIRE_RETRY, WIRE_RETRY, EMBED_UPSTREAM, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_row(&rows[i]);
}

/* PROTOCOL.md 9 and 10. */
static void sorts_azure_and_compatible_servers(void **state)
{
	static const struct row rows[] = {
	    {401,
		"{\"error\":{\"code\":\"401\",\"message\":\"Access denied due to invalid subscription "
		"key or wrong API endpoint.\"}}",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_UNAUTHORIZED, true},
	    {404,
		"{\"error\":{\"code\":\"DeploymentNotFound\",\"message\":\"The API deployment for "
		"this resource does not exist.\"}}",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_NO_SUCH_MODEL, false},
	    {429,
		"{\"error\":{\"code\":\"429\",\"message\":\"Requests to the Embeddings_Create Operation "
		"under Azure OpenAI API version 2024-10-21 have exceeded call rate limit of your "
		"current OpenAI S0 pricing tier. Please retry after 55 seconds.\"}}",
		WIRE_RETRY, WIRE_RETRY, EMBED_RATE_LIMITED, false},
	    {429,
		"{\"error\":{\"code\":\"429\",\"message\":\"x. Please retry after 86400 seconds.\"}}",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_RATE_LIMITED, false},
	    {413,
		"{\"error\":{\"code\":\"tokens_limit_reached\",\"message\":\"Request body too large for "
		"text-embedding-3-small model. Max size: 64000 tokens.\"}}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    /* vLLM */
	    {400,
		"{\"error\":{\"message\":\"This model's maximum context length is 512 tokens.\","
		"\"type\":\"BadRequestError\",\"param\":null,\"code\":400}}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TEXT_TOO_LONG, false},
	    {400,
		"{\"object\":\"error\",\"message\":\"Model \\\"m\\\" does not support matryoshka "
		"representation\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_BAD_DIMENSIONS, false},
	    /* TEI */
	    {422,
		"{\"message\":\"Input validation error: `inputs` must have less than 512 tokens. Given: "
		"600\",\"code\":422,\"type\":\"Validation\"}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TEXT_TOO_LONG, false},
	    {422,
		"{\"message\":\"batch size 33 > maximum allowed batch size 32\",\"code\":422,\"type\":"
		"\"Validation\"}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    {429, "{\"message\":\"Model is overloaded\",\"code\":429,\"type\":\"Overloaded\"}",
		WIRE_RETRY, WIRE_RETRY, EMBED_RATE_LIMITED, false},
	    {424, "{\"message\":\"x\",\"code\":424,\"type\":\"Backend\"}", WIRE_RETRY, WIRE_RETRY,
		EMBED_UPSTREAM, false},
	    {503, "{\"message\":\"x\",\"code\":503,\"type\":\"Unhealthy\"}", WIRE_RETRY, WIRE_RETRY,
		EMBED_UPSTREAM, false},
	    {413, "length limit exceeded", WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    {401, "", WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_UNAUTHORIZED, true},
	    /* Ollama */
	    {400,
		"{\"error\":{\"message\":\"invalid input type\",\"type\":\"api_error\",\"param\":null,"
		"\"code\":null}}",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_REFUSED, false},
	    {404,
		"{\"error\":{\"message\":\"model \\\"m\\\" not found, try pulling it first\",\"type\":"
		"\"not_found_error\"}}",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_NO_SUCH_MODEL, false},
	    {500,
		"{\"error\":{\"message\":\"failed to encode response: json: unsupported value: "
		"NaN\",\"type\":\"api_error\"}}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_BAD_REPLY, false},
	    /* llama.cpp */
	    {500,
		"{\"error\":{\"code\":500,\"message\":\"input is too large to process. increase the "
		"physical batch size\",\"type\":\"server_error\"}}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TEXT_TOO_LONG, false},
	    /* LM Studio */
	    {400, "{\"error\":\"'input' field must be a string or an array of strings\"}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_REFUSED, false},
	    /* Mistral */
	    {400,
		"{\"object\":\"error\",\"message\":\"Too many tokens overall, split into more "
		"batches. (batch size)\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":"
		"\"3210\"}",
		WIRE_SPLIT, WIRE_STOP_INPUT, EMBED_TOO_LARGE, false},
	    /* Gemini */
	    {400,
		"[{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API "
		"key.\",\"status\":\"INVALID_ARGUMENT\"}}]",
		WIRE_STOP_ALL, WIRE_STOP_ALL, EMBED_UNAUTHORIZED, true},
	    /* Voyage, Jina, FastAPI */
	    {400, "{\"detail\":\"The request contains something odd\"}", WIRE_SPLIT,
		WIRE_STOP_INPUT, EMBED_REFUSED, false},
	    {422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}", WIRE_SPLIT,
		WIRE_STOP_INPUT, EMBED_REFUSED, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_row(&rows[i]);
}

/* PROTOCOL.md 4. */
static void sorts_by_status_when_the_body_says_nothing(void **state)
{
	static const struct {
		int http_status;
		enum wire_verdict verdict;
	} rows[] = {{200, WIRE_DONE}, {204, WIRE_DONE}, {301, WIRE_STOP_ALL}, {400, WIRE_SPLIT},
	    {401, WIRE_STOP_ALL}, {402, WIRE_STOP_ALL}, {403, WIRE_STOP_ALL}, {404, WIRE_STOP_ALL},
	    {405, WIRE_STOP_ALL}, {408, WIRE_RETRY}, {409, WIRE_RETRY}, {413, WIRE_SPLIT},
	    {415, WIRE_STOP_ALL}, {422, WIRE_SPLIT}, {425, WIRE_RETRY}, {429, WIRE_RETRY},
	    {500, WIRE_RETRY}, {501, WIRE_STOP_ALL}, {502, WIRE_RETRY}, {503, WIRE_RETRY},
	    {504, WIRE_RETRY}, {505, WIRE_STOP_ALL}, {520, WIRE_RETRY}, {521, WIRE_RETRY},
	    {522, WIRE_RETRY}, {523, WIRE_RETRY}, {524, WIRE_RETRY}, {529, WIRE_RETRY},
	    {0, WIRE_RETRY}, {999, WIRE_STOP_ALL}, {100, WIRE_STOP_ALL}};
	static const char *const bodies[] = {"", " ", "null", "{}", "[]", "[[]]",
	    "{\"error\":null}", "{\"error\":[]}", "5", "<html", "\xff"};
	struct wire_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++) {
			read_answer(&fault, rows[i].http_status, bodies[j], MANY);
			if (fault.verdict != rows[i].verdict)
				fail_msg("%d %s: %s", rows[i].http_status, bodies[j],
				    wire_verdict_name(fault.verdict));
		}
	}
}

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
	    cmocka_unit_test(sorts_every_refusal_of_openai),
	    cmocka_unit_test(sorts_azure_and_compatible_servers),
	    cmocka_unit_test(sorts_by_status_when_the_body_says_nothing),
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
