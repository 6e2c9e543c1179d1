/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "chunk/chunk_cases.h"

/* ---- What each strategy does ----------------------------------------------------- */

/* `marked` has a '|' at each cut. */
static void assert_cuts(struct embed_chunk_options options, const char *marked)
{
	char text[2048], found[2048];
	size_t len = 0, out = 0;
	embed_chunks *chunks;

	for (const char *at = marked; *at != '\0'; at++)
		if (*at != '|')
			text[len++] = *at;
	chunks = chunk(text, len, &options);
	for (size_t i = 0; i < chunk_count(chunks); i++) {
		const struct embed_chunk *one = chunk_at(chunks, i);

		if (i > 0)
			found[out++] = '|';
		memcpy(found + out, text + one->start, one->end - one->start);
		out += one->end - one->start;
	}
	found[out] = '\0';
	assert_string_equal(found, marked);
	chunk_destroy(chunks);
}

static void fixed_counts_bytes_and_characters(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_FIXED, EMBED_UNIT_BYTES, 4, 0), "abcd|efgh|i");
	assert_cuts(options_of(EMBED_CHUNK_FIXED, EMBED_UNIT_BYTES, 4, 0), "abü|üa|😀|x");
	assert_cuts(options_of(EMBED_CHUNK_FIXED, EMBED_UNIT_CHARS, 3, 0), "abü|中文字|x");
}

static void sentences_stay_whole(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_SENTENCES, EMBED_UNIT_CHARS, 25, 0),
	    "Dr. Who came. He left. |Did you see him? |I did not see anybody |today.");
	assert_cuts(options_of(EMBED_CHUNK_SENTENCES, EMBED_UNIT_CHARS, 12, 0),
	    "今天下雨。你好吗？|我很好！再见。");
}

/* The encoding has "。海は広い" in one piece, which does not fit as a whole. */
static void a_stop_stays_with_its_sentence(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_SENTENCES, EMBED_UNIT_TOKENS, 30, 0),
	    "封蝋は手紙を閉じる、とベル博士は言う。|海は広い。港には灯台がある。");
	assert_cuts(options_of(EMBED_CHUNK_SENTENCES, EMBED_UNIT_TOKENS, 30, 0),
	    "「封蝋は手紙を閉じる、ベル博士は言う。」|海は広い。港には灯台がある。");
}

static void recursive_prefers_the_largest_unit_that_ends_in_reach(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_RECURSIVE, EMBED_UNIT_CHARS, 20, 0),
	    "One two.\n\n|Three\n|four five six.\n|Seven. |A verylongword that |goes on and on");
}

static void paragraphs_are_cut_between_sentences(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_PARAGRAPHS, EMBED_UNIT_CHARS, 24, 0),
	    "Short one.\n\nAnother.\n\n|Now it is long. |And longer still.\n\n");
}

static void markdown_keeps_sections_and_code_whole(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_MARKDOWN, EMBED_UNIT_CHARS, 40, 0),
	    "# A\n\ntext one\n\n## B\n\nmore\n\n|# C\n\nSome words.\n\n|```\n# no heading\n\ncode code code\n```\n\n|Last.\n");
}

static void markdown_chunks_know_their_headings(void **state)
{
	struct text *text = malloc(sizeof(*text));
	struct embed_chunk_options options =
	    options_of(EMBED_CHUNK_MARKDOWN, EMBED_UNIT_TOKENS, 60, 0);
	embed_chunks *chunks;
	bool has_network = false, has_updates = false;

	(void)state;
	read_sample(text, "guide.md");
	chunks = chunk(text->bytes, text->len, &options);
	assert_string_equal(chunk_at(chunks, 0)->heading, "Field guide to small servers");
	for (size_t i = 0; i < chunk_count(chunks); i++) {
		const char *heading = chunk_at(chunks, i)->heading;

		assert_null(strstr(heading, "comment"));
		has_network |= strcmp(heading, "Setting up > Network") == 0;
		has_updates |= strcmp(heading, "Keeping it running > Updates") == 0;
	}
	assert_true(has_network);
	assert_true(has_updates);
	chunk_destroy(chunks);
	free(text);
}

static void code_is_cut_between_its_parts(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_CODE, EMBED_UNIT_CHARS, 48, 0),
	    "int a(void)\n{\n\treturn 1;\n\n}\n\n|int b(void)\n{\n\tint x = 2;\n\n|\treturn x * 40 + 2;\n}\n\nint c;\n");
}

static void html_is_cut_between_blocks_and_never_inside_a_tag(void **state)
{
	(void)state;
	assert_cuts(options_of(EMBED_CHUNK_HTML, EMBED_UNIT_CHARS, 44, 0),
	    "<h1>A</h1><p>one two</p><p>three</p>|<h1>B</h1><p>a link to |<a href=\"a long address\">that"
	    "</a> has |blanks</p>");
}

