/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "chunk/chunk.h"
#include "text/boundary.h"
#include "text/utf8.h"
#include "tokens/tokens.h"

#define STRATEGIES EMBED_CHUNK_SEMANTIC /* all below it */
#define MAX_TEXT   (1 << 16)

struct text {
	char bytes[MAX_TEXT];
	size_t len;
};

static void read_sample(struct text *text, const char *name)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "tests/data/text/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	text->len = fread(text->bytes, 1, sizeof(text->bytes), file);
	fclose(file);
	assert_true(text->len > 0 && text->len < sizeof(text->bytes));
}

static const char *const samples[] = {
    "story.txt", "rights.txt", "guide.md", "page.html", "queue.py", "signs.txt"};

#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

/* ---- The promises ---------------------------------------------------------- */

static size_t fresh_tokens(const char *bytes, size_t len)
{
	size_t tokens;

	assert_int_equal(
	    tokens_count(tokens_encoder_of_thread(tokens_encoding_find(NULL)), bytes, len, &tokens),
	    EMBED_OK);
	return tokens;
}

static size_t fresh_size(const char *bytes, size_t len, enum embed_chunk_unit unit)
{
	if (unit == EMBED_UNIT_TOKENS)
		return fresh_tokens(bytes, len);
	return unit == EMBED_UNIT_CHARS ? utf8_count(bytes, len) : len;
}

/* Where graphemes end, as ICU has it for the whole text. */
struct graphemes {
	size_t ends[MAX_TEXT];
	size_t count;
};

static void find_graphemes(struct graphemes *graphemes, const char *bytes, size_t len)
{
	static struct boundary *finder;

	if (finder == NULL)
		assert_int_equal(boundary_create(&finder, BOUNDARY_GRAPHEME, NULL, NULL), EMBED_OK);
	boundary_set_text(finder, bytes, len);
	graphemes->count = 0;
	for (size_t at = 0; at < len; graphemes->ends[graphemes->count++] = at)
		at = boundary_after(finder, at);
}

/* A cut inside a grapheme is fine only if the whole grapheme is above the limit. */
static void assert_grapheme_cut_is_needed(const struct graphemes *graphemes, const char *bytes,
    const struct embed_chunk_options *options, size_t *next, size_t cut)
{
	size_t start, end;

	while (graphemes->ends[*next] < cut)
		(*next)++;
	end = graphemes->ends[*next];
	start = *next == 0 ? 0 : graphemes->ends[*next - 1];
	if (end != cut && fresh_size(bytes + start, end - start, options->unit) <= options->max) {
		print_error(
		    "strategy %d, unit %d, max %zu, overlap %zu, min %zu: cut at %zu in a grapheme [%zu, %zu)\n",
		    (int)options->strategy, (int)options->unit, options->max, options->overlap,
		    options->min, cut, start, end);
		fail();
	}
}

static void assert_promises(const char *bytes, size_t len,
    const struct embed_chunk_options *options, const embed_chunks *chunks)
{
	size_t count = chunk_count(chunks);
	size_t last_start = 0, last_end = 0, next = 0;
	static struct graphemes graphemes;

	find_graphemes(&graphemes, bytes, len);
	assert_int_equal(count == 0, len == 0);
	for (size_t i = 0; i < count; i++) {
		const struct embed_chunk *chunk = chunk_at(chunks, i);
		size_t shared = i > 0 ? last_end - chunk->start : 0;

		assert_true(chunk->start < chunk->end && chunk->end <= len);
		assert_true(fresh_size(bytes + chunk->start, chunk->end - chunk->start,
				options->unit) <= options->max);
		assert_int_equal(
		    chunk->tokens, fresh_tokens(bytes + chunk->start, chunk->end - chunk->start));
		assert_true(chunk->end > last_end && chunk->start <= last_end);
		assert_true(i == 0 ? chunk->start == 0 : chunk->start > last_start);
		assert_true(
		    fresh_size(bytes + chunk->start, shared, options->unit) <= options->overlap);
		assert_int_equal(utf8_floor(bytes, len, chunk->end), chunk->end);
		assert_int_equal(utf8_floor(bytes, len, chunk->start), chunk->start);
		assert_grapheme_cut_is_needed(&graphemes, bytes, options, &next, chunk->end);
		last_start = chunk->start;
		last_end = chunk->end;
	}
	assert_int_equal(last_end, len);
}

static embed_chunks *chunk(const char *bytes, size_t len, const struct embed_chunk_options *options)
{
	embed_chunks *chunks;
	struct embed_error error;

	assert_int_equal(chunk_text(bytes, len, options, &chunks, &error), EMBED_OK);
	return chunks;
}

static void assert_holds(const char *bytes, size_t len, const struct embed_chunk_options *options)
{
	embed_chunks *chunks = chunk(bytes, len, options);

	assert_promises(bytes, len, options, chunks);
	chunk_destroy(chunks);
}

