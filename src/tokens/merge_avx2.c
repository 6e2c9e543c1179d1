/* SPDX-License-Identifier: MIT */
#include "tokens/merge_lanes.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

/* The first position of the lowest rank. */
TARGET static inline unsigned int lane_lowest(const struct lane *lane)
{
	const __m256i *ranks = (const __m256i *)(const void *)lane->ranks;
	unsigned int vectors = lane->words / 8;
	__m256i lowest = _mm256_load_si256(ranks);
	uint64_t equal = 0;

	for (unsigned int i = 1; i < vectors; i++)
		lowest = _mm256_min_epu32(lowest, _mm256_load_si256(ranks + i));
	lowest = _mm256_min_epu32(lowest, _mm256_permute2x128_si256(lowest, lowest, 1));
	lowest = _mm256_min_epu32(lowest, _mm256_shuffle_epi32(lowest, 0x4E));
	lowest = _mm256_min_epu32(lowest, _mm256_shuffle_epi32(lowest, 0xB1));
	for (unsigned int i = 0; i < vectors; i++) {
		__m256i same = _mm256_cmpeq_epi32(lowest, _mm256_load_si256(ranks + i));

		equal |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(same)) << 8 * i;
	}
	/* Position 0 holds no rank; it is what a lane without any gives. */
	return (unsigned int)__builtin_ctzll(equal);
}

TARGET void merge_jobs_avx2(
    const struct tokens_encoding *encoding, struct merge_job *jobs, size_t count)
{
	MERGE_BY_LANES(lane_lowest);
}

#endif
