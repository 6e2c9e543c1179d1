/* SPDX-License-Identifier: MIT */
/*
 * Backlog: ledger rows that could not be written yet, with strings of their
 * own.  Bounded: when it is full the oldest rows are kept and new ones refused,
 * so that what is lost is known and counted.
 *
 * Threads: none; the writer owns it.
 */
#ifndef SERVICE_BACKLOG_H
#define SERVICE_BACKLOG_H

#include "ledger/ledger.h"

#define BACKLOG_MAX_ROWS 100000

struct backlog {
	struct ledger_attempt *rows;
	size_t count, cap;
};

void backlog_init(struct backlog *backlog);
void backlog_fini(struct backlog *backlog);

/* How many of the rows were taken, from the first on. */
size_t backlog_add(struct backlog *backlog, const struct ledger_attempt *rows, size_t count);

/* Forgets all rows: they were written. */
void backlog_clear(struct backlog *backlog);

#endif