static struct embed_chunk_options options_of(
    int strategy, enum embed_chunk_unit unit, size_t max, size_t overlap)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;

	options.strategy = (enum embed_chunk_strategy)strategy;
	options.unit = unit;
	options.max = max;
	options.overlap = overlap;
	return options;
}

static void every_strategy_keeps_its_promises_on_every_sample(void **state)
{
	static const size_t sizes[][3] = {{4, 0, 0}, {5, 4, 2}, {16, 0, 6}, {40, 10, 0},
	    {64, 0, 20}, {200, 50, 30}, {512, 64, 0}, {5000, 0, 0}};
	struct text *text = malloc(sizeof(*text));

	(void)state;
	for (size_t sample = 0; sample < SAMPLE_COUNT; sample++) {
		read_sample(text, samples[sample]);
		for (int strategy = 0; strategy < STRATEGIES; strategy++)
			for (int unit = 0; unit <= EMBED_UNIT_BYTES; unit++)
				for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
					struct embed_chunk_options options = options_of(strategy,
					    (enum embed_chunk_unit)unit, sizes[i][0], sizes[i][1]);

					options.min = sizes[i][2];
					assert_holds(text->bytes, text->len, &options);
				}
	}
	free(text);
}

static size_t random_bytes(struct random *random, char *bytes, size_t cap)
{
	static const char *const atoms[] = {"a", "word ", " ", "\n", "\n\n", "\r\n", ". ", "。",
	    "中", "文字", "ไทย", "😀", "👨‍👩‍👧", "🇩🇪", "\xcc\x81", "\xff", "\xe2\x82",
	    "\xf0", "# ", "```\n", "| a |\n", "- ", "<p>", "</p>", "<h1>", "<a href=\"x\">", "{",
	    "}", "\t", "    ", "123456", "the quick brown fox", "aaaaaaaaaaaaaaaaaaaaaaaa", "\x80",
	    "ü"};
	size_t len = 0;
	size_t count = random_below(random, 60);

	while (count-- > 0) {
		const char *atom = atoms[random_below(random, sizeof(atoms) / sizeof(atoms[0]))];

		if (len + strlen(atom) > cap)
			break;
		memcpy(bytes + len, atom, strlen(atom));
		len += strlen(atom);
		if (random_below(random, 8) == 0 && len < cap)
			bytes[len++] = (char)random_next(random);
	}
	return len;
}

static void every_strategy_keeps_its_promises_on_random_bytes(void **state)
{
	struct random random = {11};

	(void)state;
	for (int round = 0; round < 6000; round++) {
		char bytes[2048];
		size_t len = random_bytes(&random, bytes, sizeof(bytes));
		struct embed_chunk_options options =
		    options_of((int)random_below(&random, STRATEGIES),
			(enum embed_chunk_unit)random_below(&random, 3),
			4 + random_below(&random, 40), 0);

		options.overlap = random_below(&random, 2) ? random_below(&random, options.max) : 0;
		options.min = random_below(&random, 2) ? random_below(&random, options.max) : 0;
		if (random_below(&random, 4) == 0)
			options.encoding = NULL;
		assert_holds(bytes, len, &options);
	}
}

static void long_unbroken_runs_are_cut_in_linear_time(void **state)
{
	static const char *const runs[] = {"a", "-", " ", "\n", "\xcc\x81", "中", "ก", "\xff", "<",
	    "🇩🇪", "a\n", "{", ". ", "# \n", "xq"};
	size_t len = 30000;
	char *bytes = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		for (size_t at = 0; at < len; at++)
			bytes[at] = runs[i][at % strlen(runs[i])];
		for (int strategy = 0; strategy < STRATEGIES; strategy++) {
			struct embed_chunk_options options =
			    options_of(strategy, EMBED_UNIT_TOKENS, 300, 40);
			embed_chunks *chunks = chunk(bytes, len, &options);
			const struct embed_chunk *last = chunk_at(chunks, chunk_count(chunks) - 1);

			assert_int_equal(last->end, len);
			assert_true(last->tokens <= 300);
			chunk_destroy(chunks);
		}
	}
	free(bytes);
}

/* ---- Overlap, min ------------------------------------------------------------- */

static void overlap_is_nearly_what_was_asked(void **state)
{
	struct text *text = malloc(sizeof(*text));

	(void)state;
	read_sample(text, "story.txt");
	for (int strategy = 0; strategy < STRATEGIES; strategy++) {
		struct embed_chunk_options options =
		    options_of(strategy, EMBED_UNIT_TOKENS, 60, 20);
		embed_chunks *chunks = chunk(text->bytes, text->len, &options);
		size_t count = chunk_count(chunks);

		assert_true(count > 3);
		for (size_t i = 1; i < count; i++) {
			size_t start = chunk_at(chunks, i)->start;
			size_t end = chunk_at(chunks, i - 1)->end;

			assert_in_range(fresh_tokens(text->bytes + start, end - start), 1, 20);
			if (strategy <= EMBED_CHUNK_RECURSIVE)
				assert_true(fresh_tokens(text->bytes + start, end - start) >= 16);
		}
		chunk_destroy(chunks);
	}
	free(text);
}

