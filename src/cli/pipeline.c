/* SPDX-License-Identifier: MIT */
#include "cli/pipeline.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/signals.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/delivery.h"

/* After a request to stop, what is in flight gets this long. */
#define STOP_GRACE_US 3000000

/* Requests that may fail whole, one after the other, before the run is given up. */
#define FAILED_REQUESTS_IN_A_ROW 2

/* Largest vector there is, in floats: for the direct look into the store. */
#define VECTOR_MAX 16384

/* What an item costs in memory beside its bytes and its vector: records, flight, queue, answer. */
#define ITEM_OVERHEAD_BYTES 2048

/* Its vector is there up to twice: in the answer, and on its way to the store. */
#define VECTOR_COPIES 2

/* A group of items on its way. */
struct parcel {
	struct item_group group;
	size_t first; /* items before it are written already */
	embed_result *result;
	embed_job *job;
	size_t weight_bytes;
	uint64_t bytes_done; /* of the inputs, once all of it is written */
	struct pipeline *pipeline;
	atomic_bool is_done;
	struct parcel *next;
};

struct pipeline {
	const struct pipeline_options *options;
	struct progress_state *state;
	struct delivery delivery;
	struct parcel *oldest, *newest; /* submitted, in order */
	struct parcel *filling;
	struct parcel *idle;  /* to be used again */
	size_t window_bytes;  /* weight of all that was submitted */
	int event_fd;         /* written by on_done */
	atomic_int callbacks; /* inside on_done right now */
	float *vector;
	bool is_at_end;
	bool is_blocked;          /* the source has nothing right now */
	struct embed_error error; /* why it ends early, unless EMBED_OK */
};

/* ---- Parcels ---------------------------------------------------------- */

static struct parcel *take_parcel(struct pipeline *pipeline)
{
	struct parcel *parcel = pipeline->idle;

	if (parcel != NULL) {
		pipeline->idle = parcel->next;
		parcel->next = NULL;
		return parcel;
	}
	parcel = calloc(1, sizeof(*parcel));
	if (parcel == NULL)
		return NULL;
	item_group_init(&parcel->group);
	parcel->pipeline = pipeline;
	return parcel;
}

static void keep_parcel(struct pipeline *pipeline, struct parcel *parcel)
{
	embed_result_destroy(parcel->result);
	if (parcel->job != NULL)
		embed_job_release(parcel->job);
	parcel->result = NULL;
	parcel->job = NULL;
	parcel->first = 0;
	atomic_store(&parcel->is_done, false);
	item_group_reset(&parcel->group);
	parcel->next = pipeline->idle;
	pipeline->idle = parcel;
}

static void free_parcels(struct parcel *parcel)
{
	while (parcel != NULL) {
		struct parcel *next = parcel->next;

		item_group_fini(&parcel->group);
		free(parcel);
		parcel = next;
	}
}

/* ---- Jobs ------------------------------------------------------------- */

/* Writes a finished parcel and gives it back. */
static enum embed_status write_parcel(struct pipeline *pipeline, struct parcel *parcel)
{
	struct item_group *group = &parcel->group;
	enum embed_status status = EMBED_OK;
	size_t answer = 0;

	if (parcel->result != NULL)
		pipeline->state->cost_nano += embed_result_totals(parcel->result)->cost_nano;
	for (size_t i = parcel->first; i < group->count && status == EMBED_OK; i++) {
		const struct item *item = &group->items[i];

		if (item->status != EMBED_OK)
			status = delivery_put_refused(
			    &pipeline->delivery, group, item, &pipeline->error);
		else
			status = delivery_put_answer(&pipeline->delivery, group, item,
			    embed_result_answer(parcel->result, answer++), &pipeline->error);
	}
	pipeline->state->bytes_done = parcel->bytes_done;
	return status;
}

