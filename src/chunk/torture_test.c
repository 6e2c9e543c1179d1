/* SPDX-License-Identifier: MIT */
/* Chunks when memory fails: all of them with all that they know, or a refusal. */
#include "chunk/chunk_cases.h"

#include <string.h>

#include "base/test_memory.h"

static const char markdown[] =
    "# Ships\n\nSailing, and\nwax.\n\n## Of the sea\n\n* one\n* two\n\n"
    "```\nif (a) {\n\tb();\n}\n```\n\n### Kings\n\nCabbages and kings.\n";
static const char html[] =
    "<h1>Ships</h1><p>Sailing &amp; wax.</p><h2>Of the sea</h2><ul><li>one<li>two"
    "</ul><h3>K</h3><p>Cabbages and kings.</p>";

static bool are_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void assert_same_chunks(const embed_chunks *chunks, const embed_chunks *wanted)
{
	assert_int_equal(chunk_count(chunks), chunk_count(wanted));
	for (size_t i = 0; i < chunk_count(wanted); i++) {
		const struct embed_chunk *got = chunk_at(chunks, i), *want = chunk_at(wanted, i);

		assert_int_equal(got->start, want->start);
		assert_int_equal(got->end, want->end);
		assert_int_equal(got->tokens, want->tokens);
		assert_true(are_same(got->heading, want->heading));
	}
}

/* Each allocation in turn, to the last. */
static void torture(enum embed_chunk_strategy strategy, const char *text)
{
	struct embed_chunk_options options = options_of(strategy, EMBED_UNIT_TOKENS, 8, 0);
	embed_chunks *wanted = chunk(text, strlen(text), &options), *chunks = NULL;
	bool failed = true;

	for (long at = 1; failed; at++) {
		struct embed_error error;
		enum embed_status status;

		test_memory_fail_at(at);
		status = chunk_text(text, strlen(text), &options, &chunks, &error);
		failed = test_memory_has_failed();
		test_memory_fail_at(0);
		if (status == EMBED_OK) {
			assert_same_chunks(chunks, wanted);
			chunk_destroy(chunks);
		} else
			assert_int_equal(status, EMBED_NO_MEMORY);
	}
	chunk_destroy(wanted);
}

static void markdown_is_whole_or_refused(void **state)
{
	(void)state;
	if (!test_memory_can_fail)
		skip();
	torture(EMBED_CHUNK_MARKDOWN, markdown);
}

static void html_is_whole_or_refused(void **state)
{
	(void)state;
	if (!test_memory_can_fail)
		skip();
	torture(EMBED_CHUNK_HTML, html);
}

static void what_has_no_headings_is_whole_or_refused(void **state)
{
	(void)state;
	if (!test_memory_can_fail)
		skip();
	torture(EMBED_CHUNK_RECURSIVE, markdown);
	torture(EMBED_CHUNK_CODE, markdown);
	torture(EMBED_CHUNK_PARAGRAPHS, markdown);
	torture(EMBED_CHUNK_TOKENS, markdown);
	torture(EMBED_CHUNK_FIXED, markdown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(markdown_is_whole_or_refused),
	    cmocka_unit_test(html_is_whole_or_refused),
	    cmocka_unit_test(what_has_no_headings_is_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
