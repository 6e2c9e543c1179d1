/* SPDX-License-Identifier: MIT */
/* What a failed attempt means for its batch: once more, elsewhere, in parts, or the end. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/core_state.h"

/*
 * So many parts of one batch were refused as they were, and none was taken:
 * then it is not a text that is refused but the request.
 */
#define REFUSALS_MOST 64

#define BAD_REPLIES_MOST 3

/*
 * A host that is unknown or refuses from the start is rather a wrong address than a bad minute: so
 * long after the very first attempt a text is tried once, and the retry deadline does not count.
 */
#define UNREACHED_US INT64_C(10000000)

/* A retry would come a second later at the earliest, so the last one is near enough. */
static bool is_given_up_unreached(const struct core *core, int64_t now_us)
{
	return !core->was_reached && now_us >= core->first_sent_us + UNREACHED_US / 2;
}

void core_give_up(
    struct core *core, struct batch *batch, const struct embed_error *error, int64_t now_us)
{
	struct embed_error told = *error;
	size_t len = strlen(told.message);
	int64_t deadline_us = (int64_t)core->options.retry_deadline_ms * 1000;

	snprintf(told.message + len, sizeof(told.message) - len,
	    " (gave up after %" PRIu32 " attempts in %.1f s)", batch->attempts,
	    (double)(now_us - batch->first_sent_us) / 1e6);
	core_fail_batch(core, batch, &told);
	/* Nothing gets through any more: what has waited as long need not find out by itself. */
	if (is_given_up_unreached(core, now_us))
		core_expire_queue(core, &told, now_us);
	else if (now_us - core->last_success_us >= deadline_us)
		core_expire_queue(core, &told, now_us - deadline_us);
}

/* An answer that is no use was billed, so it is not asked for often. */
static uint32_t most_attempts(const struct core *core, const struct wire_fault *fault)
{
	uint32_t most = core->options.max_attempts;

	return fault->error.status == EMBED_BAD_REPLY && most > BAD_REPLIES_MOST ? BAD_REPLIES_MOST
										 : most;
}

static void retry_later(
    struct core *core, struct batch *batch, const struct wire_fault *fault, int64_t now_us)
{
	int64_t server_us = fault->wait_ms >= 0 ? fault->wait_ms * 1000 : -1;
	int64_t wait_us = 0;
	int64_t budget_us;

	if (!core_can_fail_over(core, batch, now_us)) {
		batch->tried = 0;
		wait_us = retry_backoff_us(&core->random, batch->faults - 1, server_us);
	}
	budget_us = retry_budget_take(&core->budget, now_us);
	if (wait_us < budget_us)
		wait_us = budget_us;
	if (!core->was_reached && batch->give_up_us > core->first_sent_us + UNREACHED_US)
		batch->give_up_us = core->first_sent_us + UNREACHED_US;
	if (batch->faults >= most_attempts(core, fault) || now_us + wait_us > batch->give_up_us)
		core_give_up(core, batch, &fault->error, now_us);
	else if (wait_us == 0)
		core_ready(core, batch);
	else if (!heap_add(&core->due, &batch->due, now_us + wait_us))
		core_give_up(core, batch, &fault->error, now_us);
}

static void retry(
    struct core *core, struct batch *batch, const struct core_answer *answer, int64_t now_us)
{
	bool was_fresh = batch->is_fresh;

	batch->faults++;
	batch->is_fresh = answer->is_timeout || answer->is_stale;
	if (answer->is_stale && !was_fresh && batch->faults < core->options.max_attempts) {
		batch->tried = 0;
		core_ready(core, batch);
		return;
	}
	retry_later(core, batch, answer->fault, now_us);
}

/* The refusal is the request's own, it seems: all parts are refused alike. */
static bool is_refused_whole(struct batch *batch, const struct embed_error *error)
{
	struct lineage *lineage = batch->lineage;

	if (!lineage || error->status == EMBED_TOO_LARGE || error->status == EMBED_RATE_LIMITED)
		return false;
	lineage->refusals++;
	return lineage->refusals >= REFUSALS_MOST && !lineage->has_success;
}

/* `second` is NULL when memory ran out. */
static void go_on_with_both(struct core *core, struct batch *batch, struct batch *second)
{
	struct embed_error error;

	if (!second) {
		error_set(&error, EMBED_NO_MEMORY, "no memory to cut a batch");
		core_fail_batch(core, batch, &error);
		return;
	}
	core->batches++;
	core->stats.splits++;
	core_ready(core, batch);
	core_ready(core, second);
}

static void split_batch(struct core *core, struct batch *batch, const struct embed_error *error)
{
	struct embed_error told = *error;

	told.index = EMBED_NO_INDEX;
	if (batch->texts.texts == 1 || is_refused_whole(batch, error))
		core_fail_batch(core, batch, &told);
	else
		go_on_with_both(core, batch, batch_cut(batch, batch->texts.texts / 2));
}

/* The text that the answer names goes alone, so that it is refused by itself. */
static void isolate(struct core *core, struct batch *batch, const struct embed_error *error)
{
	struct embed_error told = *error;

	told.index = EMBED_NO_INDEX;
	if (batch->texts.texts == 1)
		core_fail_batch(core, batch, &told);
	else if (error->index >= batch->texts.texts)
		split_batch(core, batch, error);
	else
		go_on_with_both(core, batch, batch_isolate(batch, error->index));
}

/* Nothing of it can pass there; another upstream may have another key or model. */
static void stop(
    struct core *core, struct batch *batch, const struct wire_fault *fault, int64_t now_us)
{
	bool may_differ = fault->is_account || fault->error.status == EMBED_NO_SUCH_MODEL ||
			  fault->error.status == EMBED_UNAUTHORIZED ||
			  fault->error.status == EMBED_RATE_LIMITED;

	if (may_differ && core_can_fail_over(core, batch, now_us))
		core_ready(core, batch);
	else
		core_fail_batch(core, batch, &fault->error);
}

void core_go_on(
    struct core *core, struct batch *batch, const struct core_answer *answer, int64_t now_us)
{
	const struct wire_fault *fault = answer->fault;

	if (core->is_closed || batch->is_probe)
		core_fail_batch(core, batch, &fault->error);
	else if (fault->verdict == WIRE_RETRY)
		retry(core, batch, answer, now_us);
	else if (fault->verdict == WIRE_SPLIT)
		split_batch(core, batch, &fault->error);
	else if (fault->verdict == WIRE_STOP_INPUT)
		isolate(core, batch, &fault->error);
	else
		stop(core, batch, fault, now_us);
}
