/* SPDX-License-Identifier: MIT */
/*
 * Book: what the parts of the ledger share.  Not for other layers.
 *
 * Two connections, so that a report never waits for a write: `writer` is
 * guarded by `write_lock`, `reader` by `read_lock`.  No thread takes both.
 */
#ifndef LEDGER_BOOK_H
#define LEDGER_BOOK_H

#include <limits.h>
#include <pthread.h>

#include <sqlite3.h>

#include "ledger/ledger.h"

#define BOOK_VERSION 1

/*
 * No single row counts more than this.  However many such rows an upstream's
 * replies make, an hour's sums stop at 2^62 (open.c) and a report's at 2^63 - 1
 * (usage.c): SQLite refuses a sum that overflows, and with it the whole group.
 */
#define BOOK_VALUE_MAX ((uint64_t)1 << 50)

#define BOOK_HOUR_S 3600

struct ledger {
	char path[PATH_MAX];
	pthread_mutex_t write_lock;
	sqlite3 *writer;
	sqlite3_stmt *add_attempt, *add_hourly, *begin, *commit, *rollback;
	pthread_mutex_t read_lock;
	sqlite3 *reader;
};

/* Says what `db` could not do ("be written") and what to do about it; EMBED_LEDGER. */
enum embed_status book_error(
    const struct ledger *ledger, struct embed_error *error, sqlite3 *db, const char *doing);

#endif
