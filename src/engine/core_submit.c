/* SPDX-License-Identifier: MIT */
/* Texts in: they join a flight, start one, or are answered on the spot. */
#include "base/error.h"
#include "engine/core_state.h"
#include "wire/reply.h"

static void answer_landed(struct core *core, struct flight *flight, struct waiter *waiter)
{
	struct engine_outcome outcome = {
	    .status = EMBED_OK,
	    .source = EMBED_FROM_FLIGHT,
	    .vector = flight->vector,
	    .dimensions = flight->dimensions,
	};

	core_answer_waiter(core, waiter, &outcome);
}

static void join(struct core *core, struct flight *flight, struct waiter *waiter, int64_t now_us)
{
	struct engine_job *job = waiter->job;

	if (flight->state == FLIGHT_LANDED) {
		answer_landed(core, flight, waiter);
		return;
	}
	core_join_flight(flight, waiter);
	flight->is_stored |= !job->spec.no_store;
	/* Who is in a hurry takes a bulk text along, and pays for it. */
	if (flight->state == FLIGHT_QUEUED && job->spec.lane < flight->line->lane) {
		queue_remove(&core->queue, flight);
		flight->owner = waiter;
		flight->paced_ms = queue_paced_ms(&core->queue, job->spec.lane, now_us);
		core_enqueue(core, flight, job->key, job->spec.lane);
	}
}

static struct flight *begin_flight(struct core *core, struct entry *entry, struct kind *kind)
{
	struct flight *flight = &entry->flight;
	struct engine_job *job = entry->waiter.job;

	flight->kind = kind_ref(kind);
	flight->key = key_ref(job->key);
	flight->is_stored = !job->spec.no_store;
	flight->owner = &entry->waiter;
	flight->waiters = NULL;
	core_join_flight(flight, &entry->waiter);
	core_hold_job(job);
	core->flights++;
	return flight;
}

static struct flight *find_flight(
    const struct core *core, const struct entry *entry, const struct kind *kind)
{
	struct flight *flight = NULL;

	while ((flight = table_find(&core->table, &entry->digest, flight)))
		if (kind_may_join(kind, flight->kind))
			return flight;
	return NULL;
}

/* A flight of the same text may have ended between the caller's look into the store and now. */
static bool answer_from_store(struct core *core, struct entry *entry, const struct kind *kind)
{
	const struct engine_job_spec *spec = &entry->waiter.job->spec;
	struct engine_outcome outcome = {
	    .status = EMBED_OK, .source = EMBED_FROM_STORE, .vector = core->found};
	const struct engine_want want = {.key = entry->digest,
	    .dimensions = kind->dimensions ? kind->dimensions : kind->model_dimensions,
	    .can_shorten = kind->can_shorten};

	if (!core->hooks.find || spec->no_store || spec->epoch == core->epoch)
		return false;
	if (!core->hooks.find(
		&want, core->found, WIRE_MAX_DIMENSIONS, &outcome.dimensions, core->hooks.context))
		return false;
	core_answer_waiter(core, &entry->waiter, &outcome);
	return true;
}

static void take_entry(struct core *core, struct entry *entry, struct kind *kind, int64_t now_us)
{
	struct flight *flight = find_flight(core, entry, kind);

	if (flight) {
		join(core, flight, &entry->waiter, now_us);
		return;
	}
	if (answer_from_store(core, entry, kind))
		return;
	flight = begin_flight(core, entry, kind);
	flight->queued_us = now_us;
	flight->paced_ms = queue_paced_ms(&core->queue, entry->waiter.job->spec.lane, now_us);
	table_add(&core->table, flight);
	if (!queue_add(&core->queue, flight, entry->waiter.job->spec.lane))
		core_fail_no_memory(core, flight);
}

/* The kind of the entry, made when the first one of it comes; NULL when memory runs out. */
static struct kind *kind_of(struct core *core, struct engine_job *job, const struct entry *entry)
{
	bool is_ids = job_is_ids(entry);

	if (!job->kinds[is_ids])
		job->kinds[is_ids] = names_kind(&core->names, &job->spec, is_ids);
	return job->kinds[is_ids];
}

static bool prepare_job(struct core *core, struct engine_job *job)
{
	job->key = names_key(&core->names, job->spec.key_name, job->spec.key_weight);
	if (!job->key)
		return false;
	if (job->spec.deadline_us == 0)
		return true;
	return heap_add(&core->deadlines, &job->deadline, job->spec.deadline_us);
}

static void fail_job(struct core *core, struct engine_job *job, const struct embed_error *error)
{
	for (size_t i = 0; i < job->count; i++)
		core_fail_waiter(core, &job->entries[i].waiter, error);
}

static void take_texts(struct core *core, struct engine_job *job, int64_t now_us)
{
	struct embed_error error;

	for (size_t i = 0; i < job->count; i++) {
		struct kind *kind = kind_of(core, job, &job->entries[i]);

		if (kind) {
			take_entry(core, &job->entries[i], kind, now_us);
			continue;
		}
		error_set(&error, EMBED_NO_MEMORY, "no memory to queue the text");
		core_fail_waiter(core, &job->entries[i].waiter, &error);
	}
}

/* Past table, queue and limits: a batch of its own. */
static void take_probe(struct core *core, struct engine_job *job)
{
	struct kind *kind = kind_of(core, job, &job->entries[0]);
	struct queue_taken taken = {.texts = 1};
	struct batch *batch = NULL;
	struct embed_error error;

	error_set(&error, EMBED_NO_MEMORY, "no memory for the probe");
	if (!kind) {
		core_fail_waiter(core, &job->entries[0].waiter, &error);
		return;
	}
	taken.first = begin_flight(core, &job->entries[0], kind);
	taken.first->is_stored = false;
	batch = batch_create(&taken, job->spec.lane);
	if (!batch) {
		core_fail_flight(core, taken.first, &error);
		return;
	}
	batch_sum(batch);
	batch->is_probe = true;
	batch->probe_index = (size_t)job->probe_index;
	core->batches++;
	core_ready(core, batch);
}

void core_submit(struct core *core, struct engine_job *job, int64_t now_us)
{
	struct embed_error error;

	core_link_job(core, job);
	core_hold_job(job);
	if (job->spec.lane == EMBED_LANE_INTERACTIVE)
		core->interactive_us = now_us;
	if (core->is_closed) {
		error_set(&error, EMBED_CLOSED, "the service is closing");
		fail_job(core, job, &error);
	} else if (!prepare_job(core, job)) {
		error_set(&error, EMBED_NO_MEMORY, "no memory to queue the job");
		fail_job(core, job, &error);
	} else if (job->probe_index >= 0) {
		take_probe(core, job);
	} else {
		take_texts(core, job, now_us);
	}
	core_unhold_job(core, job);
}
