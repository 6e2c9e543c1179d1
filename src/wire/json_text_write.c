/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "wire/json_text.h"
#include "wire/json_bytes.h"
#include "wire/utf8.h"

/* How many bytes from the start go into a string as they are, whatever is beyond ASCII. */
static size_t verbatim_run(const char *text, size_t len)
{
	size_t run = 0;

#if defined(__SSE2__)
	for (; len - run >= 16; run += 16) {
		unsigned bits =
		    json_special_bits(_mm_loadu_si128((const __m128i *)(const void *)(text + run)));

		if (bits != 0)
			return run + (size_t)__builtin_ctz(bits);
	}
#endif
	while (run < len && json_is_verbatim(text[run]))
		run++;
	return run;
}

static size_t escape(char *out, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[128] = {['"'] = '"',
	    ['\\'] = '\\',
	    ['\b'] = 'b',
	    ['\f'] = 'f',
	    ['\n'] = 'n',
	    ['\r'] = 'r',
	    ['\t'] = 't'};

	out[0] = '\\';
	out[1] = letters[(unsigned char)c & 0x7f];
	if (out[1] != '\0')
		return 2;
	memcpy(out + 1, "u00", 3);
	out[4] = hex[(unsigned char)c >> 4];
	out[5] = hex[(unsigned char)c & 0xf];
	return 6;
}

/* An escape is at most this many times as long as what it stands for. */
#define MOST_ESCAPED 6

/* Texts are written in blocks, so that room for the worst case is small. */
#define BLOCK_BYTES 4096

/* Writes without asking for room: MOST_ESCAPED * len bytes are there. */
static char *write_block(char *to, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
#if defined(__SSE2__)
		if (len - at >= 16) {
			__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
			unsigned bits = json_special_bits(bytes);
			size_t good = bits == 0 ? 16 : (size_t)__builtin_ctz(bits);

			_mm_storeu_si128((__m128i *)(void *)to, bytes);
			to += good;
			at += good;
			if (bits == 0)
				continue;
		}
#endif
		if (json_is_verbatim(text[at]))
			*to++ = text[at++];
		else
			to += escape(to, text[at++]);
	}
	return to;
}

/* Near a buffer's maximum only what is needed is asked for. */
static void append_piecewise(struct buffer *out, const char *bytes, size_t len)
{
	char escaped[MOST_ESCAPED];

	while (len > 0) {
		size_t run = verbatim_run(bytes, len);

		buffer_append(out, bytes, run);
		if (run == len)
			break;
		buffer_append(out, escaped, escape(escaped, bytes[run]));
		bytes += run + 1;
		len -= run + 1;
	}
}

void json_text_append(struct buffer *out, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t block = len < BLOCK_BYTES ? len : BLOCK_BYTES;
		char *room;

		if (MOST_ESCAPED * block > out->max_bytes - out->len) {
			append_piecewise(out, bytes, len);
			return;
		}
		room = buffer_reserve(out, MOST_ESCAPED * block);
		if (room == NULL)
			return;
		out->len += (size_t)(write_block(room, bytes, block) - room);
		bytes += block;
		len -= block;
	}
}

size_t json_text_bytes(const char *bytes, size_t len)
{
	char escaped[MOST_ESCAPED];
	size_t total = 0;

	while (len > 0) {
		size_t run = verbatim_run(bytes, len);

		total += run;
		if (run == len)
			break;
		total += escape(escaped, bytes[run]);
		bytes += run + 1;
		len -= run + 1;
	}
	return total;
}

static size_t ascii_run(const char *text, size_t len)
{
	size_t run = 0;

	while (run < len && (signed char)text[run] >= 0)
		run++;
	return run;
}

void json_text_append_repaired(struct buffer *out, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t good = ascii_run(bytes, len);

		if (good == 0)
			good = utf8_char_len(bytes, len);
		if (good == 0)
			buffer_append_text(out, "\xef\xbf\xbd");
		else
			json_text_append(out, bytes, good);
		bytes += good == 0 ? 1 : good;
		len -= good == 0 ? 1 : good;
	}
}
