/* SPDX-License-Identifier: MIT */
/* Every fault as a client sees it: what arrives, and how it ends. */
#include "emulator/test_client.h"

#include <math.h>

#include "emulator/fault.h"
#include "wire/reply.h"

#define BODY                                                                                       \
	"{\"model\":\"text-embedding-3-small\",\"input\":[\"a\",\"b\",\"c\"],\"dimensions\":64,"   \
	"\"encoding_format\":\"base64\"}"

static struct stand stand;

static int open_stand(void **state)
{
	(void)state;
	stand = STAND("--framing=length");
	return 0;
}

static int close_stand(void **state)
{
	(void)state;
	stand_close(&stand);
	return 0;
}

static struct answer with_fault(const char *spec, const char *fields)
{
	struct answer answer = ask(&stand, "DELETE", "/emulator/faults", "", "", 0);
	char body[256];

	answer_free(&answer);
	snprintf(body, sizeof(body), "\"%s\"", spec);
	answer = post(&stand, "/emulator/faults", body);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	return ask(&stand, "POST", "/v1/embeddings", fields, BODY, strlen(BODY));
}

static void ignore_vector(void *context, size_t index, const float *vector, uint32_t dimensions)
{
	(void)context;
	(void)index;
	(void)vector;
	(void)dimensions;
}

/* What our own strict reader says of a body. */
static enum embed_status reader_says(const struct answer *answer)
{
	struct wire_reply reply;
	enum embed_status status;

	wire_reply_init(&reply);
	status = wire_reply_start(&reply, 3, 64, ignore_vector, NULL);
	if (status == EMBED_OK)
		status = wire_reply_feed(&reply, answer->body, answer->body_len, NULL);
	if (status == EMBED_OK)
		status = wire_reply_end(&reply, NULL);
	wire_reply_fini(&reply);
	return status;
}

static void every_error_answer_has_its_status_and_type(void **state)
{
	(void)state;
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		enum refusal refusal = (enum refusal)i;
		struct answer answer = with_fault(refusal_name(refusal), "");

		assert_int_equal(answer.status, refusal_http_status(refusal));
		assert_string_equal(field_of(&answer, "content-type"),
		    refusal_content_type(refusal) ? refusal_content_type(refusal) : "");
		/* No placeholder is left. */
		assert_null(strstr(answer.body, "{}"));
		assert_null(strstr(answer.body, "{model}"));
		if (refusal_content_type(refusal) && answer.body[0] == '{')
			json_decref(json_of(&answer));
		answer_free(&answer);
	}
	assert_int_equal(stat_of(&stand, "tokens"), 0);
}

static void error_answers_come_in_every_form_that_is_seen(void **state)
{
	static const struct {
		const char *fault, *holds;
	} rows[] = {
	    {"html_502", "<!DOCTYPE html>"},
	    {"html_520", "Error 520"},
	    {"bad_gateway_integer",
		"{\"error\":{\"code\":502,\"message\":\"Bad gateway.\",\"param\":null,\"type\":\"cf_"
		"bad_gateway\"}}"},
	    {"integer_code", "\"code\":400}}"},
	    {"flat_422", "\"type\":\"Validation\""},
	    {"text_500", "{\"error\":\"Something went wrong.\"}"},
	    {"azure_429", "{\"error\":{\"code\":\"429\",\"message\":\"Requests to the "
			  "Embeddings_Create Operation"},
	    {"rate_tokens", "Limit 1000000, Used 976163, Requested 70716. Please try again in "
			    "2.812s."},
	    {"no_quota", "\"code\": \"insufficient_quota\""},
	    {"slow_down", "Slow Down"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = with_fault(rows[i].fault, "");

		if (!strstr(answer.body, rows[i].holds))
			fail_msg("%s: %s", rows[i].fault, answer.body);
		answer_free(&answer);
	}
}

static void waits_are_named_as_asked(void **state)
{
	static const char *const values[] = {"1", "56", "130", "86400"};
	struct answer answer;
	char spec[128];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(spec, sizeof(spec), "rate_tokens@retry-after=%s", values[i]);
		answer = with_fault(spec, "");
		assert_string_equal(field_of(&answer, "retry-after"), values[i]);
		answer_free(&answer);
	}
	answer = with_fault("rate_tokens@retry-after-ms=1500@should-retry=true", "");
	assert_string_equal(field_of(&answer, "retry-after"), "1");
	assert_string_equal(field_of(&answer, "retry-after-ms"), "1500");
	assert_string_equal(field_of(&answer, "x-should-retry"), "true");
	answer_free(&answer);
	answer = with_fault("fault@should-retry=false", "");
	assert_string_equal(field_of(&answer, "x-should-retry"), "false");
	assert_string_equal(field_of(&answer, "retry-after"), "");
	answer_free(&answer);
	answer = with_fault("rate_tokens@retry-after=none", "");
	assert_string_equal(field_of(&answer, "retry-after"), "");
	answer_free(&answer);
}

