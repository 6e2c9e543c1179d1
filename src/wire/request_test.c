/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "wire/request_rig.h"

static void assert_refuses(
    const char *body, size_t len, enum embed_status expected, size_t offset, const char *says)
{
	struct wire_request request;
	struct embed_error error = {0};
	enum embed_status status;
	char *copy;

	wire_request_init(&request);
	status = read_bytes(&request, body, len, 0, &error, &copy);
	if (status != expected)
		fail_msg("%s: status %s", body, embed_status_code(status));
	if (error.offset != offset || strstr(error.message, says) == NULL)
		fail_msg("%s: byte %zu: %s", body, error.offset, error.message);
	free(copy);
	wire_request_fini(&request);
}

static void reads_the_four_forms_of_input(void **state)
{
	struct wire_request request;
	char *copy;

	(void)state;
	wire_request_init(&request);
	assert_reads(&request, &copy, "{\"input\":[[],[]]}");
	assert_int_equal(request.form, WIRE_INPUT_IDS_LIST);
	assert_int_equal(request.count, 2);
	assert_int_equal(request.texts[1].id_count, 0);
	free(copy);
	assert_reads(&request, &copy, "{\"input\":\"one\",\"model\":\"m\"}");
	assert_int_equal(request.form, WIRE_INPUT_TEXT);
	assert_int_equal(request.count, 1);
	assert_string_equal(request.texts[0].bytes, "one");
	assert_string_equal(request.model.bytes, "m");
	free(copy);
	assert_reads(&request, &copy, " { \"input\" : [ \"a\" , \"\" ] } ");
	assert_int_equal(request.form, WIRE_INPUT_TEXTS);
	assert_int_equal(request.count, 2);
	assert_int_equal(request.texts[1].len, 0);
	assert_int_equal(request.model.kind, WIRE_ABSENT);
	free(copy);
	assert_reads(&request, &copy, "{\"input\":[0,4294967295 , 7]}");
	assert_int_equal(request.form, WIRE_INPUT_IDS);
	assert_int_equal(request.count, 1);
	assert_int_equal(request.texts[0].id_count, 3);
	assert_null(request.texts[0].bytes);
	assert_true(request.texts[0].ids[1] == UINT32_MAX);
	free(copy);
	assert_reads(&request, &copy, "{\"input\":[[1],[ ],[2,3]]}");
	assert_int_equal(request.form, WIRE_INPUT_IDS_LIST);
	assert_int_equal(request.count, 3);
	assert_int_equal(request.texts[1].id_count, 0);
	assert_int_equal(request.texts[2].ids[1], 3);
	free(copy);
	wire_request_fini(&request);
}

static void tells_absent_null_and_wrong_kinds_apart(void **state)
{
	static const struct {
		const char *value;
		enum wire_kind kind;
	} cases[] = {{"null", WIRE_NULL}, {"true", WIRE_BOOL}, {"false", WIRE_BOOL},
	    {"1.5", WIRE_NUMBER}, {"1e2", WIRE_NUMBER}, {"99999999999999999999", WIRE_NUMBER},
	    {"[1,{\"a\":[]}]", WIRE_ARRAY}, {"{\"a\":\"}\"}", WIRE_OBJECT}, {"-7", WIRE_INTEGER},
	    {"9223372036854775807", WIRE_INTEGER}, {"-9223372036854775808", WIRE_INTEGER},
	    {"-9223372036854775809", WIRE_NUMBER}, {"9223372036854775808", WIRE_NUMBER}};
	struct wire_request request;
	char body[200];
	char *copy;

	(void)state;
	wire_request_init(&request);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body),
		    "{\"dimensions\":%s,\"user\":%s,\"encoding_format\":%s}", cases[i].value,
		    cases[i].value, cases[i].value);
		assert_reads(&request, &copy, body);
		assert_int_equal(request.dimensions_kind, cases[i].kind);
		assert_int_equal(request.user.kind, cases[i].kind);
		assert_int_equal(request.encoding_format.kind, cases[i].kind);
		assert_int_equal(request.model.kind, WIRE_ABSENT);
		free(copy);
	}
	assert_reads(&request, &copy, "{\"dimensions\":-9223372036854775808}");
	assert_true(request.dimensions == INT64_MIN);
	free(copy);
	wire_request_fini(&request);
}

