/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of all strategies check.  The first four bytes of the input are the options. */
#ifndef FUZZ_CHUNK_PROMISES_H
#define FUZZ_CHUNK_PROMISES_H

#include <stdlib.h>

#include "chunk/chunk.h"
#include "text/utf8.h"
#include "tokens/tokens.h"

static size_t fresh_tokens(const char *bytes, size_t len)
{
	size_t tokens = 0;

	if (tokens_count(tokens_encoder_of_thread(tokens_encoding_find(NULL)), bytes, len,
		&tokens) != EMBED_OK)
		abort();
	return tokens;
}

static size_t fresh_size(const char *bytes, size_t start, size_t end, enum embed_chunk_unit unit)
{
	if (unit == EMBED_UNIT_TOKENS)
		return fresh_tokens(bytes + start, end - start);
	return unit == EMBED_UNIT_CHARS ? utf8_count(bytes + start, end - start) : end - start;
}

static void check_chunk(const char *bytes, size_t len, const struct embed_chunk_options *options,
    const struct embed_chunk *chunk, const struct embed_chunk *last)
{
	if (chunk->start >= chunk->end || chunk->end > len)
		abort();
	if (chunk->end <= last->end || chunk->start > last->end ||
	    (last->end > 0 ? chunk->start <= last->start : chunk->start != 0))
		abort();
	if (utf8_floor(bytes, len, chunk->start) != chunk->start ||
	    utf8_floor(bytes, len, chunk->end) != chunk->end)
		abort();
	if (fresh_size(bytes, chunk->start, chunk->end, options->unit) > options->max)
		abort();
	if (fresh_size(bytes, chunk->start, last->end > 0 ? last->end : 0, options->unit) >
		options->overlap &&
	    last->end > chunk->start)
		abort();
	if (chunk->tokens != fresh_tokens(bytes + chunk->start, chunk->end - chunk->start))
		abort();
}

static int check_promises(enum embed_chunk_strategy strategy, const uint8_t *data, size_t size)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	struct embed_chunk last = {0};
	embed_chunks *chunks;
	const char *bytes;
	size_t len;

	if (size < 4)
		return 0;
	options.strategy = strategy;
	options.unit = (enum embed_chunk_unit)(data[0] % 3);
	options.max = 4 + data[1];
	options.overlap = data[2] % options.max;
	options.min = data[3] % options.max;
	bytes = (const char *)data + 4;
	len = size - 4;
	if (chunk_text(bytes, len, &options, &chunks, NULL) != EMBED_OK)
		abort();
	for (size_t i = 0; i < chunk_count(chunks); i++) {
		check_chunk(bytes, len, &options, chunk_at(chunks, i), &last);
		last = *chunk_at(chunks, i);
	}
	if (last.end != len)
		abort();
	chunk_destroy(chunks);
	return 0;
}

#endif
