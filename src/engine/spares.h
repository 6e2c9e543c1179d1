/* SPDX-License-Identifier: MIT */
/*
 * Spares: large blocks that are needed again soon.
 *
 * The vectors of an attempt are megabytes.  Given back to the system and
 * fetched anew for each attempt, their pages cost more than reading the answer
 * into them (docs/decisions/bulk.md), so a few are kept.  What is kept is
 * bounded; what is in use is its user's to bound.
 *
 * Threads: none; one owner.
 */
#ifndef ENGINE_SPARES_H
#define ENGINE_SPARES_H

#include <stddef.h>

/* Kept in all, at most. */
/* Kept in all, at most. */
#define SPARES_MAX_BYTES ((size_t)16 << 20)

struct spare;

struct spares {
	struct spare *first; /* the one given back last */
	size_t bytes;        /* of all that are kept */
};

void spares_init(struct spares *spares);
void spares_fini(struct spares *spares);

/*
 * A block of at least *bytes, not cleared; NULL when memory runs out.  *bytes
 * becomes what it has, to be told when it is given back.
 */
void *spares_take(struct spares *spares, size_t *bytes);

/* NULL is fine. */
void spares_give(struct spares *spares, void *block, size_t bytes);

#endif
