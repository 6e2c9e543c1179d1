/* SPDX-License-Identifier: MIT */
/* Counts of parts of a text whose cuts are known, and prefixes of a given count. */
#include "tokens/encoder.h"
#include "text/utf8.h"

size_t tokens_cut_at(const struct tokens_cut *cuts, size_t count, size_t offset)
{
	size_t low = 0, high = count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (cuts[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool is_blank_char(const uint8_t *bytes, size_t end)
{
	unsigned int width;
	size_t at = utf8_floor((const char *)bytes, end, end - 1);

	return split_class(bytes, end, at, &width) & CLASS_BLANK;
}

/*
 * The last cut at or before `end` where the slice may be cut as the whole text
 * may: blanks before `end` are looked at again, since they now end a text.
 */
static size_t last_cut(
    const uint8_t *bytes, const struct tokens_cut *cuts, size_t count, size_t start, size_t end)
{
	size_t whole_end = utf8_floor((const char *)bytes, cuts[count - 1].offset, end);
	size_t at = tokens_cut_at(cuts, count, end);

	/* A character cut apart reads as U+FFFD, which may join the symbols before it. */
	if (whole_end < end && at > 0 && cuts[at].offset == whole_end)
		at--;
	while (at > 0 && cuts[at].offset > start && is_blank_char(bytes, cuts[at].offset))
		at--;
	return at;
}

/*
 * Pieces of the slice from `start` on, until one ends at a cut below `last` or
 * none does; *tokens gets their count and the cut's index is returned, or
 * SIZE_MAX.
 */
static size_t join_cuts(const struct tokens_encoding *encoding, const uint8_t *bytes,
    const struct tokens_cut *cuts, size_t last, size_t start, size_t end)
{
	size_t at = start;
	size_t cut = tokens_cut_at(cuts, last + 1, start);
	bool is_ill_formed = false;

	for (;;) {
		while (cut < last && cuts[cut].offset < at)
			cut++;
		if (cuts[cut].offset == at)
			return cut;
		if (cut == last || at >= end)
			return SIZE_MAX;
		at = split_piece(encoding, bytes, end, at, &is_ill_formed);
	}
}

static enum embed_status count_plain(
    struct tokens_encoder *encoder, const uint8_t *bytes, size_t start, size_t end, size_t *tokens)
{
	struct encoder_sink sink = {.limit = SIZE_MAX};
	enum embed_status status = encoder_run(encoder, bytes, end, start, &sink);

	*tokens += sink.tokens;
	return status;
}

enum embed_status tokens_count_slice(struct tokens_encoder *encoder, const char *text,
    const struct tokens_cut *cuts, size_t count, size_t start, size_t end, size_t *tokens)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t total = 0, last, first;
	enum embed_status status;

	if (encoder == NULL)
		return EMBED_NO_MEMORY;
	last = last_cut(bytes, cuts, count, start, end);
	first = cuts[last].offset <= start
		    ? SIZE_MAX
		    : join_cuts(encoder->encoding, bytes, cuts, last, start, end);
	if (first == SIZE_MAX) {
		status = count_plain(encoder, bytes, start, end, &total);
	} else {
		status = count_plain(encoder, bytes, start, cuts[first].offset, &total);
		total += cuts[last].tokens - cuts[first].tokens;
		if (status == EMBED_OK)
			status = count_plain(encoder, bytes, cuts[last].offset, end, &total);
	}
	if (status == EMBED_OK)
		*tokens = total;
	return status;
}

/* Bytes of the text that the first `wanted` bytes of its encoded form stand for, in whole characters. */
static size_t source_len(const uint8_t *bytes, size_t len, size_t wanted)
{
	size_t at = 0, done = 0;

	if (wanted <= len && utf8_is_well_formed((const char *)bytes, wanted))
		return wanted;
	for (;;) {
		unsigned int width;
		unsigned int class = split_class(bytes, len, at, &width);

		done += class == CLASS_ILL ? 3 : width;
		if (class == CLASS_END || done > wanted)
			return at;
		at += width;
	}
}

static size_t bytes_of(const struct tokens_encoding *encoding, const uint32_t *ids, size_t count)
{
	size_t total = 0, len;

	for (size_t i = 0; i < count; i++) {
		vocabulary_bytes(encoding, ids[i], &len);
		total += len;
	}
	return total;
}

/*
 * The bytes under the first `limit` ids are nearly always such a prefix.  When
 * they are not (their end splits a character, or joins blanks), tokens are
 * given up in growing steps, so that the whole stays linear but for a logarithm.
 */
static enum embed_status shorten(struct tokens_encoder *encoder, const uint8_t *bytes, size_t len,
    const uint32_t *ids, size_t limit, size_t *prefix_len, size_t *tokens)
{
	size_t keep = limit, step = 1;

	for (;;) {
		size_t prefix = source_len(bytes, len, bytes_of(encoder->encoding, ids, keep));
		size_t count = 0;
		enum embed_status status = count_plain(encoder, bytes, 0, prefix, &count);

		if (status != EMBED_OK)
			return status;
		if (count <= limit) {
			*prefix_len = prefix;
			*tokens = count;
			return EMBED_OK;
		}
		keep -= step < keep ? step : keep;
		step *= 2;
	}
}

enum embed_status tokens_prefix(struct tokens_encoder *encoder, const char *bytes, size_t len,
    size_t limit, size_t *prefix_len, size_t *tokens)
{
	struct buffer ids;
	struct encoder_sink sink = {.ids = &ids, .limit = limit};
	enum embed_status status;

	if (encoder == NULL)
		return EMBED_NO_MEMORY;
	buffer_init(&ids, SIZE_MAX / 2);
	status = encoder_run(encoder, (const uint8_t *)bytes, len, 0, &sink);
	if (status == EMBED_OK && sink.tokens <= limit) {
		*prefix_len = len;
		*tokens = sink.tokens;
	} else if (status == EMBED_OK) {
		status = shorten(encoder, (const uint8_t *)bytes, len,
		    (const uint32_t *)(const void *)ids.bytes, limit, prefix_len, tokens);
	}
	buffer_fini(&ids);
	return status;
}
