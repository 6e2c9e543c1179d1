/* SPDX-License-Identifier: MIT */
/*
 * The promises of chunk.h, checked one by one from outside: for unit tests,
 * fuzz targets and the test on corpora.
 */
#ifndef CHUNK_PROMISES_H
#define CHUNK_PROMISES_H

#include "chunk/chunk.h"
#include "text/boundary.h"
#include "text/utf8.h"
#include "tokens/tokens.h"

/* What is known of a text beforehand, so that it is found out once for many ways of cutting. */
struct promises_text {
	const char *bytes;
	size_t len;
	uint8_t *is_end; /* of a grapheme, for each offset up to len */
};

static inline size_t promises_tokens(
    const char *bytes, size_t len, const struct embed_chunk_options *options)
{
	size_t tokens = SIZE_MAX;

	tokens_count(
	    tokens_encoder_of_thread(tokens_encoding_find(options->encoding)), bytes, len, &tokens);
	return tokens;
}

static inline size_t promises_size(const struct promises_text *text, size_t start, size_t end,
    const struct embed_chunk_options *options)
{
	const char *bytes = text->bytes + start;

	if (options->unit == EMBED_UNIT_TOKENS)
		return promises_tokens(bytes, end - start, options);
	return options->unit == EMBED_UNIT_CHARS ? utf8_count(bytes, end - start) : end - start;
}

/* `room` has len + 1 bytes; `finder` is one of graphemes. */
static inline struct promises_text promises_look_at(
    struct boundary *finder, const char *bytes, size_t len, uint8_t *room)
{
	boundary_set_text(finder, bytes, len);
	for (size_t at = 0; at <= len; at++)
		room[at] = at == 0 || at == len;
	for (size_t at = 0; at < len; room[at] = 1)
		at = boundary_after(finder, at);
	return (struct promises_text){bytes, len, room};
}

/* A cut inside a grapheme is needed only where the whole grapheme is above the limit. */
static inline bool promises_may_cut(
    const struct promises_text *text, size_t cut, const struct embed_chunk_options *options)
{
	size_t start = cut, end = cut;

	if (utf8_floor(text->bytes, text->len, cut) != cut)
		return false;
	if (text->is_end[cut])
		return true;
	while (!text->is_end[start])
		start--;
	while (!text->is_end[end])
		end++;
	return promises_size(text, start, end, options) > options->max;
}

static inline bool promises_is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Before the blanks that end at `at`. */
static inline size_t promises_before_blanks(const struct promises_text *text, size_t at)
{
	while (at > 0 && promises_is_blank(text->bytes[at - 1]))
		at--;
	return at;
}

/*
 * Where an overlap might have begun instead of at `start`, one boundary
 * earlier: a line for code, a grapheme for fixed sizes and scripts without
 * blanks, a word elsewhere.
 */
static inline size_t promises_earlier(
    const struct promises_text *text, size_t start, const struct embed_chunk_options *options)
{
	bool is_by_line = options->strategy == EMBED_CHUNK_CODE;
	bool is_fixed =
	    options->strategy == EMBED_CHUNK_FIXED && options->unit != EMBED_UNIT_TOKENS;
	size_t at = is_fixed ? start : promises_before_blanks(text, start);

	while (at > 0 && !text->is_end[--at])
		;
	if (is_fixed || (!is_by_line && (unsigned char)text->bytes[at] >= 0xe0))
		return at;
	while (at > 0 &&
	       (is_by_line ? text->bytes[at - 1] != '\n' : !promises_is_blank(text->bytes[at - 1])))
		at--;
	while (!text->is_end[at])
		at--;
	return at;
}

/*
 * The chunk from `start` could go on after `end` by one word, or by a grapheme
 * where that word is above the limit; with tokens a part of such a word may be
 * needed that cannot be told from outside.
 */
