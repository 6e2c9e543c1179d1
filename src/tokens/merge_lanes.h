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
#define NO_ID TABLES_ID_MASK

/*
 * Tokens stand where their first byte is, from 1 on; 0 and the last place are
 * sentinels.  How many places a lane uses is a constant wherever it is used, so
 * that loops over them have no branches to guess.
 */
struct lane {
	_Alignas(32) uint32_t ranks[64]; /* what the token and its right neighbour merge into */
	uint32_t ids[64];
	uint64_t alive; /* where tokens stand, and the sentinels */
	struct merge_job *job;
};

/* The piece's bytes may be read for places - 2. */
static inline __attribute__((always_inline)) void lane_start(const struct tokens_encoding *encoding,
    struct lane *lane, struct merge_job *job, unsigned int places)
{
	unsigned int len = job->len, round = (len + 7) & ~7u;
	uint8_t bytes[80];

	memcpy(bytes, job->bytes, places - 2);
	memset(bytes + len, TABLES_PADDING, 16);
	if (places == 16 || round > places - 2)
		round = places - 2;
	lane->job = job;
	lane->alive = UINT64_C(1) << (places - 1) | ((UINT64_C(2) << len) - 1);
	lane->ids[0] = NO_ID;
	lane->ranks[0] = TABLES_NONE;
	for (unsigned int i = 0; i < round; i++) {
		lane->ids[i + 1] = encoding->singles[bytes[i]];
		lane->ranks[i + 1] = encoding->couples[bytes[i] + 256u * bytes[i + 1]];
	}
	for (unsigned int i = round + 1; i < places; i++)
		lane->ranks[i] = TABLES_NONE;
	lane->ids[places - 1] = NO_ID;
}

static inline __attribute__((always_inline)) void lane_finish(
    struct lane *lane, unsigned int places)
{
	uint64_t alive = lane->alive & ~(UINT64_C(1) << (places - 1) | 1);
	uint32_t count = (uint32_t)__builtin_popcountll(alive);

	lane->job->count = count;
	lane->job->starts = alive >> 1;
	for (uint32_t done = 0; done < count; done += 4)
		for (uint32_t i = done; i < done + 4; i++) {
			lane->job->ids[i] = lane->ids[alive == 0 ? 0 : __builtin_ctzll(alive)];
			alive &= alive - 1;
		}
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

/* Merges jobs of at most places - 2 bytes. */
#define MERGE_BY_LANES(lane_lowest, places)                                                        \
	do {                                                                                       \
		struct lane memory[LANES], *lanes[LANES];                                          \
		size_t busy = 0, next = 0;                                                         \
                                                                                                   \
		for (; busy < LANES && next < count; busy++, next++) {                             \
			lanes[busy] = &memory[busy];                                               \
			lane_start(encoding, lanes[busy], &jobs[next], places);                    \
		}                                                                                  \
		while (busy > 0)                                                                   \
			for (size_t i = 0; i < busy; i++) {                                        \
				struct lane *lane = lanes[i];                                      \
                                                                                                   \
				if (lane_step(encoding, lane, lane_lowest(lane, places)))          \
					continue;                                                  \
				lane_finish(lane, places);                                         \
				if (next < count)                                                  \
					lane_start(encoding, lane, &jobs[next++], places);         \
				else                                                               \
					lanes[i] = lanes[--busy];                                  \
			}                                                                          \
	} while (0)

#endif