static void on_done(embed_result *result, void *context)
{
	struct parcel *parcel = context;
	struct pipeline *pipeline = parcel->pipeline;
	uint64_t one = 1;

	atomic_fetch_add(&pipeline->callbacks, 1);
	parcel->result = result;
	atomic_store_explicit(&parcel->is_done, true, memory_order_release);
	/* the parcel may be gone from here on */
	if (write(pipeline->event_fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN); /* full: it is readable already */
	atomic_fetch_sub(&pipeline->callbacks, 1);
}

static size_t weight(const struct pipeline *pipeline, const struct parcel *parcel)
{
	size_t count = parcel->group.count - parcel->first;
	uint32_t dimensions =
	    pipeline->delivery.dimensions != 0 ? pipeline->delivery.dimensions : 1536;

	return parcel->group.bytes.len +
	       count * (ITEM_OVERHEAD_BYTES + VECTOR_COPIES * dimensions * sizeof(float));
}

static void append_submitted(struct pipeline *pipeline, struct parcel *parcel)
{
	if (pipeline->newest == NULL)
		pipeline->oldest = parcel;
	else
		pipeline->newest->next = parcel;
	pipeline->newest = parcel;
	parcel->weight_bytes = weight(pipeline, parcel);
	pipeline->window_bytes += parcel->weight_bytes;
}

static enum embed_status submit(struct pipeline *pipeline, struct parcel *parcel)
{
	struct item_group *group = &parcel->group;
	struct embed_text *texts;
	enum embed_status status = EMBED_OK;
	size_t count = 0;

	texts = calloc(group->count + 1, sizeof(*texts));
	if (texts == NULL)
		return error_set(&pipeline->error, EMBED_NO_MEMORY, "out of memory");
	for (size_t i = parcel->first; i < group->count; i++)
		if (group->items[i].status == EMBED_OK) {
			texts[count].bytes = item_bytes(group, group->items[i].text);
			texts[count++].len = group->items[i].text.len;
		}
	append_submitted(pipeline, parcel);
	if (count == 0)
		atomic_store(&parcel->is_done, true);
	else
		status = embed_submit(pipeline->options->service, texts, count,
		    &pipeline->options->request, on_done, parcel, &parcel->job, &pipeline->error);
	if (status != EMBED_OK)
		atomic_store(&parcel->is_done, true);
	free(texts);
	return status;
}

/* Writes what is done, in order. */
static enum embed_status drain_done(struct pipeline *pipeline)
{
	enum embed_status status = EMBED_OK;

	while (pipeline->oldest != NULL && status == EMBED_OK &&
	       atomic_load_explicit(&pipeline->oldest->is_done, memory_order_acquire)) {
		struct parcel *parcel = pipeline->oldest;

		status = write_parcel(pipeline, parcel);
		pipeline->oldest = parcel->next;
		if (pipeline->oldest == NULL)
			pipeline->newest = NULL;
		pipeline->window_bytes -= parcel->weight_bytes;
		keep_parcel(pipeline, parcel);
	}
	return status;
}

/* ---- Straight from the store ------------------------------------------ */

/* One item; *is_written false: it has to go out as part of a job. */
static enum embed_status look_up(
    struct pipeline *pipeline, struct item_group *group, const struct item *item, bool *is_written)
{
	struct embed_text text = {.bytes = item_bytes(group, item->text), .len = item->text.len};
	struct embed_answer answer = {0};

	*is_written = true;
	if (item->status != EMBED_OK)
		return delivery_put_refused(&pipeline->delivery, group, item, &pipeline->error);
	if (embed_lookup(pipeline->options->service, &text, &pipeline->options->request,
		pipeline->vector, VECTOR_MAX, &answer) == EMBED_OK) {
		answer.status = EMBED_OK;
		answer.source = EMBED_FROM_STORE;
		return delivery_put_answer(
		    &pipeline->delivery, group, item, &answer, &pipeline->error);
	}
	*is_written = false;
	return EMBED_OK;
}

/* Writes the filled group's hits up to the first miss; what is left is submitted. */
static enum embed_status send_filling(struct pipeline *pipeline)
{
	struct parcel *parcel = pipeline->filling;
	enum embed_status status = EMBED_OK;
	bool is_written = true;

	pipeline->filling = NULL;
	if (item_group_failed(&parcel->group)) {
		keep_parcel(pipeline, parcel);
		return error_set(
		    &pipeline->error, EMBED_NO_MEMORY, "out of memory for the next rows");
	}
	while (pipeline->oldest == NULL && !pipeline->options->no_store && is_written &&
	       parcel->first < parcel->group.count && status == EMBED_OK) {
		status = look_up(
		    pipeline, &parcel->group, &parcel->group.items[parcel->first], &is_written);
		parcel->first += is_written;
	}
	if (status == EMBED_OK && parcel->first < parcel->group.count)
		return submit(pipeline, parcel);
	pipeline->state->bytes_done = parcel->bytes_done;
	keep_parcel(pipeline, parcel);
	return status;
}

/* ---- Waiting ---------------------------------------------------------- */

static void forget_event(struct pipeline *pipeline)
{
	uint64_t count;

	if (read(pipeline->event_fd, &count, sizeof(count)) < 0)
		return;
}

/* Until a job is done, a signal arrives, the source has more (if it is waited for), or time for progress. */
static void wait_for_something(struct pipeline *pipeline, bool for_source, int most_ms)
{
	struct pollfd ready[] = {
	    {.fd = pipeline->event_fd, .events = POLLIN},
	    {.fd = signals_stop_asked() ? -1 : signals_fd(), .events = POLLIN},
	    {.fd = for_source ? pipeline->options->source->fd : -1, .events = POLLIN},
	};
	int wait_ms = progress_wait_ms(pipeline->options->progress);

	if (most_ms >= 0 && (wait_ms < 0 || most_ms < wait_ms))
		wait_ms = most_ms;
	if (poll(ready, 3, wait_ms) > 0 && ready[0].revents != 0)
		forget_event(pipeline);
	progress_update(pipeline->options->progress, pipeline->state);
}

/* ---- The run ---------------------------------------------------------- */

static bool is_full(const struct pipeline *pipeline)
{
	const struct item_group *group = &pipeline->filling->group;

	return group->count >= pipeline->options->group_texts ||
	       group->bytes.len >= pipeline->options->group_bytes;
}

/* Pulls until the group is full, the source is at its end, or has nothing right now. */
static enum embed_status fill(struct pipeline *pipeline)
{
	struct source *source = pipeline->options->source;

	if (pipeline->filling == NULL)
		pipeline->filling = take_parcel(pipeline);
	if (pipeline->filling == NULL)
		return error_set(&pipeline->error, EMBED_NO_MEMORY, "out of memory");
	pipeline->is_blocked = false;
	while (!is_full(pipeline) && !signals_stop_asked()) {
		struct item_group *group = &pipeline->filling->group;
		enum source_status status = source->next(source, group, &pipeline->error);

		if (status == SOURCE_FAILED)
			return pipeline->error.status;
		pipeline->is_at_end = status == SOURCE_END;
		pipeline->is_blocked = status == SOURCE_BLOCKED;
		if (status != SOURCE_ITEM || item_group_failed(group))
			break;
	}
	pipeline->filling->bytes_done = source->bytes_done;
	pipeline->state->bytes_total = source->bytes_total;
	return EMBED_OK;
}

static bool has_room(const struct pipeline *pipeline)
{
	return pipeline->oldest == NULL || pipeline->window_bytes < pipeline->options->window_bytes;
}

static enum embed_status step(struct pipeline *pipeline)
{
	enum embed_status status = fill(pipeline);

	if (status != EMBED_OK || signals_stop_asked())
		return status;
	if (pipeline->filling->group.count > 0)
		status = send_filling(pipeline);
	if (status == EMBED_OK)
		status = drain_done(pipeline);
	while (status == EMBED_OK && !has_room(pipeline) && !signals_stop_asked()) {
		wait_for_something(pipeline, false, -1);
		status = drain_done(pipeline);
	}
	if (status == EMBED_OK && pipeline->is_blocked) {
		status = records_flush(pipeline->options->writer, &pipeline->error);
		wait_for_something(pipeline, true, -1);
	}
	progress_update(pipeline->options->progress, pipeline->state);
	return status;
}

static enum embed_status finish(struct pipeline *pipeline)
{
	enum embed_status status = drain_done(pipeline);

	while (status == EMBED_OK && pipeline->oldest != NULL && !signals_stop_asked()) {
		wait_for_something(pipeline, false, -1);
		status = drain_done(pipeline);
	}
	return status;
}

/* After a stop or a failure: nothing may call back into parcels that are gone. */
static void wind_up(struct pipeline *pipeline, bool with_grace)
{
	int64_t until_us = clock_now_us() + STOP_GRACE_US;

	while (with_grace && pipeline->oldest != NULL && clock_now_us() < until_us) {
		wait_for_something(pipeline, false, 100);
		if (drain_done(pipeline) != EMBED_OK)
			break;
	}
	for (struct parcel *parcel = pipeline->oldest; parcel != NULL; parcel = parcel->next)
		if (parcel->job != NULL)
			embed_job_cancel(parcel->job);
	while (pipeline->oldest != NULL) {
		struct parcel *parcel = pipeline->oldest;

		while (!atomic_load_explicit(&parcel->is_done, memory_order_acquire))
			wait_for_something(pipeline, false, 100);
		pipeline->oldest = parcel->next;
		keep_parcel(pipeline, parcel);
	}
	pipeline->newest = NULL;
}

static int conclude(struct pipeline *pipeline, enum embed_status status)
{
	const struct pipeline_options *options = pipeline->options;
	bool is_stopped = status == EMBED_OK && signals_stop_asked();

	wind_up(pipeline, is_stopped);
	if (status == EMBED_OK && !is_stopped)
		status = records_commit(options->writer, &pipeline->error);
	else
		records_abandon(options->writer);
	progress_end(options->progress, pipeline->state, status == EMBED_OK && !is_stopped);
	if (is_stopped) {
		fprintf(stderr, "embed: stopped; the same command again %s\n",
		    delivery_next_run(&pipeline->delivery));
		return COMMAND_INTERRUPTED;
	}
	if (status == EMBED_CLOSED && !pipeline->delivery.was_fatal)
		return COMMAND_GOOD; /* whoever read the output has seen enough */
	if (status != EMBED_OK)
		return command_fail(&pipeline->error);
	return pipeline->state->failed > 0 ? COMMAND_SOME_FAILED : COMMAND_GOOD;
}

int pipeline_run(const struct pipeline_options *options, struct progress_state *state)
{
	struct pipeline pipeline = {
	    .options = options,
	    .state = state,
	    .delivery = {.writer = options->writer,
		.progress = options->progress,
		.state = state,
		.failures_most = FAILED_REQUESTS_IN_A_ROW * options->request_texts,
		.has_store = !options->no_store},
	    .event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	    .vector = calloc(VECTOR_MAX, sizeof(float)),
	};
	enum embed_status status = EMBED_OK;
	int exit_status;

	error_clear(&pipeline.error);
	if (pipeline.event_fd < 0 || pipeline.vector == NULL)
		status =
		    error_set(&pipeline.error, EMBED_NO_MEMORY, "out of memory or descriptors");
	while (status == EMBED_OK && !pipeline.is_at_end && !signals_stop_asked())
		status = step(&pipeline);
	if (status == EMBED_OK && !signals_stop_asked())
		status = finish(&pipeline);
	exit_status = conclude(&pipeline, status);
	while (atomic_load(&pipeline.callbacks) > 0)
		sched_yield();
	free_parcels(pipeline.filling);
	free_parcels(pipeline.idle);
	free(pipeline.vector);
	if (pipeline.event_fd >= 0)
		close(pipeline.event_fd);
	return exit_status;
}
