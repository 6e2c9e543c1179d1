/* SPDX-License-Identifier: MIT */
#include "tokens/merge_lanes.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

/* The first place of the lowest rank; 0, which has none, when there is no rank. */
TARGET static inline __attribute__((always_inline)) unsigned int lane_lowest(
    const struct lane *lane, unsigned int places)
{
	const __m256i *ranks = (const __m256i *)(const void *)lane->ranks;
	__m256i lowest = _mm256_load_si256(ranks);
	uint64_t equal = 0;

	for (unsigned int i = 1; i < places / 8; i++)
		lowest = _mm256_min_epu32(lowest, _mm256_load_si256(ranks + i));
	lowest = _mm256_min_epu32(lowest, _mm256_permute2x128_si256(lowest, lowest, 1));
	lowest = _mm256_min_epu32(lowest, _mm256_shuffle_epi32(lowest, 0x4E));
	lowest = _mm256_min_epu32(lowest, _mm256_shuffle_epi32(lowest, 0xB1));
	for (unsigned int i = 0; i < places / 8; i++) {
		__m256i same = _mm256_cmpeq_epi32(lowest, _mm256_load_si256(ranks + i));

		equal |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(same)) << 8 * i;
	}
	return (unsigned int)__builtin_ctzll(equal);
}

TARGET void merge_jobs_avx2(const struct tokens_encoding *encoding, enum merge_kind kind,
    struct merge_job *jobs, size_t count)
{
	if (kind == MERGE_14)
		MERGE_BY_LANES(lane_lowest, 16);
	else if (kind == MERGE_30)
		MERGE_BY_LANES(lane_lowest, 32);
	else
		MERGE_BY_LANES(lane_lowest, 64);
}

#endif