static void unescapes_in_place(void **state)
{
	struct wire_request request;
	char *copy;

	(void)state;
	wire_request_init(&request);
	assert_reads(&request, &copy,
	    "{\"input\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u0041\\u00e9\\u20ac\\ud83d\\ude00 \xc3\xa9"
	    "\xe2\x82\xac plain tail that is longer than sixteen bytes\\n and then some\"}");
	assert_string_equal(request.texts[0].bytes,
	    "\"\\/\b\f\n\r\t A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xc3\xa9\xe2\x82\xac plain tail "
	    "that is longer than sixteen bytes\n and then some");
	assert_int_equal(request.texts[0].len, strlen(request.texts[0].bytes));
	free(copy);
	wire_request_fini(&request);
}

static void a_nul_stays_in_its_text(void **state)
{
	struct wire_request request;
	char *copy;

	(void)state;
	wire_request_init(&request);
	assert_reads(&request, &copy, "{\"input\":[\"a\\u0000b\",\"a\"]}");
	assert_int_equal(request.texts[0].len, 3);
	assert_memory_equal(request.texts[0].bytes, "a\0b", 4);
	assert_int_equal(request.texts[1].len, 1);
	free(copy);
	wire_request_fini(&request);
}

static void lists_unknown_fields_as_they_came_and_writes_them_by_name(void **state)
{
	struct wire_request request;
	struct buffer out;
	char *copy;

	(void)state;
	wire_request_init(&request);
	buffer_init(&out, 1000);
	assert_reads(&request, &copy,
	    "{\"x\\u0079\": {\"a\" : [1, \"\\u0041\"]} ,\"input\":\"t\",\"n\":null,\"xyz\":2,\"n\":1}");
	assert_int_equal(request.extra_count, 4);
	assert_string_equal(request.extras[0].name, "xy");
	wire_request_write_extras(&request, &out);
	buffer_append_char(&out, '\0');
	assert_string_equal(
	    out.bytes, "\"n\":null,\"n\":1,\"xy\":{\"a\" : [1, \"\\u0041\"]},\"xyz\":2");
	buffer_fini(&out);
	free(copy);
	wire_request_fini(&request);
}

/* A body of n extras as short as can be. */
static enum embed_status read_extras(struct wire_request *request, size_t n)
{
	struct buffer body;
	enum embed_status status;

	buffer_init(&body, 1 << 20);
	buffer_append_text(&body, "{\"input\":\"t\"");
	for (size_t i = 0; i < n; i++)
		buffer_append_text(&body, ",\"\":0");
	buffer_append_char(&body, '}');
	status = wire_request_read(request, body.bytes, body.len, 0, NULL);
	buffer_fini(&body);
	return status;
}

/* A body of 64 MB would otherwise take a gigabyte, which stays with the reader. */
static void takes_only_so_many_unknown_fields(void **state)
{
	struct wire_request request;

	(void)state;
	wire_request_init(&request);
	assert_int_equal(read_extras(&request, WIRE_MAX_EXTRAS), EMBED_OK);
	assert_int_equal(request.extra_count, WIRE_MAX_EXTRAS);
	assert_int_equal(read_extras(&request, WIRE_MAX_EXTRAS + 1), EMBED_BAD_FORMAT);
	assert_int_equal(read_extras(&request, 100000), EMBED_BAD_FORMAT);
	wire_request_fini(&request);
}

