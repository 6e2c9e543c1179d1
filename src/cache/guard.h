/* SPDX-License-Identifier: MIT */
/*
 * Guard: remembers on disk how the last ones to use a store left it, so that
 * one which may have died of a damaged index is checked before it is trusted.
 *
 * A file beside the store holds one digit: 0 when the last process closed it
 * in order, else how many openings in a row were not closed so (9 at most).
 * Who has the store open holds a shared flock(2) on it, so an exclusive one
 * tells that nobody else has.  A process that died while others went on is not
 * noticed: the last of them closes in order.  Where the file cannot be made (a full disk, a
 * folder that may not be written) the store is used unguarded.
 *
 * Threads: none; its owner opens and closes.
 */
#ifndef CACHE_GUARD_H
#define CACHE_GUARD_H

#include <stdbool.h>

struct guard {
	int fd;           /* -1: unguarded */
	bool is_alone;    /* nobody else has the store open, and nobody can while this is true */
	unsigned unclean; /* openings in a row that ended without guard_leave; known when alone */
};

/* Waits while another process checks the store. */
void guard_enter(struct guard *guard, const char *path);

/* The store was looked at and may be opened: others may, too. */
void guard_share(struct guard *guard);

/* Closes; `is_in_order`: nothing was met that speaks for damage. */
void guard_leave(struct guard *guard, bool is_in_order);

#endif
