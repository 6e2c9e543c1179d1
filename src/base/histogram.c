/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

uint64_t histogram_value(size_t bucket)
{
	size_t power = bucket >> HISTOGRAM_SUB_BITS;
	uint64_t low, width;

	if (power == 0)
		return bucket;
	width = (uint64_t)1 << (power - 1);
	low = (HISTOGRAM_SUBS + (bucket & (HISTOGRAM_SUBS - 1))) * width;
	return low + width / 2;
}

void histogram_add_count(struct histogram *histogram, size_t bucket, uint64_t count)
{
	histogram->counts[bucket] += count;
	histogram->count += count;
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
	uint64_t rank, seen = 0;

	if (histogram->count == 0)
		return 0;
	rank = (uint64_t)(quantile * (double)histogram->count);
	if (rank >= histogram->count)
		rank = histogram->count - 1;
	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		seen += histogram->counts[bucket];
		if (seen > rank)
			return histogram_value(bucket);
	}
	return 0;
}
