/* SPDX-License-Identifier: MIT */
/*
 * text_promises FILE...: every strategy's chunks keep every promise of chunk.h
 * on these files, cut into documents of 64 KiB.  Settings take turns, so that
 * each strategy meets each of them on some documents; semantic gets vectors
 * that random numbers made.  Cleaned first, the chunks lead back to the source.
 * Says what was broken, and ends with status 1 then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "chunk/promises.h"
#include "text/clean.h"

#define DOCUMENT_BYTES ((size_t)64 << 10)
#define STRATEGIES     (EMBED_CHUNK_SEMANTIC + 1)
#define DIMENSIONS     8

static const char *const names[STRATEGIES] = {"fixed", "tokens", "sentences", "paragraphs",
    "recursive", "markdown", "code", "html", "semantic"};

/* Unit, max, overlap, min. */
static const size_t settings[][4] = {
    {EMBED_UNIT_TOKENS, 512, 64, 0},
    {EMBED_UNIT_BYTES, 1000, 0, 200},
    {EMBED_UNIT_CHARS, 300, 60, 0},
    {EMBED_UNIT_TOKENS, 60, 0, 20},
    {EMBED_UNIT_BYTES, 64, 20, 0},
    {EMBED_UNIT_TOKENS, 128, 100, 30},
    {EMBED_UNIT_CHARS, 40, 39, 0},
    {EMBED_UNIT_TOKENS, 7, 3, 2},
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

struct run {
	const char *path;
	size_t offset; /* of the document in its file */
	size_t documents, chunks, failures;
	struct random random;
	struct boundary *finder;
	uint8_t ends[DOCUMENT_BYTES * 12 + 1]; /* cleaning may make a text longer */
};

static void die(const char *what)
{
	fprintf(stderr, "text_promises: %s\n", what);
	exit(2);
}

static embed_chunks *cut_semantic(
    struct run *run, const struct promises_text *text, const struct embed_chunk_options *options)
{
	embed_chunks *sentences, *chunks;
	size_t count;
	float *numbers;
	const float **vectors;

	if (chunk_semantic_sentences(text->bytes, text->len, options, &sentences, NULL) != EMBED_OK)
		die("no sentences");
	count = chunk_count(sentences);
	numbers = calloc(count * DIMENSIONS + 1, sizeof(*numbers));
	vectors = calloc(count + 1, sizeof(*vectors));
	if (numbers == NULL || vectors == NULL)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		for (size_t d = 0; d < DIMENSIONS; d++)
			numbers[i * DIMENSIONS + d] = (float)(random_unit(&run->random) - 0.5);
		vectors[i] = numbers + i * DIMENSIONS;
	}
	if (chunk_semantic(text->bytes, text->len, sentences, vectors, DIMENSIONS, options, &chunks,
		NULL) != EMBED_OK)
		die("semantic chunking failed");
	free(numbers);
	free(vectors);
	chunk_destroy(sentences);
	return chunks;
}

static void complain(
    struct run *run, const struct embed_chunk_options *options, size_t chunk, const char *broken)
{
	run->failures++;
	printf("%s, document at %zu, %s, unit %d, max %zu, overlap %zu, min %zu, chunk %zu: %s\n",
	    run->path, run->offset, names[options->strategy], (int)options->unit, options->max,
	    options->overlap, options->min, chunk, broken);
}

static embed_chunks *cut_and_check(
    struct run *run, const struct promises_text *text, const struct embed_chunk_options *options)
{
	const char *broken;
	embed_chunks *chunks;
	size_t at;

	if (options->strategy == EMBED_CHUNK_SEMANTIC)
		chunks = cut_semantic(run, text, options);
	else if (chunk_text(text->bytes, text->len, options, &chunks, NULL) != EMBED_OK)
		die("chunking failed");
	broken = promises_broken(text, options, chunks, &at);
	if (broken != NULL)
		complain(run, options, at, broken);
	at = promises_short_at(text, options, chunks);
	if (at != SIZE_MAX)
		complain(run, options, at,
		    "overlap is what was asked for, as near as a boundary allows");
	run->chunks += chunk_count(chunks);
	return chunks;
}

static struct embed_chunk_options options_of(size_t strategy, size_t turn)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	const size_t *setting = settings[turn % SETTING_COUNT];

	options.strategy = (enum embed_chunk_strategy)strategy;
	options.unit = (enum embed_chunk_unit)setting[0];
	options.max = setting[1];
	options.overlap = setting[2];
	options.min = setting[3];
	options.encoding = turn % 3 == 2 ? "o200k_base" : NULL;
	return options;
}

