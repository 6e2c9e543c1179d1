/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_CAP 256

void buffer_init(struct buffer *buffer, size_t max_bytes)
{
	*buffer = (struct buffer){.max_bytes = max_bytes};
}

void buffer_fini(struct buffer *buffer)
{
	free(buffer->bytes);
	buffer_init(buffer, buffer->max_bytes);
}

void buffer_reset(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->status = EMBED_OK;
}

static size_t next_cap(const struct buffer *buffer, size_t needed)
{
	size_t cap = buffer->cap == 0 ? BUFFER_FIRST_CAP : buffer->cap;

	while (cap < needed && cap <= buffer->max_bytes / 2)
		cap *= 2;
	if (cap < needed)
		cap = needed;
	return cap > buffer->max_bytes ? buffer->max_bytes : cap;
}

char *buffer_reserve(struct buffer *buffer, size_t len)
{
	char *bytes;
	size_t cap;

	if (buffer->status != EMBED_OK)
		return NULL;
	if (buffer->bytes != NULL && len <= buffer->cap - buffer->len)
		return buffer->bytes + buffer->len;
	if (len > buffer->max_bytes - buffer->len) {
		buffer->status = EMBED_TOO_LARGE;
		return NULL;
	}
	cap = next_cap(buffer, buffer->len + len);
	/* One byte more than cap, so that buffer_take can always end the text. */
	bytes = realloc(buffer->bytes, cap + 1);
	if (bytes == NULL) {
		buffer->status = EMBED_NO_MEMORY;
		return NULL;
	}
	buffer->bytes = bytes;
	buffer->cap = cap;
	return buffer->bytes + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
	char *room;

	if (len == 0)
		return;
	room = buffer_reserve(buffer, len);
	if (room == NULL)
		return;
	memcpy(room, bytes, len);
	buffer->len += len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
	buffer_append(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	room = len < 0 ? NULL : buffer_reserve(buffer, (size_t)len + 1);
	if (room == NULL)
		return;
	va_start(args, format);
	vsnprintf(room, (size_t)len + 1, format, args);
	va_end(args);
	buffer->len += (size_t)len;
}

char *buffer_take(struct buffer *buffer, size_t *len)
{
	char *bytes;

	if (buffer_reserve(buffer, 0) == NULL)
		return NULL;
	bytes = buffer->bytes;
	bytes[buffer->len] = '\0';
	if (len != NULL)
		*len = buffer->len;
	buffer_init(buffer, buffer->max_bytes);
	return bytes;
}
