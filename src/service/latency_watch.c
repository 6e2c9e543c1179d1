/* SPDX-License-Identifier: MIT */
/* embed_latency_watch: what a histogram gained between two looks. */
#include "service/service.h"

#include <stdlib.h>
#include <string.h>

struct embed_latency_watch {
	struct latency *latency;
	enum embed_latency_kind kind;
	uint64_t sum_us; /* at the last look, as `seen` */
	struct histogram seen;
};

embed_latency_watch *embed_latency_watch_create(
    embed_service *service, enum embed_latency_kind kind)
{
	struct embed_latency_watch *watch = malloc(sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->latency = service->latency;
	watch->kind = kind;
	latency_read_all(watch->latency, kind, &watch->seen, &watch->sum_us);
	return watch;
}

static uint64_t highest(const struct histogram *histogram)
{
	for (size_t bucket = HISTOGRAM_BUCKETS; bucket-- > 0;)
		if (histogram->counts[bucket] > 0)
			return histogram_value(bucket);
	return 0;
}

static void summarize(const struct histogram *histogram, struct embed_latency *latency)
{
	latency->count = histogram->count;
	latency->max_us = highest(histogram);
	latency->p50_us = histogram_quantile(histogram, 0.5);
	latency->p90_us = histogram_quantile(histogram, 0.9);
	latency->p99_us = histogram_quantile(histogram, 0.99);
	latency->p999_us = histogram_quantile(histogram, 0.999);
}

void embed_latency_watch_look(embed_latency_watch *watch, struct embed_latency *latency)
{
	struct histogram now, gained = {0};
	uint64_t sum_us;

	memset(latency, 0, sizeof(*latency));
	latency_read_all(watch->latency, watch->kind, &now, &sum_us);
	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		histogram_add_count(
		    &gained, bucket, now.counts[bucket] - watch->seen.counts[bucket]);
	latency->sum_us = sum_us - watch->sum_us;
	summarize(&gained, latency);
	watch->seen = now;
	watch->sum_us = sum_us;
}

void embed_latency_watch_destroy(embed_latency_watch *watch)
{
	free(watch);
}
