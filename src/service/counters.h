/* SPDX-License-Identifier: MIT */
/*
 * Counters: the rows of EMBED_STATS_TABLE that the service counts itself.
 *
 * Each CPU adds to a cache line block of its own; reading adds them up.
 * Threads: any, without locks.
 */
#ifndef SERVICE_COUNTERS_H
#define SERVICE_COUNTERS_H

#include <embed.h>

enum counter {
#define ROW(name, kind, unit, meaning) COUNTER_##name,
	EMBED_STATS_TABLE(ROW)
#undef ROW
	    COUNTER_COUNT
};

struct counters;

/* All zero; NULL when memory runs out. */
struct counters *counters_create(void);
void counters_destroy(struct counters *counters);

void counters_add(struct counters *counters, enum counter counter, uint64_t amount);

/* A text that ended in an error; counts it as `failed` too. */
void counters_add_error(struct counters *counters, enum embed_status status);
void counters_read_errors(const struct counters *counters, uint64_t *counts, size_t count);

/* Adds every counter to the field of its name. */
void counters_read(const struct counters *counters, struct embed_stats *stats);

#endif
