/* SPDX-License-Identifier: MIT */
/* UTF-8: just enough to check it and to write one character (Unicode 16, table 3-7).  Threads: any. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the well-formed character that starts at `text` (its first byte is
 * 0x80 or above), or 0: ill-formed or cut at `len`.
 */
static inline size_t utf8_char_len(const char *text, size_t len)
{
	const uint8_t *b = (const uint8_t *)text;
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	size_t count;

	if (b[0] < 0xc2 || b[0] > 0xf4)
		return 0;
	count = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
	if (len < count)
		return 0;
	/* The second byte rules out overlong forms, surrogates and what is above U+10FFFF. */
	if (b[0] == 0xe0)
		low = 0xa0;
	else if (b[0] == 0xed)
		high = 0x9f;
	else if (b[0] == 0xf0)
		low = 0x90;
	else if (b[0] == 0xf4)
		high = 0x8f;
	if (b[1] < low || b[1] > high)
		return 0;
	for (size_t i = 2; i < count; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	}
	return count;
}

/*
 * True: all of it is well-formed.  False: it is not, or this machine cannot tell
 * quickly; then ask character by character.
 */
bool utf8_is_surely_well_formed(const char *text, size_t len);

/* Writes a character (not a surrogate) and gives its length, 1 to 4. */
static inline size_t utf8_put(char *out, uint32_t character)
{
	if (character < 0x80) {
		out[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		out[0] = (char)(0xc0 | character >> 6);
		out[1] = (char)(0x80 | (character & 0x3f));
		return 2;
	}
	if (character < 0x10000) {
		out[0] = (char)(0xe0 | character >> 12);
		out[1] = (char)(0x80 | (character >> 6 & 0x3f));
		out[2] = (char)(0x80 | (character & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | character >> 18);
	out[1] = (char)(0x80 | (character >> 12 & 0x3f));
	out[2] = (char)(0x80 | (character >> 6 & 0x3f));
	out[3] = (char)(0x80 | (character & 0x3f));
	return 4;
}

#endif
