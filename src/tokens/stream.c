/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tokens/encoder.h"

/* Encoded at once, so that a stream costs little more than a whole text. */
#define STREAM_BYTES (64u << 10)

struct tokens_stream {
	struct tokens_encoder *encoder;
	struct buffer held; /* bytes whose tokens are not certain yet */
	size_t ready_at;    /* held bytes at which it is worth looking again */
	size_t tokens;
	bool is_new; /* nothing fed since the last finish */
};

struct tokens_stream *tokens_stream_create(struct tokens_encoder *encoder, size_t held_max)
{
	struct tokens_stream *stream;

	if (encoder == NULL)
		return NULL;
	stream = malloc(sizeof(*stream));
	if (stream == NULL)
		return NULL;
	*stream =
	    (struct tokens_stream){.encoder = encoder, .ready_at = STREAM_BYTES, .is_new = true};
	buffer_init(&stream->held, held_max < 2 * STREAM_BYTES ? 2 * STREAM_BYTES : held_max);
	return stream;
}

void tokens_stream_destroy(struct tokens_stream *stream)
{
	if (stream == NULL)
		return;
	buffer_fini(&stream->held);
	free(stream);
}

/* The last place where the held bytes can be cut whatever follows, or 0. */
static size_t certain_end(const struct tokens_stream *stream)
{
	const uint8_t *bytes = (const uint8_t *)stream->held.bytes;
	size_t len = stream->held.len, at = 0, before = 0, certain = 0;
	const struct tokens_encoding *encoding = stream->encoder->encoding;
	bool is_ill_formed = false;

	while (at < len) {
		size_t end = split_piece(encoding, bytes, len, at, &is_ill_formed);

		if (end + ENCODER_LOOK_AHEAD_BYTES > len)
			break;
		if (at > 0 && encoder_can_cut(bytes, before, at) &&
		    encoder_is_certain(bytes, at, end, len))
			certain = at;
		before = at;
		at = end;
	}
	return certain;
}

/* Encodes held[0, end) and drops it. */
static enum embed_status encode_held(struct tokens_stream *stream, size_t end, struct buffer *ids)
{
	struct encoder_sink sink = {.ids = ids, .limit = SIZE_MAX};
	enum embed_status status =
	    encoder_run(stream->encoder, (const uint8_t *)stream->held.bytes, end, 0, &sink);

	stream->tokens += sink.tokens;
	stream->held.len -= end;
	if (stream->held.len > 0)
		memmove(stream->held.bytes, stream->held.bytes + end, stream->held.len);
	return status;
}

static enum embed_status encode_certain(struct tokens_stream *stream, struct buffer *ids)
{
	size_t end = certain_end(stream);

	if (end == 0) { /* one long piece: waiting until it has doubled keeps the time linear */
		stream->ready_at = 2 * stream->held.len;
		return EMBED_OK;
	}
	stream->ready_at = 2 * (stream->held.len - end);
	if (stream->ready_at < STREAM_BYTES)
		stream->ready_at = STREAM_BYTES;
	return encode_held(stream, end, ids);
}

enum embed_status tokens_stream_feed(
    struct tokens_stream *stream, const char *bytes, size_t len, struct buffer *ids)
{
	if (stream->is_new)
		stream->tokens = 0;
	stream->is_new = false;
	while (len > 0) {
		size_t part = stream->ready_at - stream->held.len;
		enum embed_status status;

		part = part < len ? part : len;
		buffer_append(&stream->held, bytes, part);
		if (stream->held.status != EMBED_OK)
			return stream->held.status;
		bytes += part;
		len -= part;
		if (stream->held.len < stream->ready_at)
			break;
		status = encode_certain(stream, ids);
		if (status != EMBED_OK)
			return status;
	}
	return EMBED_OK;
}

enum embed_status tokens_stream_finish(struct tokens_stream *stream, struct buffer *ids)
{
	enum embed_status status = EMBED_OK;

	if (stream->is_new)
		stream->tokens = 0;
	if (stream->held.len > 0)
		status = encode_held(stream, stream->held.len, ids);
	stream->ready_at = STREAM_BYTES;
	stream->is_new = true;
	return status;
}

size_t tokens_stream_count(const struct tokens_stream *stream)
{
	return stream->tokens;
}
