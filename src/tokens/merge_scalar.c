/* SPDX-License-Identifier: MIT */
#include "tokens/merge_lanes.h"

static inline unsigned int lane_lowest(const struct lane *lane, unsigned int places)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < places; i++)
		best = lane->ranks[i] < lane->ranks[best] ? i : best;
	return best;
}

void merge_jobs_scalar(const struct tokens_encoding *encoding, enum merge_kind kind,
    struct merge_job *jobs, size_t count)
{
	if (kind == MERGE_14)
		MERGE_BY_LANES(lane_lowest, 16);
	else if (kind == MERGE_30)
		MERGE_BY_LANES(lane_lowest, 32);
	else
		MERGE_BY_LANES(lane_lowest, 64);
}