static void a_text_that_fits_is_one_chunk_with_or_without_overlap(void **state)
{
	static const char bytes[] = "One. Two.\n\nThree.";

	(void)state;
	for (int strategy = 0; strategy < STRATEGIES; strategy++) {
		struct embed_chunk_options options =
		    options_of(strategy, EMBED_UNIT_TOKENS, 50, 10);
		embed_chunks *chunks = chunk(bytes, strlen(bytes), &options);

		assert_int_equal(chunk_count(chunks), 1);
		chunk_destroy(chunks);
	}
}

static void small_chunks_are_merged_where_they_fit(void **state)
{
	struct text *text = malloc(sizeof(*text));

	(void)state;
	for (size_t sample = 0; sample < SAMPLE_COUNT; sample++) {
		read_sample(text, samples[sample]);
		for (int strategy = 0; strategy < STRATEGIES; strategy++) {
			struct embed_chunk_options options =
			    options_of(strategy, EMBED_UNIT_TOKENS, 80, 0);
			embed_chunks *chunks;

			options.min = 30;
			chunks = chunk(text->bytes, text->len, &options);
			for (size_t i = 1; i < chunk_count(chunks); i++) {
				size_t start = chunk_at(chunks, i - 1)->start;
				size_t end = chunk_at(chunks, i)->end;

				if (chunk_at(chunks, i)->tokens < 30 ||
				    chunk_at(chunks, i - 1)->tokens < 30)
					assert_true(
					    fresh_tokens(text->bytes + start, end - start) > 80);
			}
			chunk_destroy(chunks);
		}
	}
	free(text);
}

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

static void semantic_keeps_the_promises_with_any_vectors(void **state)
{
	struct random random = {5};

	(void)state;
	for (int round = 0; round < 300; round++) {
		char bytes[2048];
		size_t len = random_bytes(&random, bytes, sizeof(bytes));
		struct embed_chunk_options options = options_of(
		    EMBED_CHUNK_SEMANTIC, EMBED_UNIT_TOKENS, 4 + random_below(&random, 40), 0);
		embed_chunks *sentences, *chunks;
		float numbers[2048][3];
		const float *vectors[2048];

		options.overlap = random_below(&random, options.max);
		options.min = random_below(&random, 2) ? random_below(&random, options.max) : 0;
		assert_int_equal(
		    chunk_semantic_sentences(bytes, len, &options, &sentences, NULL), EMBED_OK);
		for (size_t i = 0; i < chunk_count(sentences); i++) {
			for (int d = 0; d < 3; d++)
				numbers[i][d] = (float)(random_unit(&random) - 0.5);
			vectors[i] = random_below(&random, 10) ? numbers[i] : NULL;
		}
		assert_int_equal(
		    chunk_semantic(bytes, len, sentences, vectors, 3, &options, &chunks, NULL),
		    EMBED_OK);
		assert_promises(bytes, len, &options, chunks);
		chunk_destroy(chunks);
		chunk_destroy(sentences);
	}
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
	    cmocka_unit_test(every_strategy_keeps_its_promises_on_every_sample),
	    cmocka_unit_test(every_strategy_keeps_its_promises_on_random_bytes),
	    cmocka_unit_test(long_unbroken_runs_are_cut_in_linear_time),
	    cmocka_unit_test(overlap_is_nearly_what_was_asked),
	    cmocka_unit_test(a_text_that_fits_is_one_chunk_with_or_without_overlap),
	    cmocka_unit_test(small_chunks_are_merged_where_they_fit),
	    cmocka_unit_test(fixed_counts_bytes_and_characters),
	    cmocka_unit_test(sentences_stay_whole),
	    cmocka_unit_test(recursive_prefers_the_largest_unit_that_ends_in_reach),
	    cmocka_unit_test(paragraphs_are_cut_between_sentences),
	    cmocka_unit_test(markdown_keeps_sections_and_code_whole),
	    cmocka_unit_test(markdown_chunks_know_their_headings),
	    cmocka_unit_test(code_is_cut_between_its_parts),
	    cmocka_unit_test(html_is_cut_between_blocks_and_never_inside_a_tag),
	    cmocka_unit_test(html_chunks_know_their_headings),
	    cmocka_unit_test(semantic_cuts_where_the_subject_changes),
	    cmocka_unit_test(semantic_keeps_the_promises_with_any_vectors),
	    cmocka_unit_test(impossible_settings_are_refused_with_a_reason),
	    cmocka_unit_test(uncounted_chunks_have_no_tokens),
	    cmocka_unit_test(an_empty_text_has_no_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
