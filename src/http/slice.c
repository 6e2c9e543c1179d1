/* SPDX-License-Identifier: MIT */
#include "http/http.h"

#include <string.h>
#include <strings.h>

bool http_slice_equals(struct http_slice slice, const char *text)
{
	size_t len = strlen(text);

	return slice.len == len && memcmp(slice.bytes, text, len) == 0;
}

bool http_slice_equals_any_case(struct http_slice slice, const char *text)
{
	size_t len = strlen(text);

	return slice.len == len && strncasecmp(slice.bytes, text, len) == 0;
}

const struct http_slice *http_request_field(const struct http_request *request, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];

		if (field->name.len == len && strncasecmp(field->name.bytes, name, len) == 0)
			return &field->value;
	}
	return NULL;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t http_percent_decode(struct http_slice in, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.bytes[i];

		if (c == '%') {
			int high = i + 2 < in.len ? hex_value(in.bytes[i + 1]) : -1;
			int low = i + 2 < in.len ? hex_value(in.bytes[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0)
				return SIZE_MAX;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (len == cap)
			return SIZE_MAX;
		out[len++] = c;
	}
	return len;
}

bool http_query_find(struct http_slice query, const char *name, struct http_slice *value)
{
	size_t name_len = strlen(name);
	size_t at = 0;

	while (at < query.len) {
		const char *start = query.bytes + at;
		const char *amp = memchr(start, '&', query.len - at);
		size_t len = amp ? (size_t)(amp - start) : query.len - at;

		if (len > name_len && memcmp(start, name, name_len) == 0 &&
		    start[name_len] == '=') {
			*value = (struct http_slice){start + name_len + 1, len - name_len - 1};
			return true;
		}
		at += len + 1;
	}
	return false;
}
