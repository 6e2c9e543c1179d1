/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "wire/base64.h"
#include "wire/reply_rig.h"

static enum embed_status read_body(struct heard *heard, const char *body, size_t count,
    uint32_t dimensions, struct embed_error *error)
{
	struct wire_reply reply;
	enum embed_status status;
	enum embed_status by_byte;

	wire_reply_init(&reply);
	status =
	    read_in_steps(&reply, heard, body, strlen(body), SIZE_MAX, count, dimensions, error);
	by_byte = read_in_steps(&reply, heard, body, strlen(body), 1, count, dimensions, error);
	assert_int_equal(status, by_byte);
	wire_reply_fini(&reply);
	return status;
}

static void assert_good(struct heard *heard, const char *body, size_t count, uint32_t dimensions)
{
	struct embed_error error = {0};

	if (read_body(heard, body, count, dimensions, &error) != EMBED_OK)
		fail_msg("%s: %s", body, error.message);
}

static void assert_bad(const char *body, size_t count, uint32_t dimensions, const char *expected)
{
	struct heard heard;
	struct embed_error error = {0};

	if (read_body(&heard, body, count, dimensions, &error) != EMBED_BAD_REPLY)
		fail_msg("accepted: %s", body);
	if (strstr(error.message, expected) == NULL)
		fail_msg("%s\nsays: %s\nnot:  %s", body, error.message, expected);
}

#define USAGE ",\"model\":\"m\",\"usage\":{\"prompt_tokens\":6,\"total_tokens\":6}}"

static void reads_both_layouts(void **state)
{
	static const char indented[] =
	    "{\n  \"object\": \"list\",\n  \"data\": [\n    {\n      \"object\": \"embedding\",\n"
	    "      \"index\": 0,\n      \"embedding\": [\n        -0.5,\n        0.25\n      ]\n"
	    "    }\n  ],\n  \"model\": \"text-embedding-ada-002-v2\",\n  \"usage\": {\n"
	    "    \"prompt_tokens\": 6,\n    \"total_tokens\": 7\n  }\n}\n";
	static const char compact[] =
	    "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":[-0.5,2.5e-1],"
	    "\"index\":0}]" USAGE;
	struct heard heard;

	(void)state;
	assert_good(&heard, indented, 1, 2);
	assert_true(heard.vectors[0][0] == -0.5f && heard.vectors[0][1] == 0.25f);
	assert_good(&heard, compact, 1, 2);
	assert_true(heard.vectors[0][0] == -0.5f && heard.vectors[0][1] == 0.25f);
}

static void tells_model_and_usage(void **state)
{
	struct wire_reply reply;
	struct heard heard;
	struct embed_error error;
	const char *body = "{\"usage\":{\"x\":[1],\"total_tokens\":9,\"prompt_tokens\":6,"
			   "\"completion_tokens\":0},\"model\":\"a\\u0062\\u00e9\\n\","
			   "\"data\":[{\"embedding\":[1],\"index\":0}],\"id\":null}";

	(void)state;
	wire_reply_init(&reply);
	assert_int_equal(
	    read_in_steps(&reply, &heard, body, strlen(body), 3, 1, 0, &error), EMBED_OK);
	assert_string_equal(reply.model, "ab??");
	assert_true(reply.usage.is_known);
	assert_int_equal(reply.usage.prompt_tokens, 6);
	assert_int_equal(reply.received, 1);
	assert_int_equal(reply.dimensions, 1);
	body = "{\"usage\":{\"total_tokens\":9},\"data\":[{\"embedding\":[1],\"index\":0}]}";
	assert_int_equal(
	    read_in_steps(&reply, &heard, body, strlen(body), 3, 1, 0, &error), EMBED_OK);
	assert_int_equal(reply.usage.prompt_tokens, 9);
	assert_string_equal(reply.model, "");
	body = "{\"usage\":null,\"model\":null,\"data\":[{\"embedding\":[1],\"index\":0}]}";
	assert_int_equal(
	    read_in_steps(&reply, &heard, body, strlen(body), 3, 1, 0, &error), EMBED_OK);
	assert_false(reply.usage.is_known);
	wire_reply_fini(&reply);
}

static void takes_base64_with_any_escapes(void **state)
{
	/* 1.0 and 62 bits that need '+' and '/': AACAPw== is 1.0 */
	static const float vector[2] = {1.0f, -0x1.fffffep+1f};
	char base64[16];
	char body[256];
	struct heard heard;

	(void)state;
	assert_int_equal(base64_encode(base64, vector, sizeof(vector)), 12);
	base64[12] = '\0';
	assert_non_null(strchr(base64, '/'));
	snprintf(body, sizeof(body), "{\"data\":[{\"index\":0,\"embedding\":\"%s\"}]}", base64);
	assert_good(&heard, body, 1, 2);
	assert_memory_equal(heard.vectors[0], vector, sizeof(vector));
	for (int style = 0; style < 2; style++) {
		size_t at = (size_t)snprintf(body, sizeof(body), "{\"data\":[{\"embedding\":\"");

		for (const char *p = base64; *p != '\0'; p++) {
			if (*p == '/' && style == 0)
				at += (size_t)snprintf(body + at, sizeof(body) - at, "\\/");
			else if (style == 1)
				at += (size_t)snprintf(
				    body + at, sizeof(body) - at, "\\u%04X", (unsigned)*p);
			else
				body[at++] = *p;
		}
		snprintf(body + at, sizeof(body) - at, "\",\"index\":0}]}");
		assert_good(&heard, body, 1, 2);
		assert_memory_equal(heard.vectors[0], vector, sizeof(vector));
	}
}

