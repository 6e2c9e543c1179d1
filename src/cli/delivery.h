/* SPDX-License-Identifier: MIT */
/*
 * Delivery: what came of an item becomes a record of the output; counts it,
 * tells the first failures on stderr, and judges whether going on makes sense.
 *
 * It does not when upstream refuses for good (key, money, model), or when so
 * many items in a row met an outage: then putting one fails and was_fatal is
 * set.
 *
 * Threads: none; the pipeline's thread owns it.
 */
#ifndef CLI_DELIVERY_H
#define CLI_DELIVERY_H

#include "cli/progress.h"
#include "cli/records.h"

struct delivery {
	struct records *writer;
	const struct progress *progress;
	struct progress_state *state;
	uint64_t failures_most; /* in a row */
	bool has_store;         /* what was paid for is found again */

	/* Its own, 0 at first. */
	uint64_t failures_in_a_row;
	uint64_t told;
	char last_told[512]; /* the same sentence is not told twice in a row */
	uint32_t dimensions; /* last seen; 0: none yet */
	bool was_fatal;
};

/* What the same command would do now: the end of a sentence. */
const char *delivery_next_run(const struct delivery *delivery);

/* The item failed before it was sent. */
enum embed_status delivery_put_refused(struct delivery *delivery, const struct item_group *group,
    const struct item *item, struct embed_error *error);

enum embed_status delivery_put_answer(struct delivery *delivery, const struct item_group *group,
    const struct item *item, const struct embed_answer *answer, struct embed_error *error);

#endif
