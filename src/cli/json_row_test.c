/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cli/json_row.h"

static struct buffer buffer;
static struct json_row row;

static int set_up(void **state)
{
	(void)state;
	buffer_init(&buffer, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_fini(&buffer);
	return 0;
}

static enum embed_status read_row(const char *line, size_t len)
{
	static const struct json_row_fields fields = {"text", "id"};

	buffer_reset(&buffer);
	return json_row_read(line, len, &fields, &buffer, &row);
}

static void assert_row(const char *line, const char *text, const char *id)
{
	assert_int_equal(read_row(line, strlen(line)), EMBED_OK);
	assert_int_equal(row.has_text, text != NULL);
	if (text != NULL) {
		assert_int_equal(row.text.len, strlen(text));
		assert_memory_equal(buffer.bytes + row.text.start, text, row.text.len);
	}
	assert_int_equal(row.has_id, id != NULL);
	if (id != NULL) {
		assert_int_equal(row.id.len, strlen(id));
		assert_memory_equal(buffer.bytes + row.id.start, id, row.id.len);
	}
}

static void takes_text_and_id_in_any_order(void **state)
{
	(void)state;
	assert_row("{\"text\":\"hello\",\"id\":7}", "hello", "7");
	assert_row(" { \"id\" : \"a\\n\" , \"more\" : [1,{\"text\":2}] , \"text\" : \"x\" } ", "x",
	    "\"a\\n\"");
	assert_row("{}", NULL, NULL);
	assert_row("{\"text\":\"\"}", "", NULL);
}

static void unescapes_the_text(void **state)
{
	(void)state;
	assert_row("{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t", NULL);
	assert_row("{\"text\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", NULL);
	assert_row("{\"te\\u0078t\":\"x\"}", "x", NULL);
}

static void a_nul_by_escape_stays_in_the_text(void **state)
{
	(void)state;
	assert_int_equal(read_row("{\"text\":\"a\\u0000b\"}", 19), EMBED_OK);
	assert_int_equal(row.text.len, 3);
	assert_memory_equal(buffer.bytes + row.text.start, "a\0b", 3);
}

static void a_lone_surrogate_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\\ud800", "\\udc00", "\\ud800x", "\\ud800\\n", "\\ud800\\u0041", "\\udc00\\ud800"};
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "{\"text\":\"%s\"}", bad[i]);
		assert_int_equal(read_row(line, strlen(line)), EMBED_BAD_UTF8);
	}
}

static void what_is_not_strict_json_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "x",
	    "[]",
	    "{",
	    "{\"text\"",
	    "{\"text\":",
	    "{\"text\":\"a",
	    "{\"text\":\"a\"",
	    "{\"text\":\"a\",}",
	    "{\"text\":\"a\"} x",
	    "{\"text\":\"a\"}{}",
	    "{\"text\":\"\t\"}",
	    "{\"text\":\"\\x\"}",
	    "{\"text\":\"\\u12\"}",
	    "{\"text\":\"\\u12g4\"}",
	    "{\"text\":7}",
	    "{\"text\":null}",
	    "{\"text\":\"a\",\"text\":\"b\"}",
	    "{\"id\":1,\"id\":2}",
	    "{\"id\":{}}",
	    "{\"a\":01}",
	    "{\"a\":1.}",
	    "{\"a\":.5}",
	    "{\"a\":1e}",
	    "{\"a\":-}",
	    "{\"a\":tru}",
	    "{\"a\":[1,]}",
	    "{\"a\":[1}",
	    "{\"a\":{\"b\":}}",
	    "{\"a\":{\"b\" 1}}",
	    "{a:1}",
	    "{'text':'a'}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_row(bad[i], strlen(bad[i])) == EMBED_OK)
			fail_msg("%s was taken", bad[i]);
		assert_non_null(row.why);
	}
}

static void values_of_other_members_may_be_anything(void **state)
{
	(void)state;
	assert_row(
	    "{\"a\":[],\"b\":{},\"c\":[[],{}],\"d\":-1.5e+7,\"e\":[true,false,null],\"text\":\"x\"}",
	    "x", NULL);
	assert_row("{\"a\":{\"b\":{\"c\":[1,2,{\"d\":\"}\"}]}},\"text\":\"x\"}", "x", NULL);
}

static void deep_nesting_is_refused_and_not_followed(void **state)
{
	char line[4000] = "{\"a\":";

	(void)state;
	memset(line + 5, '[', 3000);
	assert_int_equal(read_row(line, 3005), EMBED_BAD_FORMAT);
	assert_string_equal(row.why, "nested too deeply");
}

static void no_prefix_of_a_row_is_a_row(void **state)
{
	static const char line[] =
	    "{\"id\":-1.5e3,\"x\":[{\"y\":\"\\ud83d\\ude00\"},null],\"text\":\"a\\u00e9\"}";

	(void)state;
	for (size_t len = 0; len + 1 < sizeof(line); len++)
		assert_int_not_equal(read_row(line, len), EMBED_OK);
	assert_int_equal(read_row(line, sizeof(line) - 1), EMBED_OK);
}

static void strings_are_written_so_that_json_holds(void **state)
{
	(void)state;
	json_append_string(&buffer, "a\"\\\n\x01\0\xc3\xa9\xff\xc3z\xed\xa0\x80", 14);
	buffer_append_char(&buffer, '\0');
	assert_string_equal(buffer.bytes,
	    "\"a\\\"\\\\\\n\\u0001\\u0000\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(takes_text_and_id_in_any_order),
	    TEST(unescapes_the_text),
	    TEST(a_nul_by_escape_stays_in_the_text),
	    TEST(a_lone_surrogate_is_refused),
	    TEST(what_is_not_strict_json_is_refused),
	    TEST(values_of_other_members_may_be_anything),
	    TEST(deep_nesting_is_refused_and_not_followed),
	    TEST(no_prefix_of_a_row_is_a_row),
	    TEST(strings_are_written_so_that_json_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
