/* SPDX-License-Identifier: MIT */
/*
 * Buffer: bytes that grow, up to a maximum that is always set.
 *
 * Appends never fail halfway: they add everything or, when memory or the
 * maximum is reached, nothing, and mark the buffer as failed.  A writer may
 * append many times and look at `status` once at the end; appends to a failed
 * buffer do nothing.
 *
 * Ownership: the struct is the caller's, its bytes the buffer's until
 * buffer_take or buffer_fini.  Threads: none; one owner.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <embed.h>

struct buffer {
	char *bytes;
	size_t len;
	size_t cap;
	size_t max_bytes;
	enum embed_status status; /* EMBED_OK, EMBED_NO_MEMORY or EMBED_TOO_LARGE */
};

/* Empty, allocates nothing yet. */
void buffer_init(struct buffer *buffer, size_t max_bytes);
void buffer_fini(struct buffer *buffer);

/* Forgets contents and failure, keeps the memory. */
void buffer_reset(struct buffer *buffer);

/*
 * Room for `len` more bytes at the end, or NULL (and failed).  The caller
 * writes there and then adds what it wrote to buffer->len.
 */
char *buffer_reserve(struct buffer *buffer, size_t len);

void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Hands the bytes over, NUL-terminated (len excludes it); the buffer is empty then.  NULL if failed. */
char *buffer_take(struct buffer *buffer, size_t *len);

#endif
