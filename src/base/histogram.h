/* SPDX-License-Identifier: MIT */
/*
 * Histogram: how often each duration was seen, within 1 %.
 *
 * Log-linear: each power of two is cut into 64 equal buckets, so a bucket's
 * middle is off by at most 1/128 of the value.  Values below 64 are exact.
 * Two histograms add up bucket by bucket, so threads keep their own and a
 * reader merges them.
 *
 * Threads: none; struct histogram is one owner's.  Counters that several
 * threads add to live elsewhere and are merged with histogram_add_count.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_SUBS     (1u << HISTOGRAM_SUB_BITS)
/* Up to 2^40 us, twelve days; what is longer counts in the last bucket. */
#define HISTOGRAM_MAX_BITS 40
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUBS)

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t count;
};

/* The bucket of a value. */
static inline size_t histogram_bucket(uint64_t value)
{
	unsigned bits;

	if (value < HISTOGRAM_SUBS)
		return (size_t)value;
	if (value >> HISTOGRAM_MAX_BITS != 0)
		return HISTOGRAM_BUCKETS - 1;
	bits = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
	return ((size_t)(bits + 1) << HISTOGRAM_SUB_BITS) + (size_t)(value >> bits) -
	       HISTOGRAM_SUBS;
}

/* The middle of a bucket: what its values are told as. */
uint64_t histogram_value(size_t bucket);

void histogram_add_count(struct histogram *histogram, size_t bucket, uint64_t count);

/* The value that a share `quantile` (0 to 1) of all lies at or below; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);

#endif
