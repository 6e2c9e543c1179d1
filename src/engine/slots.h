/* SPDX-License-Identifier: MIT */
/*
 * Slots: how many requests may be under way at one upstream.
 *
 * Additive increase, multiplicative decrease, as TCP does it: while nothing
 * has ever gone wrong each answer adds a slot (so that a new engine is at its
 * setting after two round trips); later a whole round of answers adds one.
 * Only answers to requests that were sent with all slots taken count: unused
 * room teaches nothing.  A sign of overload (429, 503, timeout) takes 30 %,
 * but all requests sent before the last cut share that one cut.
 *
 * Threads: none.  Time is an argument.
 */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct slots {
	double count; /* 1 .. max; whole slots are used */
	uint32_t max;
	uint32_t taken;
	bool is_steady; /* something went wrong once */
	int64_t cut_us;
	int64_t held_until_us; /* no growth before (PROTOCOL.md 3, "Slow Down") */
};

void slots_init(struct slots *slots, uint32_t max);

uint32_t slots_count(const struct slots *slots);
uint32_t slots_free(const struct slots *slots);

/* True: the last free one went, so the answer may teach. */
bool slots_take(struct slots *slots);
void slots_give(struct slots *slots);

void slots_went_well(struct slots *slots, bool was_last, int64_t now_us);
void slots_overloaded(struct slots *slots, int64_t sent_us, int64_t now_us);

/* No growth for `us` from now. */
void slots_hold(struct slots *slots, int64_t us, int64_t now_us);

#endif