static void connections_end_as_ordered(void **state)
{
	static const struct {
		const char *fault;
		bool was_reset, has_head;
	} rows[] = {{"reset", true, false}, {"close", false, false},
	    {"reset_after_status", true, true}, {"reset_mid_body", true, true},
	    {"cut_body", false, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = with_fault(rows[i].fault, "");

		assert_int_equal(answer.was_reset, rows[i].was_reset);
		assert_int_equal(answer.status, rows[i].has_head ? 200 : 0);
		if (rows[i].has_head)
			assert_true(answer.body_len <
				    strtoul(field_of(&answer, "content-length"), NULL, 10));
		answer_free(&answer);
	}
}

static void a_stall_sends_nothing_or_half_and_ends_with_the_client(void **state)
{
	static const char request[] = "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: "
				      "%zu\r\n\r\n" BODY;
	struct answer answer = ask(&stand, "DELETE", "/emulator/faults", "", "", 0);
	char bytes[1024];
	int fd, len = snprintf(bytes, sizeof(bytes), request, strlen(BODY));

	(void)state;
	answer_free(&answer);
	answer = post(&stand, "/emulator/faults", "[\"stall@next=1\",\"stall_mid_body@next=1\"]");
	answer_free(&answer);
	fd = stand_connect(&stand);
	send_all(fd, bytes, (size_t)len);
	wait_for_stat(&stand, "working", 1);
	assert_int_equal(recv(fd, bytes, 1, MSG_DONTWAIT), -1);
	close(fd);
	wait_for_stat(&stand, "working", 0);
	fd = stand_connect(&stand);
	len = snprintf(bytes, sizeof(bytes), request, strlen(BODY));
	send_all(fd, bytes, (size_t)len);
	assert_int_equal(recv(fd, bytes, 12, MSG_WAITALL), 12);
	assert_memory_equal(bytes, "HTTP/1.1 200", 12);
	assert_int_equal(stat_of(&stand, "working"), 1);
	close(fd);
	wait_for_stat(&stand, "working", 0);
}

static void what_can_not_be_used_is_refused_by_a_strict_reader(void **state)
{
	static const char *const faults[] = {"cut_json", "empty_body", "html_200",
	    "duplicate_index", "missing_index", "index_too_large", "missing_item", "nan",
	    "infinity", "zero_vector", "short_vector", "long_vector", "bad_base64"};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct answer answer = with_fault(faults[i], "");

		assert_int_equal(answer.status, 200);
		assert_int_equal(
		    answer.body_len, strtoul(field_of(&answer, "content-length"), NULL, 10));
		if (reader_says(&answer) != EMBED_BAD_REPLY)
			fail_msg("%s was taken", faults[i]);
		answer_free(&answer);
	}
}

static void what_is_only_odd_is_taken_by_a_careful_reader(void **state)
{
	static const char *const faults[] = {
	    "out_of_order", "changed_model", "no_usage", "extra_keys", "floats", "trickle"};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct answer answer = with_fault(faults[i], "");

		assert_int_equal(answer.status, 200);
		if (reader_says(&answer) != EMBED_OK)
			fail_msg("%s was refused: %s", faults[i], answer.body);
		answer_free(&answer);
	}
}

static void a_cut_gzip_body_lacks_its_end(void **state)
{
	struct answer answer = with_fault("cut_gzip", "Accept-Encoding: gzip\r\n");

	(void)state;
	assert_string_equal(field_of(&answer, "content-encoding"), "gzip");
	assert_int_equal(answer.body_len, strtoul(field_of(&answer, "content-length"), NULL, 10));
	assert_memory_equal(answer.body, "\x1f\x8b", 2);
	answer_free(&answer);
}

