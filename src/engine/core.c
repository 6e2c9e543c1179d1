/* SPDX-License-Identifier: MIT */
#include "engine/core_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "wire/reply.h"

#define VECTOR_BYTES_DEFAULT (UINT64_C(64) << 20)

/* ---- Opening and closing -------------------------------------------- */

enum embed_status core_create(struct core **out, const struct engine_options *options,
    const struct engine_hooks *hooks, int64_t unix_offset_us, int64_t now_us)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core)
		return EMBED_NO_MEMORY;
	core->options = *options;
	if (core->options.vector_bytes == 0)
		core->options.vector_bytes = VECTOR_BYTES_DEFAULT;
	core->hooks = *hooks;
	core->unix_offset_us = unix_offset_us;
	core->random.state = options->seed;
	core->interactive_us = INT64_MIN / 2;
	core->last_success_us = now_us;
	core->taken_since_us = now_us;
	core->send_wake_us = INT64_MAX;
	core->epoch = 1;
	retry_budget_init(&core->budget, options->retry_budget_percent, now_us);
	queue_init(&core->queue, &core->names);
	core->upstreams = calloc(options->upstream_count, sizeof(*core->upstreams));
	if (hooks->find)
		core->found = malloc(WIRE_MAX_DIMENSIONS * sizeof(*core->found));
	if (!core->upstreams || (hooks->find && !core->found) ||
	    table_init(&core->table) != EMBED_OK) {
		core_destroy(core);
		return EMBED_NO_MEMORY;
	}
	for (size_t i = 0; i < options->upstream_count; i++)
		upstream_init(&core->upstreams[i], i, &options->upstreams[i], now_us);
	*out = core;
	return EMBED_OK;
}

void core_set_unix_offset(struct core *core, int64_t unix_offset_us)
{
	core->unix_offset_us = unix_offset_us;
}

void core_destroy(struct core *core)
{
	if (!core)
		return;
	table_fini(&core->table);
	queue_fini(&core->queue);
	heap_fini(&core->deadlines);
	heap_fini(&core->due);
	free(core->upstreams);
	free(core->found);
	free(core);
}

bool core_is_empty(const struct core *core)
{
	return !core->jobs && !core->attempts && core->flights == 0 && core->batches == 0;
}

/* ---- Jobs ------------------------------------------------------------ */

static void link_job(struct core *core, struct engine_job *job)
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
static void hold_job(struct engine_job *job)
{
	job->flights++;
}

static void unhold_job(struct core *core, struct engine_job *job)
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

static void fail_waiter(struct core *core, struct waiter *waiter, const struct embed_error *error)
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
	unhold_job(core, job);
}

void core_fail_flight(struct core *core, struct flight *flight, const struct embed_error *error)
{
	struct waiter *waiter = flight->waiters;

	flight->waiters = NULL;
	while (waiter) {
		struct waiter *next = waiter->next;

		fail_waiter(core, waiter, error);
		waiter = next;
	}
	core_end_flight(core, flight);
}

static void fail_no_memory(struct core *core, struct flight *flight)
{
	struct embed_error error;

	error_set(&error, EMBED_NO_MEMORY, "no memory to queue the text");
	core_fail_flight(core, flight, &error);
}

/* Puts it into `lane` as one of `key`'s; it is in no line. */
static void enqueue(
    struct core *core, struct flight *flight, struct queue_key *key, enum embed_lane lane)
{
	key_ref(key);
	names_key_unref(&core->names, flight->key);
	flight->key = key;
	if (!queue_add(&core->queue, flight, lane))
		fail_no_memory(core, flight);
}

void core_rehome(struct core *core, struct flight *flight)
{
	struct engine_job *job = flight->waiters->job;

	flight->owner = flight->waiters;
	if (flight->key == job->key)
		return;
	if (flight->state == FLIGHT_QUEUED) {
		queue_remove(&core->queue, flight);
		enqueue(core, flight, job->key, job->spec.lane);
		return;
	}
	key_ref(job->key);
	names_key_unref(&core->names, flight->key);
	flight->key = job->key;
}

static void add_waiter(struct flight *flight, struct waiter *waiter)
{
	waiter->flight = flight;
	waiter->prev = NULL;
	waiter->next = flight->waiters;
	if (flight->waiters)
		flight->waiters->prev = waiter;
	flight->waiters = waiter;
}

static void remove_waiter(struct flight *flight, struct waiter *waiter)
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

/* ---- Texts in -------------------------------------------------------- */

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

static void join(struct core *core, struct flight *flight, struct waiter *waiter)
{
	struct engine_job *job = waiter->job;

	if (flight->state == FLIGHT_LANDED) {
		answer_landed(core, flight, waiter);
		return;
	}
	add_waiter(flight, waiter);
	flight->is_stored |= !job->spec.no_store;
	/* Who is in a hurry takes a bulk text along, and pays for it. */
	if (flight->state == FLIGHT_QUEUED && job->spec.lane < flight->line->lane) {
		queue_remove(&core->queue, flight);
		flight->owner = waiter;
		enqueue(core, flight, job->key, job->spec.lane);
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
	add_waiter(flight, &entry->waiter);
	hold_job(job);
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
		join(core, flight, &entry->waiter);
		return;
	}
	if (answer_from_store(core, entry, kind))
		return;
	flight = begin_flight(core, entry, kind);
	flight->queued_us = now_us;
	table_add(&core->table, flight);
	if (!queue_add(&core->queue, flight, entry->waiter.job->spec.lane))
		fail_no_memory(core, flight);
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
		fail_waiter(core, &job->entries[i].waiter, error);
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
		fail_waiter(core, &job->entries[i].waiter, &error);
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
		fail_waiter(core, &job->entries[0].waiter, &error);
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

	link_job(core, job);
	hold_job(job);
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
	unhold_job(core, job);
}

