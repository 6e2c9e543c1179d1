/* SPDX-License-Identifier: MIT */
/*
 * UTF-8: validation, single characters, repair.
 *
 * Well-formed means RFC 3629 / Unicode table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF.  An ill-formed part is a "maximal
 * subpart" as WHATWG's decoder takes it: the longest prefix of a well-formed
 * sequence, or else one byte.  Each part reads as one U+FFFD.
 *
 * "Character" here is one code point or one ill-formed part, so any byte
 * string is a sequence of characters, and offsets always mean the bytes given.
 *
 * Pure, no allocation; any thread.
 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT       0xfffdu
#define UTF8_REPLACEMENT_BYTES "\xef\xbf\xbd"

/* Offset of the first ill-formed part; `len` when there is none.  Runs of ASCII pass at memory speed. */
size_t utf8_first_fault(const char *bytes, size_t len);

static inline bool utf8_is_well_formed(const char *bytes, size_t len)
{
	return utf8_first_fault(bytes, len) == len;
}

/* How many bytes at the start are below 0x80. */
size_t utf8_ascii_len(const char *bytes, size_t len);

/*
 * The character at the start of `bytes`; len > 0.  Its size goes to *size
 * (1 to 4).  An ill-formed part reads as U+FFFD with *size its length; a
 * literal U+FFFD is told apart by utf8_char_len.
 */
uint32_t utf8_decode_slow(const char *bytes, size_t len, size_t *size);

static inline uint32_t utf8_decode(const char *bytes, size_t len, size_t *size)
{
	if ((unsigned char)bytes[0] < 0x80) {
		*size = 1;
		return (unsigned char)bytes[0];
	}
	return utf8_decode_slow(bytes, len, size);
}

/* Size of the well-formed character at the start, or 0 when the bytes there are ill-formed. */
size_t utf8_char_len(const char *bytes, size_t len);

/* Writes the character (not a surrogate, at most U+10FFFF); returns its size. */
size_t utf8_encode(uint32_t code, char out[4]);

static inline bool utf8_is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/*
 * The last start of a character at or before `offset` (at most `len`), and the
 * first one at or after it.  Looks at a few bytes only.
 */
size_t utf8_floor(const char *bytes, size_t len, size_t offset);
size_t utf8_ceil(const char *bytes, size_t len, size_t offset);

/* How many characters there are (ill-formed parts count one each). */
size_t utf8_count(const char *bytes, size_t len);

#endif
