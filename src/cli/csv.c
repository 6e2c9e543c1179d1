/* SPDX-License-Identifier: MIT */
#include "cli/csv.h"

#include <string.h>

/* A quoted field behind its opening quote; gives where it goes on, or NULL when it is not closed. */
static const char *read_quoted(const char *at, const char *end, struct buffer *buffer)
{
	while (true) {
		const char *quote = memchr(at, '"', (size_t)(end - at));

		if (quote == NULL)
			return NULL;
		buffer_append(buffer, at, (size_t)(quote - at));
		if (quote + 1 == end || quote[1] != '"')
			return quote + 1;
		buffer_append_char(buffer, '"');
		at = quote + 2;
	}
}

static const char *find_separator(const char *at, const char *end, char separator)
{
	const char *found = at >= end ? NULL : memchr(at, separator, (size_t)(end - at));

	return found == NULL ? end : found;
}

const char *csv_split(const char *record, size_t len, char separator, struct buffer *buffer,
    struct span fields[CSV_MAX_FIELDS], size_t *count)
{
	const char *at = record, *end = record + len;

	*count = 0;
	while (true) {
		struct span *field = &fields[*count];

		if (*count == CSV_MAX_FIELDS)
			return "more than 4096 fields";
		field->start = buffer->len;
		if (at < end && *at == '"') {
			at = read_quoted(at + 1, end, buffer);
			if (at == NULL)
				return "a quote is opened and never closed";
			if (at < end && *at != separator)
				return "something follows a closing quote";
		} else {
			const char *stop = find_separator(at, end, separator);

			if (at < stop && memchr(at, '"', (size_t)(stop - at)) != NULL)
				return "a quote inside a field that is not quoted";
			buffer_append(buffer, at, (size_t)(stop - at));
			at = stop;
		}
		field->len = buffer->len - field->start;
		(*count)++;
		if (at == end)
			return NULL;
		at++;
	}
}

static bool needs_quotes(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '"' || bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '\r')
			return true;
	return false;
}

void csv_append(struct buffer *out, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	if (!needs_quotes(bytes, len)) {
		buffer_append(out, bytes, len);
		return;
	}
	buffer_append_char(out, '"');
	while (bytes < end) {
		const char *quote = memchr(bytes, '"', (size_t)(end - bytes));
		const char *stop = quote == NULL ? end : quote + 1;

		buffer_append(out, bytes, (size_t)(stop - bytes));
		if (quote != NULL)
			buffer_append_char(out, '"');
		bytes = stop;
	}
	buffer_append_char(out, '"');
}