/* ---- Texts out ------------------------------------------------------- */

/* Leaves the flight, which goes on for others, and ends if it was only queued for this one. */
static void leave_flight(struct core *core, struct waiter *waiter)
{
	struct flight *flight = waiter->flight;

	remove_waiter(flight, waiter);
	if (flight->state != FLIGHT_QUEUED)
		return;
	if (!flight->waiters) {
		queue_remove(&core->queue, flight);
		core_end_flight(core, flight);
	} else if (!flight->owner) {
		core_rehome(core, flight);
	}
}

static void abandon_job(struct core *core, struct engine_job *job, const struct embed_error *error)
{
	hold_job(job);
	for (size_t i = 0; i < job->count; i++) {
		struct waiter *waiter = &job->entries[i].waiter;

		if (!waiter->flight)
			continue;
		leave_flight(core, waiter);
		fail_waiter(core, waiter, error);
	}
	unhold_job(core, job);
}

void core_cancel(struct core *core, struct engine_job *job, int64_t now_us)
{
	struct embed_error error;

	(void)now_us;
	if (job->unanswered == 0)
		return;
	error_set(&error, EMBED_CANCELLED, "the caller gave up on the job");
	abandon_job(core, job, &error);
}

static void end_overdue_jobs(struct core *core, int64_t now_us)
{
	struct heap_node *node;
	struct embed_error error;

	while ((node = heap_first(&core->deadlines)) && node->key <= now_us) {
		error_set(&error, EMBED_DEADLINE,
		    "not finished before the request's deadline; allow more time, or see whether the "
		    "upstream's limits are too low for what waits");
		abandon_job(core, HEAP_ITEM(node, struct engine_job, deadline), &error);
	}
}

/* Batches whose wait is over line up for a slot. */
static void ready_due_batches(struct core *core, int64_t now_us)
{
	struct heap_node *node;

	while ((node = heap_first(&core->due)) && node->key <= now_us) {
		heap_remove(&core->due, node);
		core_ready(core, HEAP_ITEM(node, struct batch, due));
	}
}

void core_tick(struct core *core, int64_t now_us)
{
	end_overdue_jobs(core, now_us);
	ready_due_batches(core, now_us);
}

int64_t core_wake_us(const struct core *core)
{
	const struct heap_node *deadline = heap_first(&core->deadlines);
	const struct heap_node *due = heap_first(&core->due);
	int64_t wake_us = core->send_wake_us;

	if (deadline && deadline->key < wake_us)
		wake_us = deadline->key;
	if (due && due->key < wake_us)
		wake_us = due->key;
	return wake_us;
}

void core_drop_batch(struct core *core, struct batch *batch)
{
	batch_destroy(&core->names, batch);
	core->batches--;
}

void core_fail_batch(struct core *core, struct batch *batch, const struct embed_error *error)
{
	struct flight *flight = batch->texts.first;

	while (flight) {
		struct flight *next = flight->next;

		core_fail_flight(core, flight, error);
		flight = next;
	}
	core_drop_batch(core, batch);
}

static void expire_line(
    struct core *core, struct line *line, const struct embed_error *error, int64_t before_us)
{
	/* The line goes with its last flight, so the next one is looked up first. */
	struct flight *flight = line->first;

	while (flight && flight->queued_us <= before_us) {
		struct flight *next = flight->next;

		queue_remove(&core->queue, flight);
		core_fail_flight(core, flight, error);
		flight = next;
	}
}

/* The first line of the lane whose oldest flight came before, or NULL. */
static struct line *overdue_line(const struct queue_lane *lane, int64_t before_us)
{
	for (size_t i = 0; i < lane->turns.count; i++) {
		struct line *first = HEAP_ITEM(lane->turns.nodes[i], struct key_lane, turn)->lines;
		struct line *line = first;

		do {
			if (line->first->queued_us <= before_us)
				return line;
			line = line->key_next;
		} while (line != first);
	}
	return NULL;
}

void core_expire_queue(struct core *core, const struct embed_error *error, int64_t now_us)
{
	int64_t before_us = now_us - (int64_t)core->options.retry_deadline_ms * 1000;

	for (size_t i = 0; i < LANES; i++) {
		struct line *line;

		while ((line = overdue_line(&core->queue.lanes[i], before_us)))
			expire_line(core, line, error, before_us);
	}
}

void core_close(struct core *core, int64_t now_us)
{
	struct embed_error error;

	core->is_closed = true;
	error_set(&error, EMBED_CLOSED, "the service is closing");
	while (core->jobs)
		abandon_job(core, core->jobs, &error);
	/* What waits to be tried again has nobody left who wants it. */
	while (heap_first(&core->due)) {
		struct batch *batch = HEAP_ITEM(heap_first(&core->due), struct batch, due);

		heap_remove(&core->due, &batch->due);
		core_ready(core, batch);
	}
	while (core_send(core, now_us))
		;
}

struct attempt *core_under_way(const struct core *core)
{
	for (struct attempt *attempt = core->attempts; attempt; attempt = attempt->older)
		if (attempt->is_under_way)
			return attempt;
	return NULL;
}