static void says_where_an_input_has_a_wrong_kind(void **state)
{
	static const struct {
		const char *body;
		size_t index;
		size_t offset;
	} cases[] = {
	    {"{\"input\":5}", EMBED_NO_INDEX, 9},
	    {"{\"input\":{\"a\":1}}", EMBED_NO_INDEX, 9},
	    {"{\"input\":[\"a\",1,2]}", 1, 14},
	    {"{\"input\":[\"a\",null]}", 1, 14},
	    {"{\"input\":[1,\"a\"]}", 1, 12},
	    {"{\"input\":[1,-2]}", 1, 12},
	    {"{\"input\":[1,2.5]}", 1, 12},
	    {"{\"input\":[1,4294967296]}", 1, 12},
	    {"{\"input\":[[1],[2,\"x\"]]}", 1, 17},
	    {"{\"input\":[[1],2]}", 1, 14},
	    {"{\"input\":[[1],[[2]]]}", 1, 15},
	    {"{\"input\":[null]}", 0, 10},
	    {"{\"input\":[true,\"a\"]}", 0, 10},
	};
	struct wire_request request;
	char *copy;

	(void)state;
	wire_request_init(&request);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_reads(&request, &copy, cases[i].body);
		assert_int_equal(request.form, WIRE_INPUT_BAD);
		if (request.bad_index != cases[i].index || request.bad_offset != cases[i].offset)
			fail_msg(
			    "%s: %zu, %zu", cases[i].body, request.bad_index, request.bad_offset);
		free(copy);
	}
	wire_request_fini(&request);
}

static void refuses_what_is_not_json(void **state)
{
	static const struct {
		const char *body;
		size_t offset;
		const char *says;
	} cases[] = {
	    {"", 0, "must be a JSON object"},
	    {"[]", 0, "must be a JSON object"},
	    {"\"a\"", 0, "must be a JSON object"},
	    {"{", 1, "field name"},
	    {"{}x", 2, "follows"},
	    {"{} {}", 3, "follows"},
	    {"{\"a\"}", 4, "colon"},
	    {"{\"a\":}", 5, "value was due"},
	    {"{\"a\":1,}", 7, "field name"},
	    {"{\"a\":1 \"b\":2}", 7, "comma"},
	    {"{a:1}", 1, "field name"},
	    {"{\"input\":[\"a\",]}", 14, "value was due"},
	    {"{\"input\":[\"a\" \"b\"]}", 14, "comma"},
	    {"{\"input\":[[1,]]}", 13, "value was due"},
	    {"{\"input\":[1 2]}", 12, "comma"},
	    {"{\"input\":[01]}", 12, "superfluous 0"},
	    {"{\"input\":\"a\nb\"}", 11, "control character"},
	    {"{\"input\":\"a\\x\"}", 11, "escape"},
	    {"{\"input\":\"a\\u12g4\"}", 11, "hex"},
	    {"{\"input\":\"a\\u12", 11, "hex"},
	    {"{\"input\":\"abc", 13, "does not end"},
	    {"{\"input\":\"abc\\", 13, "does not end"},
	    {"{\"dimensions\":01}", 16, "superfluous 0"},
	    {"{\"dimensions\":1.}", 16, "number"},
	    {"{\"dimensions\":-}", 15, "number"},
	    {"{\"dimensions\":1e+}", 17, "number"},
	    {"{\"dimensions\":+1}", 14, "value was due"},
	    {"{\"dimensions\":nul}", 14, "not a JSON value"},
	    {"{\"dimensions\":NaN}", 14, "value was due"},
	    {"{\"a\":tru}", 5, "not a JSON value"},
	    {"{\"a\":{\"b\":1,}}", 12, "field name"},
	    {"{\"a\":[1,]}", 8, "value was due"},
	    {"{\"a\":[1}", 7, "bracket"},
	    {"{\"a\":1]", 6, "comma"},
	    {"{'a':1}", 1, "field name"},
	    {"{\"a\":1}/**/", 7, "follows"},
	    {"\xef\xbb\xbf{}", 0, "must be a JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refuses(cases[i].body, strlen(cases[i].body), EMBED_BAD_FORMAT,
		    cases[i].offset, cases[i].says);
	assert_refuses("{\"input\":\"a\0b\"}", 15, EMBED_BAD_FORMAT, 11, "control character");
	assert_refuses("{}\0", 3, EMBED_BAD_FORMAT, 2, "follows");
}

static void a_known_field_twice_is_refused_however_it_is_spelt(void **state)
{
	(void)state;
	assert_refuses("{\"input\":\"a\",\"input\":\"b\"}", 25, EMBED_BAD_FORMAT, 20, "twice");
	assert_refuses(
	    "{\"model\":\"a\",\"mod\\u0065l\":\"b\"}", 30, EMBED_BAD_FORMAT, 25, "twice");
	assert_refuses("{\"user\":null,\"user\":null}", 25, EMBED_BAD_FORMAT, 19, "twice");
}

static void refuses_ill_formed_utf8_and_half_pairs_everywhere(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
	    "\xc2\x41", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf",
	    "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
	    "\xf0\x9f\x98", "\\ud800", "\\udc00", "\\ud83dx", "\\ud83d\\u0041", "\\udbff\\ud800"};
	static const char *const places[] = {"{\"input\":\"ab%s\"}", "{\"input\":[\"x\",\"ab%s\"]}",
	    "{\"model\":\"ab%s\"}", "{\"other\":\"ab%s\"}", "{\"ab%s\":1}", "{\"o\":{\"ab%s\":1}}"};
	char body[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
			size_t offset = (size_t)(strstr(places[j], "%s") - places[j]);
			char *at;

			memcpy(body, places[j], offset);
			at = body + offset;
			at = stpcpy(at, bad[i]);
			strcpy(at, places[j] + offset + 2);
			assert_refuses(body, strlen(body), EMBED_BAD_UTF8, offset, "");
		}
	}
}

