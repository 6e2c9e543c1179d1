/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of all strategies do.  The first four bytes of the input are the options. */
#ifndef FUZZ_CHUNK_PROMISES_H
#define FUZZ_CHUNK_PROMISES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunk/promises.h"

typedef enum embed_status fuzz_cut_fn(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error);

static int check_cut(
    enum embed_chunk_strategy strategy, fuzz_cut_fn *cut, const uint8_t *data, size_t size)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	struct boundary *finder;
	struct promises_text text;
	const char *broken;
	embed_chunks *chunks;
	uint8_t *ends;
	size_t at;

	if (size < 4)
		return 0;
	options.strategy = strategy;
	options.unit = (enum embed_chunk_unit)(data[0] % 3);
	options.max = 4 + data[1];
	options.overlap = data[2] % options.max;
	options.min = data[3] % options.max;
	ends = malloc(size);
	if (ends == NULL || boundary_create(&finder, BOUNDARY_GRAPHEME, NULL, NULL) != EMBED_OK)
		abort();
	text = promises_look_at(finder, (const char *)data + 4, size - 4, ends);
	boundary_destroy(finder);
	if (cut(text.bytes, text.len, &options, &chunks, NULL) != EMBED_OK)
		abort();
	broken = promises_broken(&text, &options, chunks, &at);
	if (broken != NULL) {
		fprintf(stderr, "chunk %zu: %s\n", at, broken);
		abort();
	}
	chunk_destroy(chunks);
	free(ends);
	return 0;
}

static inline int check_promises(
    enum embed_chunk_strategy strategy, const uint8_t *data, size_t size)
{
	return check_cut(strategy, chunk_text, data, size);
}

#endif
