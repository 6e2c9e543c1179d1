/* SPDX-License-Identifier: MIT */
#include "gateway/half_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/float_bits.h"
#include "wire/float_text.h"

/* Normal 16-bit floats: exponents -14 to 15, ten bits of mantissa. */
#define REBIAS       (112u << 23)
#define NORMAL_FIRST (113u << 23)
#define NORMAL_END   (143u << 23)
#define LOST_BITS    0x1fffu

_Static_assert(FLOAT_TEXT_CAP >= 24, "room for a number");

static float value_of(uint32_t half)
{
	return float_of_bits((half & 0x8000) << 16 | (((half & 0x7fff) << 13) + REBIAS));
}

struct half_text *half_text_create(void)
{
	struct half_text *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	for (uint32_t half = 0; half < 1 << 16; half++) {
		struct half_entry *entry = &table->entries[half];
		char text[FLOAT_TEXT_CAP];
		size_t len;

		if ((half & 0x7c00) == 0 || (half & 0x7c00) == 0x7c00)
			continue; /* subnormal, infinite or no number: never asked for */
		len = float_text_write_half(text, value_of(half));
		if (len >= HALF_TEXT_CAP)
			continue;
		memcpy(entry->text, text, len);
		entry->text[len] = ',';
		entry->len = (uint8_t)(len + 1);
	}
	return table;
}

/* A number that the table has no row for; 0: it is no 16-bit float at all. */
static size_t write_rare(char *out, float value)
{
	char text[FLOAT_TEXT_CAP];
	size_t len;
	float scaled = value * 0x1p24f; /* subnormal ones are multiples of 2^-24 */

	if (fabsf(value) >= 0x1p-14f || scaled != truncf(scaled))
		return 0;
	len = float_text_write_half(text, value);
	memcpy(out, text, len);
	out[len] = ',';
	return len + 1;
}

bool half_text_append(
    const struct half_text *table, struct buffer *out, const float *vector, uint32_t dimensions)
{
	char *start = buffer_reserve(out, (size_t)dimensions * sizeof(struct half_entry) + 2);
	char *at = start;

	if (!start || !dimensions)
		return false;
	*at++ = '[';
	for (uint32_t i = 0; i < dimensions; i++) {
		uint32_t bits = float_bits(vector[i]);
		uint32_t magnitude = bits & 0x7fffffff;
		size_t len;

		if (magnitude >= NORMAL_FIRST && magnitude < NORMAL_END && !(bits & LOST_BITS)) {
			const struct half_entry *entry =
			    &table->entries[(bits >> 16 & 0x8000) | ((magnitude - REBIAS) >> 13)];

			memcpy(at, entry, sizeof(*entry)); /* more than needed: one move */
			len = entry->len;
		} else {
			len = write_rare(at, vector[i]);
		}
		if (!len)
			return false;
		at += len;
	}
	at[-1] = ']';
	out->len += (size_t)(at - start);
	return true;
}