static void places_vectors_by_index_in_any_order(void **state)
{
	struct heard heard;

	(void)state;
	assert_good(&heard,
	    "{\"data\":[{\"embedding\":[2],\"index\":2},{\"index\":0,\"embedding\":[0.5]},"
	    "{\"x\":{\"index\":9,\"embedding\":[{}]},\"embedding\":\"AACAPw==\",\"index\":1}]}",
	    3, 1);
	assert_int_equal(heard.indexes[0], 2);
	assert_true(heard.vectors[0][0] == 0.5f);
	assert_true(heard.vectors[1][0] == 1.0f);
	assert_true(heard.vectors[2][0] == 2.0f);
}

static void keys_may_be_escaped_and_look_alikes_are_skipped(void **state)
{
	struct heard heard;

	(void)state;
	assert_good(&heard,
	    "{\"dat\":[1],\"data2\":{\"data\":[5]},\"list\":[[{\"data\":[1]}],\"a\\\"]\"],"
	    "\"\\u0064ata\":[{\"in\\u0064ex\":0,\"embedding\":[1]}]}",
	    1, 1);
}

static void refuses_what_is_not_a_good_reply(void **state)
{
	static const struct {
		const char *body;
		size_t count;
		uint32_t dimensions;
		const char *says;
	} cases[] = {
	    {"", 1, 0, "too early"},
	    {"   ", 1, 0, "too early"},
	    {"{}", 1, 0, "no `data`"},
	    {"{\"error\":{\"message\":\"x\"}}", 1, 0, "no `data`"},
	    {"[]", 1, 0, "not an object"},
	    {"1 ", 1, 0, "not an object"},
	    {"null ", 1, 0, "not an object"},
	    {"\"a\"", 1, 0, "not an object"},
	    {"{\"data\":null}", 1, 0, "`data` is not a list"},
	    {"{\"data\":{}}", 1, 0, "`data` is not a list"},
	    {"{\"data\":5}", 1, 0, "`data` is not a list"},
	    {"{\"data\":[5]}", 1, 0, "not an object"},
	    {"{\"data\":[[]]}", 1, 0, "not an object"},
	    {"{\"data\":[]}", 1, 0, "0 of 1 vectors"},
	    {"{\"data\":[{}]}", 1, 0, "no `embedding`"},
	    {"{\"data\":[{\"embedding\":[1]}]}", 1, 0, "no `index`"},
	    {"{\"data\":[{\"index\":0}]}", 1, 0, "no `embedding`"},
	    {"{\"data\":[{\"index\":1,\"embedding\":[1]}]}", 1, 0, "index 1 is outside"},
	    {"{\"data\":[{\"index\":-1,\"embedding\":[1]}]}", 1, 0, "index -1 is outside"},
	    {"{\"data\":[{\"index\":0.0,\"embedding\":[1]}]}", 1, 0, "index 0.0 is outside"},
	    {"{\"data\":[{\"index\":99999999999999999999,\"embedding\":[1]}]}", 1, 0, "outside"},
	    {"{\"data\":[{\"index\":\"0\",\"embedding\":[1]}]}", 1, 0, "not a number"},
	    {"{\"data\":[{\"index\":null,\"embedding\":[1]}]}", 1, 0, "not a number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}", 2, 0,
		"index 0 came twice"},
	    {"{\"data\":[{\"index\":0,\"index\":0,\"embedding\":[1]}]}", 1, 0, "comes twice"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1],\"embedding\":[1]}]}", 1, 0, "comes twice"},
	    {"{\"data\":[],\"data\":[{\"index\":0,\"embedding\":[1]}]}", 1, 0, "comes twice"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[]}]}", 1, 0, "is empty"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"\"}]}", 1, 0, "is empty"},
	    {"{\"data\":[{\"index\":0,\"embedding\":null}]}", 1, 0, "neither base64 nor"},
	    {"{\"data\":[{\"index\":0,\"embedding\":{}}]}", 1, 0, "neither base64 nor"},
	    {"{\"data\":[{\"index\":0,\"embedding\":3}]}", 1, 0, "neither base64 nor"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1,null]}]}", 1, 0, "not a number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[\"1\"]}]}", 1, 0, "not a number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[[1]]}]}", 1, 0, "not a number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[NaN]}]}", 1, 0, "a value was due"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1e39]}]}", 1, 0, "not finite"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AADAfw==\"}]}", 1, 0, "not finite"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[0,-0.0]}]}", 1, 0, "all zeros"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", 1, 3, "too few"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", 1, 1, "too many"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":1,\"embedding\":[1]}]}", 2, 0,
		"too few"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AACAPwA=\"}]}", 1, 0, "whole number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AACAPw\"}]}", 1, 0, "four characters"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AACAPw==A\"}]}", 1, 0, "padding"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AAC?Pw==\"}]}", 1, 0, "not base64"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AAC\nPw==\"}]}", 1, 0, "control"},
	    {"{\"data\":[{\"index\":0,\"embedding\":\"AACAPx==\"}]}", 1, 0, "not base64"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1.]}]}", 1, 0, "JSON number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[01]}]}", 1, 0, "JSON number"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1 2]}]}", 1, 0, "','"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1,]}]}", 1, 0, "value was due"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1}}]}", 1, 0, "closes nothing"},
	    {"{\"data\":[{\"index\":0 \"embedding\":[1]}]}", 1, 0, "','"},
	    {"{\"data\" [{\"index\":0,\"embedding\":[1]}]}", 1, 0, "':'"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1]}]}x", 1, 0, "after its end"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1]}],}", 1, 0, "a key was due"},
	    {"{\"a\":tru,\"data\":[{\"index\":0,\"embedding\":[1]}]}", 1, 0, "not JSON"},
	    {"{\"a\":\"\\x\",\"data\":[{\"index\":0,\"embedding\":[1]}]}", 1, 0, "escape"},
	    {"{\"a\":\"\\u00g0\",\"data\":[{\"index\":0,\"embedding\":[1]}]}", 1, 0, "hex"},
	    {"{\"data\":[{\"index\":0,\"embedding\":[1]}]", 1, 0, "too early"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_bad(cases[i].body, cases[i].count, cases[i].dimensions, cases[i].says);
}

