/* SPDX-License-Identifier: MIT */
#include "tokens/merge_lanes.h"

static inline unsigned int lane_lowest(const struct lane *lane)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < lane->words; i++)
		best = lane->ranks[i] < lane->ranks[best] ? i : best;
	return best;
}

void merge_jobs_scalar(const struct tokens_encoding *encoding, struct merge_job *jobs, size_t count)
{
	MERGE_BY_LANES(lane_lowest);
}