/* ---- Cleaned ------------------------------------------------------------------ */

/* What of [start, end) is verbatim stands in the source, within the range that it is said to come from. */
static bool leads_back(const struct promises_text *source, const embed_cleaned *cleaned,
    const struct embed_chunk *chunk, size_t last_start)
{
	size_t from, to, len, count;
	const char *bytes = clean_bytes(cleaned, &len);
	const struct embed_clean_span *spans = clean_spans(cleaned, &count);

	clean_source_range(cleaned, chunk->start, chunk->end, &from, &to);
	if (from > to || to > source->len || from < last_start)
		return false;
	for (size_t i = 0; i + 1 < count; i++) {
		size_t start = spans[i].clean > chunk->start ? spans[i].clean : chunk->start;
		size_t end = spans[i + 1].clean < chunk->end ? spans[i + 1].clean : chunk->end;
		size_t at = spans[i].source + (start - spans[i].clean);

		if (start >= end || !spans[i].is_verbatim)
			continue;
		if (at < from || at + (end - start) > to ||
		    memcmp(bytes + start, source->bytes + at, end - start) != 0)
			return false;
	}
	return true;
}

static void check_cleaned(
    struct run *run, const struct promises_text *source, uint32_t flags, size_t turn)
{
	struct embed_chunk_options options = options_of(turn % EMBED_CHUNK_SEMANTIC, turn);
	struct promises_text text;
	embed_cleaned *cleaned;
	embed_chunks *chunks;
	size_t len, last_start = 0, ignored;
	const char *bytes;

	if (clean_text(source->bytes, source->len, flags, &cleaned, NULL) != EMBED_OK)
		die("cleaning failed");
	bytes = clean_bytes(cleaned, &len);
	if (len >= sizeof(run->ends))
		die("a cleaned document is too long");
	text = promises_look_at(run->finder, bytes, len, run->ends);
	chunks = cut_and_check(run, &text, &options);
	for (size_t i = 0; i < chunk_count(chunks); i++) {
		const struct embed_chunk *chunk = chunk_at(chunks, i);

		if (!leads_back(source, cleaned, chunk, last_start))
			complain(run, &options, i, "cleaned chunks lead back to the source");
		clean_source_range(cleaned, chunk->start, chunk->end, &last_start, &ignored);
	}
	chunk_destroy(chunks);
	clean_destroy(cleaned);
}

/* ---- Documents ------------------------------------------------------------------ */

static void check_document(struct run *run, const char *bytes, size_t len)
{
	static const uint32_t flags[] = {EMBED_CLEAN_LIGHT, EMBED_CLEAN_STRONG,
	    EMBED_CLEAN_STRONG | EMBED_CLEAN_MARKDOWN, EMBED_CLEAN_LIGHT | EMBED_CLEAN_HTML,
	    EMBED_CLEAN_UTF8 | EMBED_CLEAN_NFKC | EMBED_CLEAN_BLANKS};
	struct promises_text text = promises_look_at(run->finder, bytes, len, run->ends);

	for (size_t strategy = 0; strategy < STRATEGIES; strategy++) {
		struct embed_chunk_options options =
		    options_of(strategy, run->documents + strategy);

		chunk_destroy(cut_and_check(run, &text, &options));
	}
	check_cleaned(
	    run, &text, flags[run->documents % (sizeof(flags) / sizeof(flags[0]))], run->documents);
	run->documents++;
}

static void check_file(struct run *run, const char *path)
{
	char *document = malloc(DOCUMENT_BYTES);
	FILE *file = fopen(path, "rb");
	size_t len;

	if (document == NULL || file == NULL)
		die(path);
	run->path = path;
	run->offset = 0;
	while ((len = fread(document, 1, DOCUMENT_BYTES, file)) > 0) {
		check_document(run, document, len);
		run->offset += len;
	}
	fclose(file);
	free(document);
}

int main(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	bool is_good;

	if (run == NULL || argc < 2)
		die("usage: text_promises FILE...");
	if (boundary_create(&run->finder, BOUNDARY_GRAPHEME, NULL, NULL) != EMBED_OK)
		die("no rules for graphemes");
	for (int i = 1; i < argc; i++)
		check_file(run, argv[i]);
	printf("%d files, %zu documents, %zu chunks, %zu failures\n", argc - 1, run->documents,
	    run->chunks, run->failures);
	is_good = run->failures == 0;
	boundary_destroy(run->finder);
	free(run);
	return !is_good;
}