static void names_the_input_and_byte_of_a_bad_text(void **state)
{
	struct wire_request request;
	struct embed_error error;
	char *copy;
	const char body[] = "{\"input\":[\"good\",\"b\xff\"]}";

	(void)state;
	wire_request_init(&request);
	assert_int_equal(
	    read_bytes(&request, body, strlen(body), 0, &error, &copy), EMBED_BAD_UTF8);
	assert_int_equal(error.index, 1);
	assert_int_equal(error.offset, 19);
	assert_string_equal(error.message, "request body, input[1], byte 19: ill-formed UTF-8");
	free(copy);
	wire_request_fini(&request);
}

static void inputs_and_nesting_are_bounded(void **state)
{
	struct wire_request request;
	struct embed_error error;
	char *body = malloc(400010);
	char *copy;

	(void)state;
	wire_request_init(&request);
	assert_int_equal(
	    read_bytes(&request, "{\"input\":[\"a\",\"b\",\"c\"]}", 23, 2, &error, &copy),
	    EMBED_TOO_LARGE);
	assert_int_equal(error.index, 2);
	free(copy);
	memcpy(body, "{\"a\":", 5);
	memset(body + 5, '[', 400000);
	assert_refuses(body, 400005, EMBED_TOO_LARGE, 5 + WIRE_MAX_DEPTH - 1, "nested");
	memcpy(body, "{\"input\":[[[", 12);
	memset(body + 12, '[', 1000);
	assert_refuses(body, 1012, EMBED_TOO_LARGE, 9 + WIRE_MAX_DEPTH, "nested");
	free(body);
	wire_request_fini(&request);
}

/* ---- Writing -------------------------------------------------------- */

static void writes_what_openai_takes(void **state)
{
	static const struct wire_request_tail tail = {.format = WIRE_FORMAT_BASE64,
	    .dimensions = 256,
	    .user = "u\"1",
	    .extra = "\"x\":1",
	    .extra_len = 5};
	static const struct wire_request_tail no_tail = {0};
	static const uint32_t ids[] = {0, 4294967295, 100257};
	struct wire_request_writer writer;
	struct buffer out;

	(void)state;
	buffer_init(&out, 1000);
	wire_request_begin(&writer, &out, "text-embedding-3-small");
	wire_request_add_text(&writer, "a\"\\\n\x01\x1f/\xc3\xa9", 9);
	wire_request_add_text(&writer, "", 0);
	assert_int_equal(wire_request_end(&writer, &tail), EMBED_OK);
	buffer_append_char(&out, '\0');
	assert_string_equal(out.bytes,
	    "{\"model\":\"text-embedding-3-small\",\"input\":[\"a\\\"\\\\\\n\\u0001\\u001f/\xc3\xa9\","
	    "\"\"],\"encoding_format\":\"base64\",\"dimensions\":256,\"user\":\"u\\\"1\",\"x\":1}");
	buffer_reset(&out);
	wire_request_begin(&writer, &out, NULL);
	wire_request_add_ids(&writer, ids, 3);
	wire_request_add_ids(&writer, ids, 1);
	assert_int_equal(wire_request_end(&writer, &no_tail), EMBED_OK);
	buffer_append_char(&out, '\0');
	assert_string_equal(out.bytes, "{\"input\":[[0,4294967295,100257],[0]]}");
	buffer_fini(&out);
}

