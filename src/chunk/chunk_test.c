/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "chunk/chunk_cases.h"
#include "chunk/promises.h"

#define STRATEGIES EMBED_CHUNK_SEMANTIC /* all below it */

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

static uint8_t grapheme_ends[MAX_TEXT + 1];

static struct promises_text look_at(const char *bytes, size_t len)
{
	static struct boundary *finder; /* one for all, since making it takes longer than a test */

	if (finder == NULL)
		assert_int_equal(boundary_create(&finder, BOUNDARY_GRAPHEME, NULL, NULL), EMBED_OK);
	return promises_look_at(finder, bytes, len, grapheme_ends);
}

static void assert_promises(const struct promises_text *text,
    const struct embed_chunk_options *options, const embed_chunks *chunks)
{
	size_t at;
	const char *broken = promises_broken(text, options, chunks, &at);

	if (broken != NULL)
		fail_msg("strategy %d, unit %d, max %zu, overlap %zu, min %zu, chunk %zu: %s",
		    (int)options->strategy, (int)options->unit, options->max, options->overlap,
		    options->min, at, broken);
}

static void assert_holds(
    const struct promises_text *text, const struct embed_chunk_options *options)
{
	embed_chunks *chunks = chunk(text->bytes, text->len, options);

	assert_promises(text, options, chunks);
	chunk_destroy(chunks);
}

static void every_strategy_keeps_its_promises_on_every_sample(void **state)
{
	static const size_t sizes[][3] = {{4, 0, 0}, {5, 4, 2}, {16, 0, 6}, {40, 10, 0},
	    {64, 0, 20}, {200, 50, 30}, {512, 64, 0}, {5000, 0, 0}};
	struct text *text = malloc(sizeof(*text));

	(void)state;
	for (size_t sample = 0; sample < SAMPLE_COUNT; sample++) {
		struct promises_text looked_at;

		read_sample(text, samples[sample]);
		looked_at = look_at(text->bytes, text->len);
		for (int strategy = 0; strategy < STRATEGIES; strategy++)
			for (int unit = 0; unit <= EMBED_UNIT_BYTES; unit++)
				for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
					struct embed_chunk_options options = options_of(strategy,
					    (enum embed_chunk_unit)unit, sizes[i][0], sizes[i][1]);

					options.min = sizes[i][2];
					assert_holds(&looked_at, &options);
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
		struct promises_text text = look_at(bytes, len);
		struct embed_chunk_options options =
		    options_of((int)random_below(&random, STRATEGIES),
			(enum embed_chunk_unit)random_below(&random, 3),
			4 + random_below(&random, 40), 0);

		options.overlap = random_below(&random, 2) ? random_below(&random, options.max) : 0;
		options.min = random_below(&random, 2) ? random_below(&random, options.max) : 0;
		if (random_below(&random, 4) == 0)
			options.encoding = "o200k_base";
		assert_holds(&text, &options);
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

/* ---- Semantic ------------------------------------------------------------------------ */

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
		struct promises_text text;
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
		text = look_at(bytes, len);
		assert_promises(&text, &options, chunks);
		chunk_destroy(chunks);
		chunk_destroy(sentences);
	}
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
	    cmocka_unit_test(semantic_keeps_the_promises_with_any_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
