/* SPDX-License-Identifier: MIT */
/* What the tests of chunking share: sample texts, options, a call that must work. */
#ifndef CHUNK_CHUNK_CASES_H
#define CHUNK_CHUNK_CASES_H

#include "base/test.h"

#include "chunk/chunk.h"

#define MAX_TEXT (1 << 16)

struct text {
	char bytes[MAX_TEXT];
	size_t len;
};

static inline void read_sample(struct text *text, const char *name)
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

static inline embed_chunks *chunk(
    const char *bytes, size_t len, const struct embed_chunk_options *options)
{
	embed_chunks *chunks;
	struct embed_error error;

	assert_int_equal(chunk_text(bytes, len, options, &chunks, &error), EMBED_OK);
	return chunks;
}

static inline struct embed_chunk_options options_of(
    int strategy, enum embed_chunk_unit unit, size_t max, size_t overlap)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;

	options.strategy = (enum embed_chunk_strategy)strategy;
	options.unit = unit;
	options.max = max;
	options.overlap = overlap;
	return options;
}

#endif
