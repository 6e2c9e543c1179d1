/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cli/chunk_view.h"

#define COLUMNS 40

/* The first rule of markdown that is drawn without colour, without its newline. */
static void draw_rule(const char *text, char rule[256])
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	struct buffer out;
	embed_chunks *chunks;
	const char *end;

	options.strategy = EMBED_CHUNK_MARKDOWN;
	assert_int_equal(embed_chunk(text, strlen(text), &options, &chunks, NULL), EMBED_OK);
	buffer_init(&out, 4096);
	chunk_view_show(&out, text, chunks, COLUMNS, false);
	assert_int_equal(out.status, EMBED_OK);
	end = memchr(out.bytes, '\n', out.len);
	assert_non_null(end);
	assert_true(end - out.bytes < 256);
	snprintf(rule, 256, "%.*s", (int)(end - out.bytes), out.bytes);
	buffer_fini(&out);
	embed_chunks_destroy(chunks);
}

static void a_rule_tells_the_heading(void **state)
{
	char rule[256];

	(void)state;
	draw_rule("# Gr\u00fc\u00dfe\n\nText.\n", rule);
	assert_string_equal(rule,
	    "\u2500\u2500 0  6 tokens  0-17  Gr\u00fc\u00dfe "
	    "\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500");
}

static void a_heading_sends_no_commands_to_the_terminal(void **state)
{
	char rule[256];

	(void)state;
	draw_rule("# a\033[31m\302\2331mb\n", rule);
	assert_null(strchr(rule, '\033'));
	assert_null(strstr(rule, "\302\233"));
	assert_non_null(strstr(rule, "a\u00b7[31m\u00b71mb"));
}

static void a_long_heading_is_cut_to_the_line(void **state)
{
	char rule[256];

	(void)state;
	draw_rule("# one two three four five six seven\n", rule);
	assert_string_equal(rule, "\u2500\u2500 0  9 tokens  0-36  one two three fo\u2026 ");
}

static void a_wide_heading_is_cut_between_characters(void **state)
{
	char rule[256];

	(void)state;
	draw_rule("# \u6807\u9898\u5f88\u957f\u5f88\u957f\u5f88\u957f\u5f88\u957f\n", rule);
	assert_string_equal(rule,
	    "\u2500\u2500 0  17 tokens  0-33  \u6807\u9898\u5f88\u957f\u5f88\u957f\u5f88\u2026 \u2500");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_tells_the_heading),
	    cmocka_unit_test(a_heading_sends_no_commands_to_the_terminal),
	    cmocka_unit_test(a_long_heading_is_cut_to_the_line),
	    cmocka_unit_test(a_wide_heading_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