static void html_chunks_know_their_headings(void **state)
{
	struct text *text = malloc(sizeof(*text));
	struct embed_chunk_options options = options_of(EMBED_CHUNK_HTML, EMBED_UNIT_TOKENS, 70, 0);
	embed_chunks *chunks;
	const char *last;

	(void)state;
	read_sample(text, "page.html");
	chunks = chunk(text->bytes, text->len, &options);
	last = chunk_at(chunks, chunk_count(chunks) - 1)->heading;
	assert_string_equal(last, "Tides & lamps > Notes > Contact");
	chunk_destroy(chunks);
	free(text);
}

/* ---- Semantic ------------------------------------------------------------------------ */

static void semantic_cuts_where_the_subject_changes(void **state)
{
	static const char bytes[] =
	    "Cats purr. Cats sleep. Cats hunt. Bonds pay. Bonds mature. Bonds fall.";
	static const float cat[] = {1, 0}, bond[] = {0, 1};
	const float *vectors[] = {cat, cat, cat, bond, bond, bond};
	struct embed_chunk_options options =
	    options_of(EMBED_CHUNK_SEMANTIC, EMBED_UNIT_TOKENS, 100, 0);
	embed_chunks *sentences, *chunks;

	(void)state;
	assert_int_equal(
	    chunk_semantic_sentences(bytes, strlen(bytes), &options, &sentences, NULL), EMBED_OK);
	assert_int_equal(chunk_count(sentences), 6);
	assert_int_equal(
	    chunk_semantic(bytes, strlen(bytes), sentences, vectors, 2, &options, &chunks, NULL),
	    EMBED_OK);
	assert_int_equal(chunk_count(chunks), 2);
	assert_int_equal(chunk_at(chunks, 1)->start, strstr(bytes, "Bonds") - bytes);
	chunk_destroy(chunks);
	chunk_destroy(sentences);
}

/* ---- Options ---------------------------------------------------------------------------- */

static void assert_refused(struct embed_chunk_options options, const char *word)
{
	embed_chunks *chunks;
	struct embed_error error;

	assert_int_equal(chunk_text("text", 4, &options, &chunks, &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, word));
}

static void impossible_settings_are_refused_with_a_reason(void **state)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;

	(void)state;
	assert_refused(options_of(EMBED_CHUNK_FIXED, EMBED_UNIT_CHARS, 0, 0), "too small");
	assert_refused(options_of(EMBED_CHUNK_FIXED, EMBED_UNIT_BYTES, 3, 0), "too small");
	assert_refused(options_of(EMBED_CHUNK_TOKENS, EMBED_UNIT_TOKENS, 3, 0), "too small");
	assert_refused(options_of(EMBED_CHUNK_TOKENS, EMBED_UNIT_TOKENS, 10, 10), "overlap");
	assert_refused(options_of(EMBED_CHUNK_SEMANTIC, EMBED_UNIT_TOKENS, 10, 0), "vectors");
	assert_refused(options_of(99, EMBED_UNIT_TOKENS, 10, 0), "strategy");
	options.min = 600;
	assert_refused(options, "smallest");
	options.min = 0;
	options.encoding = "p50k_base";
	assert_refused(options, "p50k_base");
	options.encoding = NULL;
	options.strategy = EMBED_CHUNK_SENTENCES;
	options.locale = "qqq";
	assert_refused(options, "qqq");
}

static void uncounted_chunks_have_no_tokens(void **state)
{
	struct embed_chunk_options options =
	    options_of(EMBED_CHUNK_RECURSIVE, EMBED_UNIT_BYTES, 8, 0);
	embed_chunks *chunks;

	(void)state;
	options.uncounted = true;
	chunks = chunk("Hello there, you.", 17, &options);
	assert_int_equal(chunk_at(chunks, 0)->tokens, 0);
	assert_int_equal(chunk_at(chunks, 0)->end, 6);
	chunk_destroy(chunks);
}

static void an_empty_text_has_no_chunks(void **state)
{
	embed_chunks *chunks = chunk("", 0, NULL);

	(void)state;
	assert_int_equal(chunk_count(chunks), 0);
	chunk_destroy(chunks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fixed_counts_bytes_and_characters),
	    cmocka_unit_test(sentences_stay_whole),
	    cmocka_unit_test(a_stop_stays_with_its_sentence),
	    cmocka_unit_test(recursive_prefers_the_largest_unit_that_ends_in_reach),
	    cmocka_unit_test(paragraphs_are_cut_between_sentences),
	    cmocka_unit_test(markdown_keeps_sections_and_code_whole),
	    cmocka_unit_test(markdown_chunks_know_their_headings),
	    cmocka_unit_test(code_is_cut_between_its_parts),
	    cmocka_unit_test(html_is_cut_between_blocks_and_never_inside_a_tag),
	    cmocka_unit_test(html_chunks_know_their_headings),
	    cmocka_unit_test(semantic_cuts_where_the_subject_changes),
	    cmocka_unit_test(impossible_settings_are_refused_with_a_reason),
	    cmocka_unit_test(uncounted_chunks_have_no_tokens),
	    cmocka_unit_test(an_empty_text_has_no_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
