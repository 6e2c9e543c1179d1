/* SPDX-License-Identifier: MIT */
/* The chunked coding (RFC 9112 7.1), one byte at a time but for the data. */
#include "http/parse.h"

#include <string.h>

/* Extensions and trailers that are read and dropped, in all, for one body. */
#define EXTRA_MAX 4096

enum state {
	SIZE,      /* hex digits */
	EXTENSION, /* after ";" */
	SIZE_LF,   /* CR seen after the size */
	DATA,
	DATA_CR, /* the chunk's bytes are complete */
	DATA_LF,
	TRAILER, /* at the start of a trailer line, or of the last line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF, /* CR of the last, empty line seen */
};

static bool refuse(struct http_refusal *refusal, int status, const char *why)
{
	*refusal = (struct http_refusal){status, why};
	return false;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_text(char c)
{
	return c == '\t' || ((uint8_t)c >= ' ' && (uint8_t)c != 0x7f);
}

static bool is_token(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool on_size(struct http_chunked *c, char byte, size_t cap, struct http_refusal *refusal)
{
	int digit = hex_value(byte);

	if (digit >= 0) {
		if (++c->digits > 15) /* 60 bits: no sum below can overflow */
			return refuse(refusal, 400, "a chunk's size is too long");
		c->left = c->left * 16 + (unsigned)digit;
		return true;
	}
	if (c->digits == 0 || (byte != '\r' && byte != ';'))
		return refuse(refusal, 400, "malformed chunk size");
	if (c->left > cap || c->body_bytes > cap - c->left)
		return refuse(refusal, 413, "the body is too large");
	c->body_bytes += c->left;
	c->state = byte == '\r' ? SIZE_LF : EXTENSION;
	return true;
}

/* Counts bytes that are only dropped. */
static bool on_extra(struct http_chunked *c, char byte, int next, struct http_refusal *refusal)
{
	if (byte == '\r') {
		c->state = next;
		return true;
	}
	if (!is_text(byte))
		return refuse(refusal, 400, "control characters between chunks");
	if (++c->extra_bytes > EXTRA_MAX)
		return refuse(refusal, 400, "too many bytes between chunks");
	return true;
}

static bool on_trailer_name(struct http_chunked *c, char byte, struct http_refusal *refusal)
{
	c->state = TRAILER_NAME;
	if (byte == ':' && c->name_len > 0) {
		c->state = TRAILER_VALUE;
		return true;
	}
	c->name_len++;
	if (!is_token(byte) || ++c->extra_bytes > EXTRA_MAX)
		return refuse(refusal, 400, "malformed trailer");
	return true;
}

static bool expect(
    struct http_chunked *c, char byte, char wanted, int next, struct http_refusal *refusal)
{
	if (byte != wanted)
		return refuse(refusal, 400, "a chunk does not end where it should");
	c->state = next;
	return true;
}

/* After the size line: its data, or the trailers. */
static bool on_size_lf(struct http_chunked *c, char byte, struct http_refusal *refusal)
{
	c->digits = 0;
	return expect(c, byte, '\n', c->left ? DATA : TRAILER, refusal);
}

/* Any byte outside the data.  False: refused. */
static bool step(struct http_chunked *c, char byte, size_t cap, struct http_refusal *refusal)
{
	switch (c->state) {
	case SIZE:
		return on_size(c, byte, cap, refusal);
	case EXTENSION:
		return on_extra(c, byte, SIZE_LF, refusal);
	case SIZE_LF:
		return on_size_lf(c, byte, refusal);
	case DATA_CR:
		return expect(c, byte, '\r', DATA_LF, refusal);
	case DATA_LF:
		return expect(c, byte, '\n', SIZE, refusal);
	case TRAILER:
		c->name_len = 0;
		if (byte == '\r')
			return expect(c, byte, '\r', LAST_LF, refusal);
		return on_trailer_name(c, byte, refusal);
	case TRAILER_NAME:
		return on_trailer_name(c, byte, refusal);
	case TRAILER_VALUE:
		return on_extra(c, byte, TRAILER_LF, refusal);
	default: /* TRAILER_LF; LAST_LF ends in the caller */
		return expect(c, byte, '\n', TRAILER, refusal);
	}
}

enum http_parse http_chunked_feed(struct http_chunked *chunked, const char *in, size_t len,
    size_t cap, char *out, size_t *consumed, size_t *produced, struct http_refusal *refusal)
{
	size_t at = 0;

	*produced = 0;
	while (at < len) {
		if (chunked->state == DATA) {
			size_t piece = len - at < chunked->left ? len - at : (size_t)chunked->left;

			memmove(out + *produced, in + at, piece);
			*produced += piece;
			at += piece;
			chunked->left -= piece;
			if (chunked->left == 0)
				chunked->state = DATA_CR;
			continue;
		}
		if (chunked->state == LAST_LF && in[at] == '\n') {
			*consumed = at + 1;
			return HTTP_PARSE_DONE;
		}
		if (chunked->state == LAST_LF) {
			refuse(refusal, 400, "a chunk does not end where it should");
			return HTTP_PARSE_REFUSED;
		}
		if (!step(chunked, in[at++], cap, refusal))
			return HTTP_PARSE_REFUSED;
	}
	*consumed = len;
	return HTTP_PARSE_MORE;
}
