/* SPDX-License-Identifier: MIT */
/*
 * Table: the flights by the key of their text.
 *
 * Several flights may have one key (other model, user, extra, authorization or
 * dimensions); table_find walks through them.  Chains run through the flights
 * themselves, so adding never fails; when memory for a larger table is not
 * there, chains just grow longer.
 *
 * Threads: none; the engine's owns it.
 */
#ifndef ENGINE_TABLE_H
#define ENGINE_TABLE_H

#include "engine/job.h"

struct table {
	struct flight **chains;
	size_t size; /* a power of two */
	size_t count;
};

enum embed_status table_init(struct table *table);
void table_fini(struct table *table);

/* The digest of a flight is its entry's. */
const struct digest *flight_digest(const struct flight *flight);

void table_add(struct table *table, struct flight *flight);
void table_remove(struct table *table, struct flight *flight);

/* The first flight with this key after `after` (NULL: from the start), or NULL. */
struct flight *table_find(
    const struct table *table, const struct digest *digest, struct flight *after);

#endif
