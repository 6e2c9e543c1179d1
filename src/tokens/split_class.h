/* SPDX-License-Identifier: MIT */
/* The class of a character, where cutting looks it up for every one. */
#ifndef TOKENS_SPLIT_CLASS_H
#define TOKENS_SPLIT_CLASS_H

#include "tokens/split.h"
#include "tokens/vocabulary.h"

static inline unsigned int split_class_of(uint32_t code_point)
{
	return tokens_class_blocks[tokens_class_index[code_point >> 8] * 256 + (code_point & 255)];
}

/* What split_class does, for a byte beyond ASCII: any, and by the longer way. */
unsigned int split_rare_class(const uint8_t *bytes, size_t len, size_t at, unsigned int *width);

/* Well-formed characters of two and three bytes by the shortest way, all else by the other. */
static inline __attribute__((always_inline)) unsigned int split_wide_class(
    const uint8_t *bytes, size_t len, size_t at, unsigned int *width)
{
	const uint8_t *c = bytes + at;
	uint32_t code_point;

	if (len - at < 3)
		return split_rare_class(bytes, len, at, width);
	if ((c[0] & 0xF0) == 0xE0) {
		code_point = (c[0] & 0x0Fu) << 12 | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
		*width = 3;
		if ((c[1] & 0xC0) == 0x80 && (c[2] & 0xC0) == 0x80 && code_point >= 0x800 &&
		    (code_point & 0xF800) != 0xD800)
			return split_class_of(code_point);
	} else if (c[0] >= 0xC2 && c[0] < 0xE0 && (c[1] & 0xC0) == 0x80) {
		*width = 2;
		return split_class_of((c[0] & 0x1Fu) << 6 | (c[1] & 0x3Fu));
	}
	return split_rare_class(bytes, len, at, width);
}

#endif
