/* SPDX-License-Identifier: MIT */
/*
 * Counts, sizes, durations and dollars of options.  What is accepted stays
 * within its type, and plain digits mean what strtoull says.
 */
#include <stdlib.h>
#include <string.h>

#include "app/option_value.h"

static void check_digits(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t count, bytes, expected;

	if (digits == 0 || digits > 15 || text[digits] != '\0')
		return;
	expected = strtoull(text, NULL, 10);
	if (!option_parse_count(text, &count) || count != expected ||
	    !option_parse_bytes(text, &bytes) || bytes != expected)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	uint64_t number = 0;
	int64_t us = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	check_digits(text);
	if (!option_parse_count(text, &number) && number != 0)
		abort();
	number = 0;
	if (!option_parse_bytes(text, &number) && number != 0)
		abort();
	number = 0;
	if (!option_parse_dollars(text, &number) && number != 0)
		abort();
	if ((option_parse_duration(text, &us) && us < 0))
		abort();
	free(text);
	return 0;
}
