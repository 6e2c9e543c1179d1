/* SPDX-License-Identifier: MIT */
/*
 * Merge in lanes: many short pieces at once.
 *
 * One merge waits for two table lookups, far longer than it computes.  So
 * several pieces are merged side by side, one step each in turn, and the
 * processor overlaps their waiting.
 *
 * Included by one source file for each instruction set, which supplies
 * lane_lowest.
 */
#ifndef TOKENS_MERGE_LANES_H
#define TOKENS_MERGE_LANES_H

#include "tokens/merge.h"
#include "tokens/vocabulary.h"

#define LANES 4

/* An id that is in no pair; stands before the first and after the last token. */
#define NO_ID ((1u << TABLES_ID_BITS) - 1)

/* Tokens stand where their first byte is, from 1 on; 0 and 63 are sentinels. */
struct lane {
	_Alignas(32) uint32_t ranks[64]; /* what the token and its right neighbour merge into */
	uint32_t ids[64];
	uint64_t alive;     /* where tokens stand, and the sentinels */
	unsigned int words; /* ranks in use, a multiple of 8 */
	struct merge_job *job;
};

static inline __attribute__((always_inline)) void lane_start(
    const struct tokens_encoding *encoding, struct lane *lane, struct merge_job *job)
{
	const uint8_t *bytes = job->bytes;
	unsigned int len = job->len;

	lane->job = job;
	lane->words = (len + 1 + 7) & ~7u;
	lane->alive = UINT64_C(1) << 63 | ((UINT64_C(2) << len) - 1);
	lane->ranks[0] = TABLES_NONE;
	for (unsigned int i = 0; i < len; i++)
		lane->ids[i + 1] = encoding->singles[bytes[i]];
	for (unsigned int i = 0; i + 1 < len; i++)
		lane->ranks[i + 1] = encoding->couples[bytes[i] * 256u + bytes[i + 1]];
	for (unsigned int i = len; i < lane->words; i++)
		lane->ranks[i] = TABLES_NONE;
}

static inline __attribute__((always_inline)) void lane_finish(struct lane *lane)
{
	uint64_t alive = lane->alive & ~(UINT64_C(1) << 63 | 1);
	uint32_t count = 0;

	for (; alive != 0; alive &= alive - 1)
		lane->job->ids[count++] = lane->ids[__builtin_ctzll(alive)];
	lane->job->count = count;
}

/* Merges the lowest pair, the leftmost of equal ones; false when there is none. */
static inline __attribute__((always_inline)) bool lane_step(
    const struct tokens_encoding *encoding, struct lane *lane, unsigned int at)
{
	uint32_t id = lane->ranks[at];
	uint64_t right = lane->alive & (UINT64_MAX << at << 1);
	unsigned int before, gone, after;

	if (id == TABLES_NONE)
		return false;
	before = 63 - (unsigned int)__builtin_clzll(lane->alive & ((UINT64_C(1) << at) - 1));
	gone = (unsigned int)__builtin_ctzll(right);
	after = (unsigned int)__builtin_ctzll(right & (right - 1));
	lane->alive ^= UINT64_C(1) << gone;
	lane->ids[at] = id;
	lane->ranks[gone] = TABLES_NONE;
	lane->ranks[at] = vocabulary_find_pair(encoding, id, lane->ids[after]);
	lane->ranks[before] = vocabulary_find_pair(encoding, lane->ids[before], id);
	return true;
}

#define MERGE_BY_LANES(lane_lowest)                                                                \
	do {                                                                                       \
		struct lane lanes[LANES];                                                          \
		size_t busy = 0, next = 0;                                                         \
                                                                                                   \
		for (size_t i = 0; i < LANES; i++)                                                 \
			lanes[i].ids[0] = lanes[i].ids[63] = NO_ID;                                \
		while (busy < LANES && next < count)                                               \
			lane_start(encoding, &lanes[busy++], &jobs[next++]);                       \
		while (busy > 0)                                                                   \
			for (size_t i = 0; i < busy; i++) {                                        \
				struct lane *lane = &lanes[i];                                     \
                                                                                                   \
				if (lane_step(encoding, lane, lane_lowest(lane)))                  \
					continue;                                                  \
				lane_finish(lane);                                                 \
				if (next < count)                                                  \
					lane_start(encoding, lane, &jobs[next++]);                 \
				else if (i != --busy)                                              \
					*lane = lanes[busy];                                       \
			}                                                                          \
	} while (0)

#endif
