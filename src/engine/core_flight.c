/* SPDX-License-Identifier: MIT */
/* Jobs and flights: who waits for what, who holds whose memory, and how it ends. */
#include "base/error.h"
#include "engine/core_state.h"

/* ---- Jobs ------------------------------------------------------------ */

void core_link_job(struct core *core, struct engine_job *job)
{
	job->older = core->jobs;
	if (core->jobs)
		core->jobs->newer = job;
	core->jobs = job;
}

static void unlink_job(struct core *core, struct engine_job *job)
{
	if (job->newer)
		job->newer->older = job->older;
	else
		core->jobs = job->older;
	if (job->older)
		job->older->newer = job->newer;
}

/* Its memory goes when it has no unanswered text and no flight in it. */
static void release_job(struct core *core, struct engine_job *job)
{
	if (job->unanswered > 0 || job->flights > 0)
		return;
	names_key_unref(&core->names, job->key);
	names_kind_unref(&core->names, job->kinds[0]);
	names_kind_unref(&core->names, job->kinds[1]);
	engine_job_unref(job);
}

/* Keeps the job's memory while its texts are gone through. */
void core_hold_job(struct engine_job *job)
{
	job->flights++;
}

void core_unhold_job(struct core *core, struct engine_job *job)
{
	job->flights--;
	release_job(core, job);
}

static void finish_job(struct core *core, struct engine_job *job)
{
	heap_remove(&core->deadlines, &job->deadline);
	unlink_job(core, job);
	job->callbacks.job_done(job->callbacks.context);
	release_job(core, job);
}

static size_t index_of(const struct waiter *waiter)
{
	const struct entry *entry = HEAP_ITEM((char *)waiter, const struct entry, waiter);

	return (size_t)(entry - waiter->job->entries);
}

void core_answer_waiter(
    struct core *core, struct waiter *waiter, const struct engine_outcome *outcome)
{
	struct engine_job *job = waiter->job;

	waiter->flight = NULL;
	job->callbacks.text_done(job->callbacks.context, index_of(waiter), outcome);
	if (--job->unanswered == 0)
		finish_job(core, job);
}

void core_fail_waiter(struct core *core, struct waiter *waiter, const struct embed_error *error)
{
	struct engine_outcome outcome = {
	    .status = error->status, .source = EMBED_FROM_NOWHERE, .error = error};

	core_answer_waiter(core, waiter, &outcome);
}

/* ---- Flights --------------------------------------------------------- */

static bool is_alone(const struct flight *flight)
{
	return flight->job->probe_index >= 0;
}

void core_end_flight(struct core *core, struct flight *flight)
{
	struct engine_job *job = flight->job;

	if (!is_alone(flight))
		table_remove(&core->table, flight);
	names_key_unref(&core->names, flight->key);
	names_kind_unref(&core->names, flight->kind);
	flight->state = FLIGHT_NONE;
	core->flights--;
	core_unhold_job(core, job);
}

void core_fail_flight(struct core *core, struct flight *flight, const struct embed_error *error)
{
	struct waiter *waiter = flight->waiters;

	flight->waiters = NULL;
	while (waiter) {
		struct waiter *next = waiter->next;

		core_fail_waiter(core, waiter, error);
		waiter = next;
	}
	core_end_flight(core, flight);
}

void core_fail_no_memory(struct core *core, struct flight *flight)
{
	struct embed_error error;

	error_set(&error, EMBED_NO_MEMORY, "no memory to queue the text");
	core_fail_flight(core, flight, &error);
}

/* Puts it into `lane` as one of `key`'s; it is in no line. */
void core_enqueue(
    struct core *core, struct flight *flight, struct queue_key *key, enum embed_lane lane)
{
	key_ref(key);
	names_key_unref(&core->names, flight->key);
	flight->key = key;
	if (!queue_add(&core->queue, flight, lane))
		core_fail_no_memory(core, flight);
}

void core_rehome(struct core *core, struct flight *flight)
{
	struct engine_job *job = flight->waiters->job;

	flight->owner = flight->waiters;
	if (flight->key == job->key)
		return;
	if (flight->state == FLIGHT_QUEUED) {
		queue_remove(&core->queue, flight);
		core_enqueue(core, flight, job->key, job->spec.lane);
		return;
	}
	key_ref(job->key);
	names_key_unref(&core->names, flight->key);
	flight->key = job->key;
}

void core_join_flight(struct flight *flight, struct waiter *waiter)
{
	waiter->flight = flight;
	waiter->prev = NULL;
	waiter->next = flight->waiters;
	if (flight->waiters)
		flight->waiters->prev = waiter;
	flight->waiters = waiter;
}

void core_leave_flight(struct flight *flight, struct waiter *waiter)
{
	if (waiter->prev)
		waiter->prev->next = waiter->next;
	else
		flight->waiters = waiter->next;
	if (waiter->next)
		waiter->next->prev = waiter->prev;
	if (flight->owner == waiter)
		flight->owner = NULL;
}