static void names_the_vector_at_fault(void **state)
{
	struct heard heard;
	struct embed_error error;

	(void)state;
	assert_int_equal(
	    read_body(&heard,
		"{\"data\":[{\"index\":1,\"embedding\":[1]},{\"index\":0,\"embedding\":[0]}]}", 2,
		0, &error),
	    EMBED_BAD_REPLY);
	assert_int_equal(error.index, 0);
}

static void nesting_is_bounded(void **state)
{
	char body[300];
	struct wire_reply reply;
	struct heard heard;
	struct embed_error error;

	(void)state;
	wire_reply_init(&reply);
	memset(body, '[', sizeof(body));
	memcpy(body, "{\"a\":", 5);
	assert_int_equal(
	    read_in_steps(&reply, &heard, body, sizeof(body), 7, 1, 0, &error), EMBED_BAD_REPLY);
	assert_non_null(strstr(error.message, "nested"));
	wire_reply_fini(&reply);
}

static void a_number_is_bounded(void **state)
{
	char body[WIRE_MAX_NUMBER + 200];
	size_t prefix = (size_t)snprintf(body, sizeof(body), "{\"data\":[{\"embedding\":[0.");
	struct wire_reply reply;
	struct heard heard;
	struct embed_error error;

	(void)state;
	wire_reply_init(&reply);
	memset(body + prefix, '1', WIRE_MAX_NUMBER);
	assert_int_equal(
	    read_in_steps(&reply, &heard, body, prefix + WIRE_MAX_NUMBER, SIZE_MAX, 1, 0, &error),
	    EMBED_BAD_REPLY);
	assert_non_null(strstr(error.message, "characters"));
	wire_reply_fini(&reply);
}

static void more_vectors_than_asked_are_refused(void **state)
{
	(void)state;
	assert_bad("{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1]}]}",
	    1, 0, "outside 0..0");
}

static void stays_bad_after_a_fault(void **state)
{
	struct wire_reply reply;
	struct heard heard = {0};

	(void)state;
	wire_reply_init(&reply);
	assert_int_equal(wire_reply_start(&reply, 1, 0, hear, &heard), EMBED_OK);
	assert_int_equal(wire_reply_feed(&reply, "[", 1, NULL), EMBED_BAD_REPLY);
	assert_int_equal(wire_reply_feed(&reply, "{", 1, NULL), EMBED_BAD_REPLY);
	assert_int_equal(wire_reply_end(&reply, NULL), EMBED_BAD_REPLY);
	assert_int_equal(
	    wire_reply_start(&reply, 1, WIRE_MAX_DIMENSIONS + 1, hear, &heard), EMBED_TOO_LARGE);
	wire_reply_fini(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_both_layouts),
	    cmocka_unit_test(tells_model_and_usage),
	    cmocka_unit_test(takes_base64_with_any_escapes),
	    cmocka_unit_test(places_vectors_by_index_in_any_order),
	    cmocka_unit_test(keys_may_be_escaped_and_look_alikes_are_skipped),
	    cmocka_unit_test(refuses_what_is_not_a_good_reply),
	    cmocka_unit_test(names_the_vector_at_fault),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(a_number_is_bounded),
	    cmocka_unit_test(more_vectors_than_asked_are_refused),
	    cmocka_unit_test(stays_bad_after_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
