/* SPDX-License-Identifier: MIT */
/* Header lines, durations and dates: one line each.  A duration that is read is written and read back. */
#include <stdlib.h>
#include <string.h>

#include "wire/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_duration(const char *text, size_t len)
{
	char again[WIRE_DURATION_CAP];
	int64_t ms, back;

	if (!wire_duration_read(text, len, &ms))
		return;
	if (ms < 0 || ms > WIRE_MAX_WAIT_MS)
		abort();
	len = wire_duration_write(again, ms);
	if (!wire_duration_read(again, len, &back) || back != ms)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_headers headers;
	int64_t unix_s, wait_ms;

	wire_headers_init(&headers);
	while (size > 0) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t len = newline == NULL ? size : (size_t)(newline - data);
		char *line = malloc(len == 0 ? 1 : len);

		memcpy(line, data, len);
		wire_headers_read_line(&headers, line, len);
		check_duration(line, len);
		if (wire_date_read(line, len, &unix_s) && unix_s < 0)
			abort();
		free(line);
		data += len + (newline != NULL);
		size -= len + (newline != NULL);
	}
	wait_ms = wire_headers_wait_ms(&headers, 784111777);
	if (wait_ms < -1 || wait_ms > WIRE_MAX_WAIT_MS)
		abort();
	return 0;
}
