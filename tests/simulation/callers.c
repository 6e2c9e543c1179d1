/* SPDX-License-Identifier: MIT */
/* Those who want vectors, and look closely at what they get. */
#include <stdio.h>

#include "base/error.h"
#include "world.h"

/* ---- What an answer may be ------------------------------------------- */

static bool is_explained(
    const struct world *world, const struct fake_job *job, enum embed_status status, bool is_poison)
{
	switch (status) {
	case EMBED_REFUSED:
	case EMBED_EMPTY_TEXT:
		return is_poison;
	case EMBED_CANCELLED:
		return job->is_cancelled;
	case EMBED_DEADLINE:
		return job->deadline_us != 0 && world->now_us >= job->deadline_us;
	case EMBED_CLOSED:
		return job->is_crashed;
	case EMBED_NO_MEMORY:
		return world->faults.memory > 0;
	case EMBED_QUOTA:
		return world->faults.quota;
	case EMBED_BAD_REPLY:
		return world->faults.nonsense > 0;
	case EMBED_RATE_LIMITED:
		return world->faults.rate_limit > 0 || world->faults.others ||
		       world->faults.crash || world->faults.slow_down > 0;
	case EMBED_UPSTREAM:
		return world->faults.server > 0 || world->faults.stall > 0 ||
		       world->faults.reset > 0 || world->faults.slow_down > 0;
	default:
		return false;
	}
}

static void check_vector(struct world *world, const struct fake_job *job, size_t which,
    const struct engine_outcome *outcome)
{
	const struct fake_text *text = &world->texts[job->texts[which]];
	uint32_t least = job->is_short ? SHORT : DIMENSIONS;

	if (text->is_poison)
		world_fail(
		    world, "a poisoned text got a vector", "job %zu text %zu", job->number, which);
	if (outcome->dimensions < least)
		world_fail(world, "a vector is too short", "job %zu text %zu: %u", job->number,
		    which, outcome->dimensions);
	for (uint32_t i = 0; i < outcome->dimensions; i++)
		if (outcome->vector[i] != fake_number(text, i))
			world_fail(world, "a wrong vector", "job %zu text %zu", job->number, which);
}

static void on_text_done(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct fake_job *job = context;
	struct world *world = job->world;
	size_t which = job->sent[index];

	world_trace(world, "job %zu text %zu (%zu): %s from %d", job->number, which,
	    job->texts[which], embed_status_code(outcome->status), outcome->source);
	if (job->is_crashed)
		return;
	if (job->is_done)
		world_fail(world, "an answer after job_done", "job %zu", job->number);
	if (job->answered[which])
		world_fail(world, "a text got two answers", "job %zu text %zu", job->number, which);
	job->answered[which] = true;
	job->answers++;
	if (outcome->status == EMBED_OK)
		check_vector(world, job, which, outcome);
	else if (!is_explained(
		     world, job, outcome->status, world->texts[job->texts[which]].is_poison))
		world_fail(world, "an error that nothing explains", "job %zu text %zu: %s: %s",
		    job->number, which, embed_status_code(outcome->status),
		    outcome->error->message);
}

static void finish(struct fake_job *job)
{
	struct world *world = job->world;

	if (job->is_done)
		world_fail(world, "job_done twice", "job %zu", job->number);
	if (job->answers != job->count)
		world_fail(world, "job_done before all answers", "job %zu: %zu of %zu", job->number,
		    job->answers, job->count);
	job->is_done = true;
	world->jobs_done++;
}

static void on_job_done(void *context)
{
	struct fake_job *job = context;

	engine_job_release(job->handle);
	job->handle = NULL;
	if (!job->is_crashed)
		finish(job);
}

/* ---- Asking ---------------------------------------------------------- */

static bool is_on_disk(const struct fake_job *job, const struct fake_text *text)
{
	return text->is_stored[0] || (job->is_short && text->is_stored[1]);
}

void fake_look(struct world *world, struct fake_job *job)
{
	int64_t pause_us = world_chance(world, 500) ? 0 : (int64_t)world_below(world, 200000);

	job->has_begun = true;
	job->is_crashed = false;
	job->sent_count = 0;
	job->epoch = core_epoch(world->core);
	for (size_t i = 0; i < job->count; i++) {
		if (job->answered[i])
			continue;
		if (is_on_disk(job, &world->texts[job->texts[i]])) {
			job->answered[i] = true;
			job->answers++;
		} else {
			job->sent[job->sent_count++] = i;
		}
	}
	if (job->sent_count == 0)
		finish(job);
	else
		world_event(world, EVENT_SUBMIT, world->now_us + pause_us)->job = job;
}

static struct engine_job_spec spec_of(const struct fake_job *job)
{
	static const char *const keys[] = {"", "ann", "bob", "eve"};
	static const char *const users[USERS] = {"a", "b"};

	return (struct engine_job_spec){.model = "m",
	    .dimensions = job->is_short ? SHORT : 0,
	    .model_dimensions = DIMENSIONS,
	    .can_shorten = true,
	    .lane = job->lane,
	    .key_name = keys[job->number % KEYS_MAX],
	    .key_weight = 1 + (uint32_t)(job->number % KEYS_MAX),
	    .user = users[job->user],
	    .deadline_us = job->deadline_us,
	    .epoch = job->epoch};
}

void fake_submit(struct world *world, struct fake_job *job)
{
	const struct engine_callbacks callbacks = {on_text_done, on_job_done, job};
	const struct engine_job_spec spec = spec_of(job);
	struct engine_text texts[32];
	struct engine_job *handle;
	struct embed_error error;
	uint32_t fails = memory_work_again();

	world_trace(world, "submit job %zu: %zu of %zu texts, lane %d", job->number,
	    job->sent_count, job->count, job->lane);
	for (size_t i = 0; i < job->sent_count; i++) {
		const struct fake_text *text = &world->texts[job->texts[job->sent[i]]];

		texts[i] = (struct engine_text){.key = text->key,
		    .bytes = text->bytes,
		    .len = text->len,
		    .tokens = text->tokens};
	}
	if (engine_job_create(&handle, &spec, texts, job->sent_count, &callbacks, &error) !=
	    EMBED_OK) {
		world_fail(world, "a job could not be made", "%s", error.message);
		return;
	}
	memory_fail_on(fails);
	engine_job_ref(handle);
	job->handle = handle;
	core_submit(world->core, handle, world->now_us);
}

void fake_cancel(struct world *world, struct fake_job *job)
{
	if (!job->handle)
		return;
	world_trace(world, "cancel job %zu", job->number);
	job->is_cancelled = true;
	core_cancel(world->core, job->handle, world->now_us);
}
