/* SPDX-License-Identifier: MIT */
/*
 * Tally: what the store and the flights saved, per model, key and lane, since
 * it was last drained into the ledger.
 *
 * The hit path adds to it millions of times a second, so adding takes no lock:
 * a group's slot is found by open addressing (filled once, never moved) and
 * its numbers are spread over a few cache lines by CPU.  The table is fixed;
 * groups beyond its size share one slot, named "(others)".
 *
 * Threads: tally_add from any; tally_drain from one (the writer).
 */
#ifndef SERVICE_TALLY_H
#define SERVICE_TALLY_H

#include <embed.h>

struct tally;

struct tally_counts {
	uint64_t hit_texts, hit_tokens;
	uint64_t joined_texts, joined_tokens;
};

/* What one group gathered; strings live as long as the tally. */
struct tally_row {
	const char *model;
	const char *key_name;
	enum embed_lane lane;
	struct tally_counts counts;
};

/* NULL when memory runs out. */
struct tally *tally_create(void);
void tally_destroy(struct tally *tally);

/* Strings are copied when the group is new.  When memory for that runs out, "(others)" gets it. */
void tally_add(struct tally *tally, const char *model, const char *key_name, enum embed_lane lane,
    const struct tally_counts *counts);

typedef void tally_fn(const struct tally_row *row, void *context);

/* Calls `fn` for each group with something in it, and starts it again from zero. */
void tally_drain(struct tally *tally, tally_fn *fn, void *context);

#endif
