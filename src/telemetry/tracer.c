/* SPDX-License-Identifier: MIT */
#include "telemetry/tracer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define BODY_MAX_BYTES (4u << 20)

struct tracer {
	struct poster *poster;
	pthread_mutex_t lock;     /* guards what follows */
	struct trace_span *spans; /* ring of SPANS_MAX */
	size_t first, count;
	uint64_t added, dropped;
	struct trace_span *batch; /* the poster's thread; room for SPANS_BATCH */
};

/* How many were moved to the batch. */
static size_t take(struct tracer *tracer)
{
	size_t count;

	pthread_mutex_lock(&tracer->lock);
	count = tracer->count < SPANS_BATCH ? tracer->count : SPANS_BATCH;
	for (size_t i = 0; i < count; i++)
		tracer->batch[i] = tracer->spans[(tracer->first + i) % SPANS_MAX];
	tracer->first = (tracer->first + count) % SPANS_MAX;
	tracer->count -= count;
	pthread_mutex_unlock(&tracer->lock);
	return count;
}

static void count_dropped(struct tracer *tracer, size_t count)
{
	pthread_mutex_lock(&tracer->lock);
	tracer->dropped += count;
	pthread_mutex_unlock(&tracer->lock);
}

static void collect(struct poster *poster, void *context)
{
	struct tracer *tracer = context;
	struct buffer body;
	size_t count;

	while ((count = take(tracer)) > 0) {
		buffer_init(&body, BODY_MAX_BYTES);
		otlp_write(&body, tracer->batch, count);
		if (!poster_post(poster, &body, NULL))
			count_dropped(tracer, count);
	}
}

static void fini(struct tracer *tracer)
{
	pthread_mutex_destroy(&tracer->lock);
	free(tracer->spans);
	free(tracer->batch);
	free(tracer);
}

enum embed_status tracer_create(
    struct tracer **out, const struct poster_options *options, struct embed_error *error)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	struct poster_options own = *options;
	enum embed_status status;

	if (!tracer)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	pthread_mutex_init(&tracer->lock, NULL);
	tracer->spans = calloc(SPANS_MAX, sizeof(*tracer->spans));
	tracer->batch = calloc(SPANS_BATCH, sizeof(*tracer->batch));
	own.collect = collect;
	own.context = tracer;
	status = tracer->spans && tracer->batch
		     ? poster_create(&tracer->poster, &own, error)
		     : error_set(error, EMBED_NO_MEMORY, "out of memory");
	if (status != EMBED_OK) {
		fini(tracer);
		return status;
	}
	*out = tracer;
	return EMBED_OK;
}

void tracer_add(struct tracer *tracer, const struct trace_span *span)
{
	pthread_mutex_lock(&tracer->lock);
	tracer->added++;
	if (tracer->count == SPANS_MAX)
		tracer->dropped++;
	else
		tracer->spans[(tracer->first + tracer->count++) % SPANS_MAX] = *span;
	pthread_mutex_unlock(&tracer->lock);
}

struct tracer_counts tracer_counts(struct tracer *tracer)
{
	struct tracer_counts counts;

	pthread_mutex_lock(&tracer->lock);
	counts.added = tracer->added;
	counts.dropped = tracer->dropped;
	pthread_mutex_unlock(&tracer->lock);
	counts.letters = poster_counts(tracer->poster);
	return counts;
}

void tracer_destroy(struct tracer *tracer, uint32_t flush_ms)
{
	if (!tracer)
		return;
	poster_destroy(tracer->poster, flush_ms);
	fini(tracer);
}
