/* SPDX-License-Identifier: MIT */
/*
 * Writer: the one thread that writes store and ledger, in groups.
 *
 * Whatever queued up while it wrote becomes the next group: one transaction of
 * the ledger, then one of the store, then each record goes back to the engine
 * (engine_recorded).  The ledger goes first: if the machine dies between the
 * two, a text is paid for again and the ledger says so, instead of a payment
 * that the ledger never saw.
 *
 * A write that fails loses nothing that was promised: the vectors were given
 * to their waiters already, the failure is counted and logged, ledger rows are
 * kept and tried again with the next group (up to a bound).
 *
 * About once a second it also writes what the tally gathered, and about once a
 * minute it lets the store tidy up.
 *
 * Threads: writer_add from the engine's, writer_flush from any.
 */
#ifndef SERVICE_WRITER_H
#define SERVICE_WRITER_H

#include <embed.h>

#include "base/log.h"
#include "cache/cache.h"
#include "engine/engine.h"
#include "ledger/ledger.h"
#include "service/counters.h"
#include "service/settings.h"
#include "service/tally.h"

/* Borrowed, and outlives the writer; cache or ledger may be NULL. */
struct writer_parts {
	struct cache *cache;
	struct ledger *ledger;
	struct counters *counters;
	struct tally *tally;
	const struct settings *settings;
	const struct log *log;
};

struct writer;

/* Starts the thread. */
enum embed_status writer_create(
    struct writer **out, const struct writer_parts *parts, struct embed_error *error);

/* Who gets the records back; set once, before the first writer_add. */
void writer_set_engine(struct writer *writer, struct engine *engine);

/* Takes the record until it was written; never blocks on a disk. */
void writer_add(struct writer *writer, struct engine_record *record);

/* Returns when everything added or tallied before the call was written (or failed). */
void writer_flush(struct writer *writer);

/* Writes what is left, ends the thread.  NULL is fine. */
void writer_destroy(struct writer *writer);

#endif