static inline bool promises_goes_on(const struct promises_text *text, size_t start, size_t end,
    size_t slack, const struct embed_chunk_options *options)
{
	size_t word = end, next = end;

	while (next < text->len && !text->is_end[++next])
		;
	while (word < text->len && promises_is_blank(text->bytes[word]))
		word++;
	while (word < text->len && !promises_is_blank(text->bytes[word]))
		word++;
	if (word > next && promises_size(text, end, word, options) <= options->max)
		next = word;
	else if (word > next && options->unit == EMBED_UNIT_TOKENS)
		return false;
	return promises_size(text, start, next, options) + slack <= options->max;
}

/*
 * A chunk that starts at `start` after one that is [last->start, last->end)
 * shares what it should: one boundary more would be too much, or would leave
 * no room to go on.  Tokens are only asked for to an eighth, and few of them
 * not at all, since they end where the encoding has it and not where words do.
 */
static inline bool promises_shares_enough(const struct promises_text *text,
    const struct embed_chunk *last, size_t start, const struct embed_chunk_options *options)
{
	size_t slack = options->unit == EMBED_UNIT_TOKENS ? options->overlap / 8 + 3 : 0;
	size_t earlier, before;

	if (options->overlap <= slack || options->strategy == EMBED_CHUNK_HTML)
		return true;
	earlier = promises_earlier(text, start, options);
	before = promises_before_blanks(text, earlier);
	return before <= last->start || promises_size(text, last->start, start, options) <= slack ||
	       promises_size(text, before, last->end, options) > options->overlap - slack ||
	       !promises_goes_on(text, earlier, last->end, slack, options);
}

static inline const char *promises_broken_by(const struct promises_text *text,
    const struct embed_chunk_options *options, const struct embed_chunk *chunk,
    const struct embed_chunk *last)
{
	bool is_first = last->end == 0;

	if (chunk->start >= chunk->end || chunk->end > text->len)
		return "a chunk is a slice of the text, never empty";
	if (promises_size(text, chunk->start, chunk->end, options) > options->max)
		return "no chunk is above the limit";
	if (chunk->tokens != (options->uncounted ? 0
						 : promises_tokens(text->bytes + chunk->start,
						       chunk->end - chunk->start, options)))
		return "token counts equal a fresh count";
	if (chunk->start > last->end || (is_first && chunk->start > 0))
		return "nothing between chunks is left out";
	if (options->overlap == 0 && chunk->start != last->end)
		return "without overlap chunks follow each other";
	if (chunk->end <= last->end || (!is_first && chunk->start <= last->start))
		return "no chunk is overlap alone";
	if (promises_size(text, chunk->start, is_first ? 0 : last->end, options) >
	    (is_first ? 0 : options->overlap))
		return "a chunk shares at most what was asked for";
	if (!promises_may_cut(text, chunk->start, options) ||
	    !promises_may_cut(text, chunk->end, options))
		return "no character, and no grapheme that fits, is cut";
	return NULL;
}

/* The promise that `chunks` break, or NULL; *at is then the chunk's index. */
static inline const char *promises_broken(const struct promises_text *text,
    const struct embed_chunk_options *options, const embed_chunks *chunks, size_t *at)
{
	struct embed_chunk last = {0};

	for (*at = 0; *at < chunk_count(chunks); (*at)++) {
		const struct embed_chunk *chunk = chunk_at(chunks, *at);
		const char *broken = promises_broken_by(text, options, chunk, &last);

		if (broken != NULL)
			return broken;
		last = *chunk;
	}
	return last.end == text->len ? NULL : "chunks reach the text's end";
}

/* Index of the first chunk that shares less than was asked for though a boundary would allow more; SIZE_MAX: none. */
static inline size_t promises_short_at(const struct promises_text *text,
    const struct embed_chunk_options *options, const embed_chunks *chunks)
{
	for (size_t i = 1; i < chunk_count(chunks); i++)
		if (!promises_shares_enough(
			text, chunk_at(chunks, i - 1), chunk_at(chunks, i)->start, options))
			return i;
	return SIZE_MAX;
}

#endif
