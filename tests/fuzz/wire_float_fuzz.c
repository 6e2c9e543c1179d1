/* SPDX-License-Identifier: MIT */
/*
 * Float text.  A number at the start of the bytes reads as strtof reads it; the
 * first four bytes as a float are written and read back, also by strtof.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/float_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(float a, float b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void check_reading(const uint8_t *data, size_t size)
{
	char *exact = malloc(size);
	char *text = malloc(size + 1);
	float value;
	size_t len;

	memcpy(exact, data, size);
	len = float_text_read(exact, size, &value);
	memcpy(text, data, len);
	text[len] = '\0';
	if (len > 0 && !same(value, strtof(text, NULL)))
		abort();
	free(exact);
	free(text);
}

static void check_text(float value, char *text, size_t len)
{
	float back;

	if (len > FLOAT_TEXT_CAP)
		abort();
	text[len] = '\0';
	if (float_text_read(text, len, &back) != len || !same(back, value) ||
	    !same(strtof(text, NULL), value))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[FLOAT_TEXT_CAP + 1];
	float value;

	if (size == 0)
		return 0;
	check_reading(data, size);
	if (size < sizeof(value))
		return 0;
	memcpy(&value, data, sizeof(value));
	if (!isfinite(value))
		return 0;
	check_text(value, text, float_text_write(text, value, FLOAT_PLAIN));
	check_text(value, text, float_text_write(text, value, FLOAT_COMPACT));
	check_text(value, text, float_text_write_half(text, value));
	return 0;
}
