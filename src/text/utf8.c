/* SPDX-License-Identifier: MIT */
#include "text/utf8.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What may follow a lead byte: how many bytes, and the range of the first of them (table 3-7). */
struct lead {
	uint8_t len; /* of the whole character; 0: not a lead byte */
	uint8_t low, high;
};

static struct lead lead_of(unsigned char byte)
{
	if (byte < 0xc2 || byte > 0xf4)
		return (struct lead){0};
	if (byte < 0xe0)
		return (struct lead){2, 0x80, 0xbf};
	if (byte < 0xf0)
		return (struct lead){3, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
	return (struct lead){4, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
}

/* Length of the character or ill-formed part at the start. */
static size_t part_len(const char *bytes, size_t len, bool *is_well_formed)
{
	unsigned char first = (unsigned char)bytes[0];
	struct lead lead = lead_of(first);
	size_t i = 1;

	*is_well_formed = first < 0x80;
	if (lead.len == 0)
		return 1;
	if (i < len && (unsigned char)bytes[1] >= lead.low && (unsigned char)bytes[1] <= lead.high)
		i = 2;
	while (i > 1 && i < lead.len && i < len && utf8_is_continuation(bytes[i]))
		i++;
	*is_well_formed = i == lead.len;
	return i;
}

size_t utf8_ascii_len(const char *bytes, size_t len)
{
	size_t i = 0;

#if defined(__SSE2__)
	for (; i + 64 <= len; i += 64) {
		const __m128i *block = (const __m128i *)(const void *)(bytes + i);
		__m128i all =
		    _mm_or_si128(_mm_or_si128(_mm_loadu_si128(block), _mm_loadu_si128(block + 1)),
			_mm_or_si128(_mm_loadu_si128(block + 2), _mm_loadu_si128(block + 3)));

		if (_mm_movemask_epi8(all) != 0)
			break;
	}
#endif
	for (; i + 8 <= len; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, 8);
		if ((word & 0x8080808080808080u) != 0)
			break;
	}
	while (i < len && (unsigned char)bytes[i] < 0x80)
		i++;
	return i;
}

/* Size of the non-ASCII character at the start, 0 if it is ill-formed; the most common kinds first. */
static size_t wide_char_len(const char *bytes, size_t len)
{
	unsigned char first = (unsigned char)bytes[0];

	if (first >= 0xc2 && first < 0xe0 && len >= 2 && utf8_is_continuation(bytes[1]))
		return 2;
	if (first > 0xe0 && first < 0xf0 && first != 0xed && len >= 3 &&
	    utf8_is_continuation(bytes[1]) && utf8_is_continuation(bytes[2]))
		return 3;
	return utf8_char_len(bytes, len);
}

size_t utf8_first_fault(const char *bytes, size_t len)
{
	size_t at = utf8_ascii_len(bytes, len);

	while (at < len) {
		if ((unsigned char)bytes[at] >= 0x80) {
			size_t size = wide_char_len(bytes + at, len - at);

			if (size == 0)
				return at;
			at += size;
		} else if (len - at > 16 &&
			   ((unsigned char)bytes[at + 1] | (unsigned char)bytes[at + 7]) < 0x80) {
			at += utf8_ascii_len(bytes + at, len - at);
		} else {
			at++;
		}
	}
	return len;
}

size_t utf8_char_len(const char *bytes, size_t len)
{
	bool is_well_formed;
	size_t size = part_len(bytes, len, &is_well_formed);

	return is_well_formed ? size : 0;
}

uint32_t utf8_decode_slow(const char *bytes, size_t len, size_t *size)
{
	bool is_well_formed;
	uint32_t code;

	*size = part_len(bytes, len, &is_well_formed);
	if (!is_well_formed)
		return UTF8_REPLACEMENT;
	if (*size == 1)
		return (unsigned char)bytes[0];
	code = (unsigned char)bytes[0] & (0x7fu >> *size);
	for (size_t i = 1; i < *size; i++)
		code = code << 6 | ((unsigned char)bytes[i] & 0x3f);
	return code;
}

size_t utf8_encode(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

size_t utf8_floor(const char *bytes, size_t len, size_t offset)
{
	bool is_well_formed;

	if (offset >= len)
		return len;
	/* A byte that is no continuation always starts a part, and no part has more than four bytes. */
	for (size_t back = 0; back < 4 && back <= offset; back++) {
		size_t start = offset - back;

		if (utf8_is_continuation(bytes[start]))
			continue;
		if (start + part_len(bytes + start, len - start, &is_well_formed) > offset)
			return start;
		return offset;
	}
	return offset;
}

size_t utf8_ceil(const char *bytes, size_t len, size_t offset)
{
	size_t start = utf8_floor(bytes, len, offset);
	bool is_well_formed;

	if (start >= offset)
		return start;
	return start + part_len(bytes + start, len - start, &is_well_formed);
}

static size_t count_starts(const char *bytes, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !utf8_is_continuation(bytes[i]);
	return count;
}

size_t utf8_count(const char *bytes, size_t len)
{
	size_t count = 0;
	size_t at = 0;

	while (at < len) {
		size_t fault = at + utf8_first_fault(bytes + at, len - at);
		bool is_well_formed;

		count += count_starts(bytes + at, fault - at);
		at = fault;
		if (at < len) {
			at += part_len(bytes + at, len - at, &is_well_formed);
			count++;
		}
	}
	return count;
}
