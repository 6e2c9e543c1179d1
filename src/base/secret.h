/* SPDX-License-Identifier: MIT */
/*
 * Secret: memory that held API keys is overwritten before it is given back.
 *
 * A block is overwritten up to SECRET_MAX_BYTES: keys stand in short strings
 * and at the head of requests, never behind a long body.
 *
 * The functions named as the C library's do the same as those, for libraries
 * that take an allocator; blocks may be passed between them and free().
 *
 * Threads: any.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#define SECRET_MAX_BYTES 65536

/* NULL is fine. */
void secret_free(void *block);

/* The old block is overwritten where it moves; it always moves. */
void *secret_realloc(void *block, size_t size);

/* A string that lies in a longer block.  NULL is fine. */
void secret_forget(const char *text);

#endif
