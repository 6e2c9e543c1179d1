/* SPDX-License-Identifier: MIT */
/* Where a text may be cut without changing a token. */
#include "tokens/encoder.h"

static const struct tokens_cut *last_of(const struct buffer *cuts)
{
	return (const struct tokens_cut *)(const void *)(cuts->bytes + cuts->len) - 1;
}

bool encoder_is_certain(const uint8_t *bytes, size_t start, size_t end, size_t len)
{
	unsigned int width;

	if (end + ENCODER_LOOK_AHEAD_BYTES > len)
		return false;
	for (; start < end; start += width)
		if (!(split_class(bytes, end, start, &width) & CLASS_BLANK))
			return true;
	return false;
}

/*
 * Takes away the cuts after `kept` bytes of the buffer that what comes after
 * `end` could undo.
 */
static void drop_uncertain(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t end,
    size_t kept, struct buffer *cuts)
{
	bool is_ill_formed = false;

	while (cuts->len > kept) {
		size_t at = last_of(cuts)->offset;
		size_t piece_end =
		    at < end ? split_piece(encoding, bytes, end, at, &is_ill_formed) : end;

		if (encoder_is_certain(bytes, at, piece_end, end))
			break;
		cuts->len -= sizeof(struct tokens_cut);
	}
}

enum embed_status tokens_more_cuts(
    struct tokens_encoder *encoder, const char *text, size_t len, size_t end, struct buffer *cuts)
{
	const uint8_t *bytes = (const uint8_t *)text;
	struct encoder_sink sink = {.cuts = cuts, .limit = SIZE_MAX};
	struct tokens_cut last = {0, 0};
	enum embed_status status;
	size_t kept;

	if (encoder == NULL)
		return EMBED_NO_MEMORY;
	if (cuts->len == 0)
		buffer_append(cuts, &last, sizeof(last));
	if (cuts->status != EMBED_OK)
		return cuts->status;
	kept = cuts->len;
	last = *last_of(cuts);
	sink.tokens = last.tokens;
	status = encoder_run(encoder, bytes, end, last.offset, &sink);
	if (status != EMBED_OK)
		return status;
	last = *last_of(cuts);
	if (end < len) {
		drop_uncertain(encoder->encoding, bytes, end, kept, cuts);
	} else if (last.offset < len) { /* the last piece was no place for a cut, but the end is */
		last = (struct tokens_cut){len, sink.tokens};
		buffer_append(cuts, &last, sizeof(last));
	}
	return cuts->status;
}

enum embed_status tokens_cuts(
    struct tokens_encoder *encoder, const char *bytes, size_t len, struct buffer *cuts)
{
	return tokens_more_cuts(encoder, bytes, len, len, cuts);
}
