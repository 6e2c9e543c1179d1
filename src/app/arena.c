/* SPDX-License-Identifier: MIT */
#include "app/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void arena_fini(struct arena *arena)
{
	for (size_t i = 0; i < arena->count; i++)
		secret_free(arena->items[i]);
	free(arena->items);
	*arena = (struct arena){0};
}

void *arena_allocate(struct arena *arena, size_t size)
{
	void *item;

	if (arena->count == arena->cap) {
		size_t cap = arena->cap == 0 ? 16 : arena->cap * 2;
		void **items = reallocarray(arena->items, cap, sizeof(*items));

		if (items == NULL)
			return NULL;
		arena->items = items;
		arena->cap = cap;
	}
	item = calloc(1, size == 0 ? 1 : size);
	if (item != NULL)
		arena->items[arena->count++] = item;
	return item;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t len)
{
	char *copy = arena_allocate(arena, len + 1);

	if (copy != NULL)
		memcpy(copy, bytes, len);
	return copy;
}
