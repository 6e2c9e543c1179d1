/* SPDX-License-Identifier: MIT */
#include "emulator/multipart.h"

#include <string.h>
#include <strings.h>

#define FORM_TYPE "multipart/form-data"

/* The value of `key` among "; key=value" parameters, quoted or not; empty when it is not there. */
static struct http_slice parameter(struct http_slice field, const char *key)
{
	const char *at = field.bytes, *end = field.bytes + field.len, *stop;
	size_t key_len = strlen(key);

	while ((at = memchr(at, ';', (size_t)(end - at)))) {
		for (at++; at < end && *at == ' '; at++)
			;
		if ((size_t)(end - at) <= key_len || strncasecmp(at, key, key_len) != 0 ||
		    at[key_len] != '=')
			continue;
		at += key_len + 1;
		if (at < end && *at == '"') {
			stop = memchr(at + 1, '"', (size_t)(end - at - 1));
			return (struct http_slice){at + 1, stop ? (size_t)(stop - at - 1) : 0};
		}
		stop = memchr(at, ';', (size_t)(end - at));
		return (struct http_slice){at, (size_t)((stop ? stop : end) - at)};
	}
	return (struct http_slice){"", 0};
}

/* Where "--BOUNDARY" begins, at `from` or later; NULL: nowhere. */
static const char *find_boundary(const struct multipart *multipart, const char *from)
{
	size_t len = multipart->boundary.len;

	while ((from = memmem(from, (size_t)(multipart->end - from), "--", 2))) {
		if ((size_t)(multipart->end - from) >= len + 2 &&
		    memcmp(from + 2, multipart->boundary.bytes, len) == 0)
			return from;
		from++;
	}
	return NULL;
}

bool multipart_start(
    struct multipart *multipart, struct http_slice content_type, const char *body, size_t len)
{
	const char *first;

	if (!body || content_type.len < strlen(FORM_TYPE) ||
	    strncasecmp(content_type.bytes, FORM_TYPE, strlen(FORM_TYPE)) != 0)
		return false;
	multipart->boundary = parameter(content_type, "boundary");
	multipart->end = body + len;
	if (multipart->boundary.len == 0)
		return false;
	first = find_boundary(multipart, body);
	multipart->next = first ? first + 2 + multipart->boundary.len : multipart->end;
	return true;
}

/* Reads the part's head, up to its blank line; gives where the content begins, or NULL. */
static const char *read_head(const struct multipart *multipart, struct multipart_part *part)
{
	const char *line = multipart->next + 2, *stop;

	while ((stop = memmem(line, (size_t)(multipart->end - line), "\r\n", 2)) && stop > line) {
		struct http_slice field = {line, (size_t)(stop - line)};

		if (field.len > 20 && strncasecmp(line, "content-disposition:", 20) == 0) {
			part->name = parameter(field, "name");
			part->filename = parameter(field, "filename");
		}
		line = stop + 2;
	}
	return stop ? stop + 2 : NULL;
}

bool multipart_next(struct multipart *multipart, struct multipart_part *part)
{
	const char *content, *end;

	if (multipart->end - multipart->next < 2 || memcmp(multipart->next, "\r\n", 2) != 0)
		return false;
	*part = (struct multipart_part){{"", 0}, {"", 0}, {"", 0}};
	content = read_head(multipart, part);
	end = content ? find_boundary(multipart, content) : NULL;
	if (!end || end - content < 2 || memcmp(end - 2, "\r\n", 2) != 0)
		return false;
	part->content = (struct http_slice){content, (size_t)(end - 2 - content)};
	multipart->next = end + 2 + multipart->boundary.len;
	return true;
}
