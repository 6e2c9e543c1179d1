/* SPDX-License-Identifier: MIT */
/*
 * Arena: small allocations that live and die together, such as the strings of
 * one loaded configuration.  Threads: none; one owner.
 */
#ifndef APP_ARENA_H
#define APP_ARENA_H

#include <stddef.h>

struct arena {
	void **items;
	size_t count;
	size_t cap;
};

/* What was in it is overwritten: API keys are among it. */
void arena_fini(struct arena *arena);

/* Zeroed memory that lives as long as the arena, or NULL. */
void *arena_allocate(struct arena *arena, size_t size);

/* A copy of `len` bytes, NUL-terminated, or NULL. */
char *arena_copy(struct arena *arena, const char *bytes, size_t len);

#endif
