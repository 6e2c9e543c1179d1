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
	static const struct engine_spent nothing;
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
	spares_init(&core->spares);
	core->upstreams = calloc(options->upstream_count, sizeof(*core->upstreams));
	if (hooks->find)
		core->found = malloc(WIRE_MAX_DIMENSIONS * sizeof(*core->found));
	if (!core->upstreams || (hooks->find && !core->found) ||
	    table_init(&core->table) != EMBED_OK) {
		core_destroy(core);
		return EMBED_NO_MEMORY;
	}
	for (size_t i = 0; i < options->upstream_count; i++)
		upstream_init(&core->upstreams[i], i, &options->upstreams[i],
		    options->spent == NULL ? &nothing : &options->spent[i], now_us);
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
	spares_fini(&core->spares);
	free(core->upstreams);
	free(core->found);
	free(core);
}

bool core_is_empty(const struct core *core)
{
	return !core->jobs && !core->attempts && core->flights == 0 && core->batches == 0;
}

/* ---- Texts out ------------------------------------------------------- */

/* Leaves the flight, which goes on for others, and ends if it was only queued for this one. */
static void leave(struct core *core, struct waiter *waiter)
{
	struct flight *flight = waiter->flight;

	core_leave_flight(flight, waiter);
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
	core_hold_job(job);
	for (size_t i = 0; i < job->count; i++) {
		struct waiter *waiter = &job->entries[i].waiter;

		if (!waiter->flight)
			continue;
		leave(core, waiter);
		core_fail_waiter(core, waiter, error);
	}
	core_unhold_job(core, job);
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

void core_expire_queue(struct core *core, const struct embed_error *error, int64_t before_us)
{
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

void core_change(struct core *core, const struct embed_upstream *upstreams, int64_t now_us)
{
	for (size_t i = 0; i < core->options.upstream_count; i++)
		upstream_change(&core->upstreams[i], &upstreams[i], now_us);
}
