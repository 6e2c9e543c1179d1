/* SPDX-License-Identifier: MIT */
#include "engine/spares.h"

#include <stdlib.h>

/* Lies in the block itself. */
struct spare {
	struct spare *next;
	size_t bytes;
};

void spares_init(struct spares *spares)
{
	*spares = (struct spares){0};
}

void spares_fini(struct spares *spares)
{
	while (spares->first != NULL) {
		struct spare *next = spares->first->next;

		free(spares->first);
		spares->first = next;
	}
	spares->bytes = 0;
}

void *spares_take(struct spares *spares, size_t *bytes)
{
	struct spare **link = &spares->first;
	size_t wanted = *bytes > sizeof(struct spare) ? *bytes : sizeof(struct spare);
	struct spare *found;

	/* One that is far too large would be missed where it fits. */
	while (*link != NULL && ((*link)->bytes < wanted || (*link)->bytes / 2 > wanted))
		link = &(*link)->next;
	found = *link;
	if (found == NULL) {
		*bytes = wanted;
		return malloc(wanted);
	}
	*link = found->next;
	spares->bytes -= found->bytes;
	*bytes = found->bytes;
	return found;
}

/* The oldest ones make room. */
static void drop_oldest(struct spares *spares)
{
	struct spare **link = &spares->first;

	while ((*link)->next != NULL)
		link = &(*link)->next;
	spares->bytes -= (*link)->bytes;
	free(*link);
	*link = NULL;
}

void spares_give(struct spares *spares, void *block, size_t bytes)
{
	struct spare *spare = block;

	if (block == NULL)
		return;
	*spare = (struct spare){spares->first, bytes};
	spares->first = spare;
	spares->bytes += bytes;
	while (spares->bytes > SPARES_MAX_BYTES)
		drop_oldest(spares);
}