static void tells_the_bytes_an_input_takes(void **state)
{
	struct random random = {3};
	struct wire_request_writer writer;
	struct buffer out;
	char text[200];
	uint32_t ids[50];

	(void)state;
	buffer_init(&out, 1 << 20);
	wire_request_begin(&writer, &out, NULL);
	wire_request_add_text(&writer, "x", 1);
	for (int round = 0; round < 2000; round++) {
		size_t before = out.len;
		size_t len = random_below(&random, sizeof(text));
		size_t count = random_below(&random, 50);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)random_below(&random, 128);
		wire_request_add_text(&writer, text, len);
		assert_int_equal(out.len - before, wire_request_text_bytes(text, len));
		before = out.len;
		for (size_t i = 0; i < count; i++)
			ids[i] = (uint32_t)(random_next(&random) >> random_below(&random, 64));
		wire_request_add_ids(&writer, ids, count);
		assert_int_equal(out.len - before, wire_request_ids_bytes(ids, count));
	}
	buffer_fini(&out);
}

/* Whatever room is left, a text goes in whole and right or the buffer fails. */
static void a_full_buffer_fails_and_never_holds_half_a_text(void **state)
{
	static const struct wire_request_tail tail = {0};
	static const char text[] = "ab\n\"cd\x01 and a tail of more than sixteen bytes\\";
	struct wire_request_writer writer;
	struct buffer out;
	size_t needed;

	(void)state;
	buffer_init(&out, 100000);
	wire_request_begin(&writer, &out, "m");
	wire_request_add_text(&writer, text, strlen(text));
	assert_int_equal(wire_request_end(&writer, &tail), EMBED_OK);
	needed = out.len;
	for (size_t max = 1; max < needed + 400; max++) {
		struct buffer small;

		buffer_init(&small, max);
		wire_request_begin(&writer, &small, "m");
		wire_request_add_text(&writer, text, strlen(text));
		assert_int_equal(
		    wire_request_end(&writer, &tail), max < needed ? EMBED_TOO_LARGE : EMBED_OK);
		if (max >= needed) {
			assert_int_equal(small.len, needed);
			assert_memory_equal(small.bytes, out.bytes, needed);
		}
		buffer_fini(&small);
	}
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_the_four_forms_of_input),
	    cmocka_unit_test(tells_absent_null_and_wrong_kinds_apart),
	    cmocka_unit_test(unescapes_in_place),
	    cmocka_unit_test(a_nul_stays_in_its_text),
	    cmocka_unit_test(lists_unknown_fields_as_they_came_and_writes_them_by_name),
	    cmocka_unit_test(takes_only_so_many_unknown_fields),
	    cmocka_unit_test(says_where_an_input_has_a_wrong_kind),
	    cmocka_unit_test(refuses_what_is_not_json),
	    cmocka_unit_test(a_known_field_twice_is_refused_however_it_is_spelt),
	    cmocka_unit_test(refuses_ill_formed_utf8_and_half_pairs_everywhere),
	    cmocka_unit_test(names_the_input_and_byte_of_a_bad_text),
	    cmocka_unit_test(inputs_and_nesting_are_bounded),
	    cmocka_unit_test(writes_what_openai_takes),
	    cmocka_unit_test(tells_the_bytes_an_input_takes),
	    cmocka_unit_test(a_full_buffer_fails_and_never_holds_half_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
