/* SPDX-License-Identifier: MIT */
#include "tokens/split.h"
#include "tokens/vocabulary.h"

size_t split_at_seams(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t start,
    size_t end, size_t *ends)
{
	size_t count = 0, at = start + 1;
	unsigned int width;

	while (at < end && (bytes[at] & 0xC0) == 0x80)
		at++;
	for (; at < end; at += width) {
		uint8_t lead = bytes[at], before = bytes[at - 1];

		width = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
		ends[count] = at;
		count += width > 1 && before >= 0x80 &&
			 (encoding->spans[tables_span_row(bytes + at, width)] &
			     tables_span_bit(before)) == 0;
	}
	ends[count++] = end;
	return count;
}
