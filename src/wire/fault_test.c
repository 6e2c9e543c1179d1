/* SPDX-License-Identifier: MIT */
/* The verdict on every answer that PROTOCOL.md names; what else is told: fault_detail_test.c. */
#include "base/test.h"

#include "wire/fault.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sorts_every_refusal_of_openai),
	    cmocka_unit_test(sorts_azure_and_compatible_servers),
	    cmocka_unit_test(sorts_by_status_when_the_body_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
