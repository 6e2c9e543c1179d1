/* SPDX-License-Identifier: MIT */
/*
 * Half text: the decimal text of every 16-bit float, looked up instead of
 * computed.  The vectors of today's models are 16-bit values (PROTOCOL 1.3), so
 * an answer in decimals becomes a row of copies: about 10 us instead of 80 for
 * 1,536 numbers.
 *
 * Threads: a table never changes; any.
 */
#ifndef GATEWAY_HALF_TEXT_H
#define GATEWAY_HALF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define HALF_TEXT_CAP 31

/* With the comma that follows in an array. */
struct half_entry {
	char text[HALF_TEXT_CAP];
	uint8_t len;
};

struct half_text {
	struct half_entry entries[1 << 16]; /* by bits of the 16-bit float */
};

/* NULL: out of memory.  Freed with free(). */
struct half_text *half_text_create(void);

/*
 * Appends "[0.5,-0.25]".  False, and nothing useful was appended, when a
 * number is no 16-bit float or memory is short: write it another way.
 */
bool half_text_append(
    const struct half_text *table, struct buffer *out, const float *vector, uint32_t dimensions);

#endif
