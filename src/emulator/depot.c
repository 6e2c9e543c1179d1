/* SPDX-License-Identifier: MIT */
#include "emulator/depot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S        86400
#define CANCEL_MAX_S 600 /* PROTOCOL 8.2: cancelled within 10 minutes */
#define MICROSECONDS 1000000

struct depot *depot_create(const struct depot_settings *settings)
{
	struct depot *depot = calloc(1, sizeof(*depot));

	if (!depot)
		return NULL;
	depot->settings = *settings;
	depot->random.state = settings->seed;
	wire_request_init(&depot->request);
	depot->files = calloc(DEPOT_FILES_MAX, sizeof(struct depot_file *));
	depot->batches = calloc(DEPOT_BATCHES_MAX, sizeof(struct depot_batch *));
	if (!depot->files || !depot->batches) {
		depot_destroy(depot);
		return NULL;
	}
	return depot;
}

static void destroy_file(struct depot_file *file)
{
	free(file->bytes);
	free(file);
}

static void drop_lines(struct depot_lines *lines)
{
	buffer_fini(&lines->bytes);
	free(lines->lines);
	lines->lines = NULL;
	lines->count = lines->cap = 0;
}

static void destroy_batch(struct depot_batch *batch)
{
	drop_lines(&batch->output);
	drop_lines(&batch->errors);
	free(batch->failures);
	free(batch->metadata);
	free(batch->input);
	free(batch);
}

void depot_destroy(struct depot *depot)
{
	if (!depot)
		return;
	for (size_t i = 0; i < depot->file_count; i++)
		destroy_file(depot->files[i]);
	for (size_t i = 0; i < depot->batch_count; i++)
		destroy_batch(depot->batches[i]);
	free(depot->files);
	free(depot->batches);
	wire_request_fini(&depot->request);
	free(depot);
}

/* "file-Ab..", 22 letters and digits as the real ones have. */
static void make_id(struct random *random, char *id, size_t cap, const char *prefix)
{
	int len = snprintf(id, cap, "%s", prefix);

	for (size_t i = (size_t)len; i < (size_t)len + 22 && i + 1 < cap; i++) {
		id[i] =
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[random_below(
			random, 62)];
		id[i + 1] = '\0';
	}
}

/* ---- Files ----------------------------------------------------------- */

struct depot_file *depot_add_file(struct depot *depot, const char *name, const char *purpose,
    const char *bytes, size_t len, int64_t now_s, int64_t ttl_s)
{
	struct depot_file *file;

	if (depot->file_count == DEPOT_FILES_MAX || len > DEPOT_BYTES_MAX - depot->bytes)
		return NULL;
	file = calloc(1, sizeof(*file));
	if (file)
		file->bytes = malloc(len + 1);
	if (!file || !file->bytes) {
		free(file);
		return NULL;
	}
	memcpy(file->bytes, bytes, len);
	file->len = len;
	make_id(&depot->random, file->object.id, sizeof(file->object.id), "file-");
	snprintf(file->object.purpose, sizeof(file->object.purpose), "%s", purpose);
	snprintf(file->object.filename, sizeof(file->object.filename), "%s", name);
	snprintf(file->object.status, sizeof(file->object.status), "processed");
	file->object.bytes = (int64_t)len;
	file->object.created_s = now_s;
	file->object.expires_s = ttl_s > 0 ? now_s + ttl_s : 0;
	depot->files[depot->file_count++] = file;
	depot->bytes += len;
	return file;
}

struct depot_file *depot_find_file(struct depot *depot, const char *id)
{
	for (size_t i = 0; i < depot->file_count; i++)
		if (strcmp(depot->files[i]->object.id, id) == 0)
			return depot->files[i];
	return NULL;
}

static void remove_file(struct depot *depot, size_t index)
{
	depot->bytes -= depot->files[index]->len;
	destroy_file(depot->files[index]);
	depot->file_count--;
	memmove(&depot->files[index], &depot->files[index + 1],
	    (depot->file_count - index) * sizeof(*depot->files));
}

bool depot_delete_file(struct depot *depot, const char *id)
{
	for (size_t i = 0; i < depot->file_count; i++) {
		if (strcmp(depot->files[i]->object.id, id) != 0)
			continue;
		remove_file(depot, i);
		return true;
	}
	return false;
}

static void expire_files(struct depot *depot, int64_t now_s)
{
	for (size_t i = depot->file_count; i-- > 0;) {
		int64_t expires_s = depot->files[i]->object.expires_s;

		if (expires_s > 0 && expires_s <= now_s)
			remove_file(depot, i);
	}
}

/* ---- Batches --------------------------------------------------------- */

struct depot_batch *depot_find_batch(struct depot *depot, const char *id)
{
	for (size_t i = 0; i < depot->batch_count; i++)
		if (strcmp(depot->batches[i]->object.id, id) == 0)
			return depot->batches[i];
	return NULL;
}