static void faults_instead_of_an_answer_bill_nothing_the_others_do(void **state)
{
	struct answer answer = post(&stand, "/emulator/reset", "");

	(void)state;
	answer_free(&answer);
	answer = with_fault("reset", "");
	answer_free(&answer);
	assert_int_equal(stat_of(&stand, "tokens"), 0);
	answer = with_fault("cut_body", "");
	answer_free(&answer);
	answer = with_fault("nan", "");
	answer_free(&answer);
	answer = with_fault("out_of_order", "");
	answer_free(&answer);
	assert_int_equal(stat_of(&stand, "tokens"), 9);
	assert_int_equal(stat_of(&stand, "lost_tokens"), 6);
	assert_int_equal(stat_of(&stand, "lost_answers"), 2);
	assert_int_equal(stat_of(&stand, "answered"), 1);
	assert_int_equal(stat_of(&stand, "repeated_texts"), 6);
}

static void models_files_and_batches_can_be_struck_too(void **state)
{
	static const char *const rows[][2] = {
	    {"models", "/v1/models"}, {"files", "/v1/files"}, {"batches", "/v1/batches"}};
	char spec[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct answer answer = ask(&stand, "DELETE", "/emulator/faults", "", "", 0);

		answer_free(&answer);
		snprintf(spec, sizeof(spec), "\"overloaded@on=%s@next=1\"", rows[i][0]);
		answer = post(&stand, "/emulator/faults", spec);
		answer_free(&answer);
		answer = get(&stand, rows[i][1]);
		assert_int_equal(answer.status, 503);
		answer_free(&answer);
		answer = get(&stand, rows[i][1]);
		assert_int_equal(answer.status, 200);
		answer_free(&answer);
	}
}

static void every_kind_of_fault_is_in_one_of_these_tests(void **state)
{
	struct buffer out;
	int lines = 0;

	(void)state;
	buffer_init(&out, 1 << 16);
	emulator_list_faults(&out);
	for (size_t i = 0; i < out.len; i++)
		lines += out.bytes[i] == '\n';
	/* 7 on connections, 1 cut gzip, 13 unusable, 6 odd, and the error answers. */
	assert_int_equal(lines, 7 + 1 + 13 + 6 + REFUSAL_COUNT - 1);
	buffer_fini(&out);
}

static void nonsense_at_the_control_doors_is_refused(void **state)
{
	static const struct {
		const char *path, *body;
	} rows[] = {{"/emulator/faults", "{}"}, {"/emulator/faults", "[1]"},
	    {"/emulator/faults", "\"nothing\""}, {"/emulator/faults", "["},
	    {"/emulator/clock", "{\"advance_s\":-1}"}, {"/emulator/clock", "{\"advance_s\":1e300}"},
	    {"/emulator/clock", "7"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = post(&stand, rows[i].path, rows[i].body);

		assert_int_equal(answer.status, 400);
		answer_free(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_error_answer_has_its_status_and_type),
	    cmocka_unit_test(error_answers_come_in_every_form_that_is_seen),
	    cmocka_unit_test(waits_are_named_as_asked),
	    cmocka_unit_test(connections_end_as_ordered),
	    cmocka_unit_test(a_stall_sends_nothing_or_half_and_ends_with_the_client),
	    cmocka_unit_test(what_can_not_be_used_is_refused_by_a_strict_reader),
	    cmocka_unit_test(what_is_only_odd_is_taken_by_a_careful_reader),
	    cmocka_unit_test(a_cut_gzip_body_lacks_its_end),
	    cmocka_unit_test(faults_instead_of_an_answer_bill_nothing_the_others_do),
	    cmocka_unit_test(models_files_and_batches_can_be_struck_too),
	    cmocka_unit_test(every_kind_of_fault_is_in_one_of_these_tests),
	    cmocka_unit_test(nonsense_at_the_control_doors_is_refused),
	};

	return cmocka_run_group_tests_name("emulator.faults", tests, open_stand, close_stand);
}
