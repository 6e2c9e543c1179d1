/* SPDX-License-Identifier: MIT */
/* Trace contexts, spans as JSON and the webhook's signature: the pure parts. */
#include "telemetry/tracer.h"
#include "telemetry/webhook.h"

#include "base/test.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static bool reads(const char *text)
{
	struct trace_context context;

	return trace_context_read(&context, text, strlen(text));
}

static void only_well_formed_contexts_are_taken(void **state)
{
	struct trace_context context;

	(void)state;
	assert_true(trace_context_read(&context, "00-" TRACE "-" PARENT "-01", 55));
	assert_string_equal(context.trace_id, TRACE);
	assert_string_equal(context.parent_id, PARENT);
	assert_true(context.is_sampled);
	assert_true(trace_context_read(&context, "00-" TRACE "-" PARENT "-00", 55));
	assert_false(context.is_sampled);
	assert_false(reads(""));
	assert_false(reads("01-" TRACE "-" PARENT "-01"));
	assert_false(reads("00-00000000000000000000000000000000-" PARENT "-01"));
	assert_false(reads("00-" TRACE "-0000000000000000-01"));
	assert_false(reads("00-4BF92F3577b34da6a3ce929d0e0e4736-" PARENT "-01"));
	assert_false(reads("00-" TRACE "-" PARENT "-0x"));
	assert_false(reads("00-" TRACE "-" PARENT "-01-"));
}

static void what_is_written_can_be_read(void **state)
{
	struct trace_context context = {.trace_id = TRACE, .is_sampled = true}, again;
	char text[TRACE_PARENT_LEN + 1];

	(void)state;
	trace_parent_write(text, &context, 0xabc);
	assert_string_equal(text, "00-" TRACE "-0000000000000abc-01");
	assert_true(trace_context_read(&again, text, strlen(text)));
	assert_string_equal(again.parent_id, "0000000000000abc");
}

static void a_span_is_written_with_its_attributes(void **state)
{
	const struct trace_span span = {.context = {.trace_id = TRACE, .parent_id = PARENT},
	    .span_id = 1,
	    .kind = SPAN_CLIENT,
	    .start_us = 5,
	    .end_us = 7,
	    .model = "a \"model\"\xff",
	    .server = "host:81",
	    .error = "quota_exhausted",
	    .tokens = 9};
	struct buffer out;

	(void)state;
	buffer_init(&out, 65536);
	otlp_write(&out, &span, 1);
	buffer_append(&out, "", 1);
	assert_int_equal(out.status, EMBED_OK);
	assert_non_null(
	    strstr(out.bytes, "\"parentSpanId\":\"" PARENT "\",\"name\":"
			      "\"embeddings a \\\"model\\\"\xef\xbf\xbd\",\"kind\":3,"
			      "\"startTimeUnixNano\":\"5000\",\"endTimeUnixNano\":\"7000\""));
	assert_non_null(
	    strstr(out.bytes, "{\"key\":\"server.port\",\"value\":{\"intValue\":\"81\"}}"));
	assert_non_null(strstr(
	    out.bytes, "{\"key\":\"error.type\",\"value\":{\"stringValue\":\"quota_exhausted\"}}"));
	assert_non_null(strstr(out.bytes, "\"status\":{\"code\":2}"));
	assert_null(strstr(out.bytes, "embed.hits"));
	buffer_fini(&out);
}

static void a_letter_is_signed_over_time_and_body(void **state)
{
	char field[WEBHOOK_FIELD_MAX], other[WEBHOOK_FIELD_MAX];

	(void)state;
	assert_true(webhook_sign(field, "key", "{}", 2, 1));
	assert_memory_equal(field, "x-embed-signature: t=1,v1=", 26);
	assert_int_equal(strlen(field), 26 + 64);
	assert_true(webhook_sign(other, "key", "{}", 2, 2));
	assert_string_not_equal(field + 26, other + 26);
	assert_true(webhook_sign(other, "kez", "{}", 2, 1));
	assert_string_not_equal(field + 26, other + 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_well_formed_contexts_are_taken),
	    cmocka_unit_test(what_is_written_can_be_read),
	    cmocka_unit_test(a_span_is_written_with_its_attributes),
	    cmocka_unit_test(a_letter_is_signed_over_time_and_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