static void fill_batch(struct depot *depot, struct depot_batch *batch,
    const struct depot_file *input, const struct depot_order *order, int64_t now_s)
{
	struct batch_object *object = &batch->object;

	snprintf(object->id, sizeof(object->id), "batch_%016" PRIx64 "%016" PRIx64,
	    random_next(&depot->random), random_next(&depot->random));
	snprintf(object->endpoint, sizeof(object->endpoint), "%s", order->endpoint);
	snprintf(object->completion_window, sizeof(object->completion_window), "%s", order->window);
	snprintf(object->input_file_id, sizeof(object->input_file_id), "%s", input->object.id);
	snprintf(batch->key, sizeof(batch->key), "%s", order->key);
	object->status = BATCH_VALIDATING;
	object->created_s = now_s;
	object->expires_s = now_s + DAY_S;
	object->metadata = batch->metadata;
	batch->output_ttl_s = order->output_ttl_s;
	batch->input_len = input->len;
	memcpy(batch->input, input->bytes, input->len);
	buffer_init(&batch->output.bytes, DEPOT_BYTES_MAX);
	buffer_init(&batch->errors.bytes, DEPOT_BYTES_MAX);
}

struct depot_batch *depot_add_batch(struct depot *depot, const struct depot_file *input,
    const struct depot_order *order, int64_t now_s)
{
	struct depot_batch *batch;

	if (depot->batch_count == DEPOT_BATCHES_MAX)
		return NULL;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	batch->input = malloc(input->len + 1);
	batch->failures = calloc(DEPOT_FAILURES_MAX, sizeof(*batch->failures));
	if (order->metadata)
		batch->metadata = strdup(order->metadata);
	if (!batch->input || !batch->failures || (order->metadata && !batch->metadata)) {
		destroy_batch(batch);
		return NULL;
	}
	fill_batch(depot, batch, input, order, now_s);
	depot->batches[depot->batch_count++] = batch;
	return batch;
}

static int64_t whole_s(int64_t us)
{
	return (us + MICROSECONDS - 1) / MICROSECONDS;
}

static void start_or_fail(struct depot *depot, struct depot_batch *batch, int64_t at_s)
{
	if (depot_validate(depot, batch)) {
		batch->object.status = BATCH_IN_PROGRESS;
		batch->object.in_progress_s = at_s;
		batch->running_us = at_s * MICROSECONDS;
	} else {
		batch->object.status = BATCH_FAILED;
		batch->object.failed_s = at_s;
	}
}

/* Lines whose time has come by `now_s`. */
static void run_lines(struct depot *depot, struct depot_batch *batch, int64_t now_s)
{
	int64_t each_us = depot->settings.pace.request_us;
	int64_t until_us = now_s * MICROSECONDS - batch->running_us;

	while (batch->done < (size_t)batch->object.total &&
	       (each_us == 0 || ((int64_t)batch->done + 1) * each_us <= until_us))
		depot_run_line(depot, batch);
}

static void tick_running(struct depot *depot, struct depot_batch *batch, int64_t now_s)
{
	const struct depot_pace *pace = &depot->settings.pace;
	struct batch_object *object = &batch->object;
	int64_t end_s = whole_s(batch->running_us + object->total * pace->request_us);
	bool is_late = end_s > object->expires_s;

	run_lines(depot, batch, now_s < object->expires_s ? now_s : object->expires_s);
	if (is_late && now_s >= object->expires_s) {
		object->status = BATCH_EXPIRED;
		object->expired_s = object->expires_s;
		depot_fail_rest(depot, batch, "batch_expired",
		    "This request could not be executed before the completion window expired.");
		depot_finish(depot, batch, object->expires_s);
	} else if (!is_late && now_s >= end_s) {
		object->status = BATCH_FINALIZING;
		object->finalizing_s = end_s;
	}
}

static void tick_batch(struct depot *depot, struct depot_batch *batch, int64_t now_s)
{
	const struct depot_pace *pace = &depot->settings.pace;
	struct batch_object *object = &batch->object;
	int64_t validated_s = object->created_s + whole_s(pace->validating_us);
	int64_t finalized_s = object->finalizing_s + whole_s(pace->finalizing_us);
	int64_t cancelled_s = whole_s(pace->finalizing_us);

	cancelled_s =
	    object->cancelling_s + (cancelled_s < CANCEL_MAX_S ? cancelled_s : CANCEL_MAX_S);
	if (object->status == BATCH_VALIDATING && now_s >= validated_s) {
		start_or_fail(depot, batch, validated_s);
		tick_batch(depot, batch, now_s);
	} else if (object->status == BATCH_IN_PROGRESS) {
		tick_running(depot, batch, now_s);
		if (object->status == BATCH_FINALIZING)
			tick_batch(depot, batch, now_s);
	} else if (object->status == BATCH_FINALIZING && now_s >= finalized_s) {
		object->status = BATCH_COMPLETED;
		object->completed_s = finalized_s;
		depot_finish(depot, batch, finalized_s);
	} else if (object->status == BATCH_CANCELLING && now_s >= cancelled_s) {
		object->status = BATCH_CANCELLED;
		object->cancelled_s = cancelled_s;
		depot_finish(depot, batch, cancelled_s);
	}
}

void depot_tick(struct depot *depot, int64_t now_s)
{
	for (size_t i = 0; i < depot->batch_count; i++)
		tick_batch(depot, depot->batches[i], now_s);
	expire_files(depot, now_s);
}

bool depot_cancel(struct depot *depot, struct depot_batch *batch, int64_t now_s)
{
	depot_tick(depot, now_s);
	if (batch->object.status != BATCH_VALIDATING && batch->object.status != BATCH_IN_PROGRESS &&
	    batch->object.status != BATCH_FINALIZING)
		return false;
	batch->object.status = BATCH_CANCELLING;
	batch->object.cancelling_s = now_s;
	return true;
}
