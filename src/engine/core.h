/* SPDX-License-Identifier: MIT */
/*
 * Core: the engine as a pure state machine.
 *
 * No clock, sockets, threads or globals: `now_us` and a seed come in, and the
 * same calls in the same order have the same outcome.  The shell (loop.h)
 * drives it, and so does the simulation (tests/simulation):
 *
 *	core_submit, core_cancel      what callers want
 *	core_send                     what to send now, attempt by attempt, until NULL
 *	core_answer                   how an attempt ended
 *	core_recorded                 the attempt's record is done with
 *	core_tick, core_wake_us       time passes
 *
 * After any of these the shell calls core_tick and then core_send until it
 * gives NULL; it need not come back before core_wake_us unless something else
 * happens.  So texts that arrive together are gathered, and nothing waits while
 * a slot is free.
 *
 * Callbacks of jobs and the record hook are called from inside; they must not
 * call the core.
 *
 * No failed allocation loses a job: the texts it hits end with EMBED_NO_MEMORY.
 *
 * Threads: none; one owner.
 */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include "engine/batch.h"
#include "engine/engine.h"
#include "engine/job.h"

struct core;

/* What the shell found out about an attempt. */
struct core_answer {
	const struct wire_fault *fault;     /* DONE: attempt_vector was called for each text */
	const struct wire_headers *headers; /* NULL: none came */
	bool has_usage;
	uint64_t prompt_tokens;
	bool is_timeout;
	bool is_stale; /* a kept connection was dead: nothing was read, a new one may do */
};

/* `options` with its strings must outlive the core.  unix_offset_us: now_us plus it is Unix time. */
enum embed_status core_create(struct core **out, const struct engine_options *options,
    const struct engine_hooks *hooks, int64_t unix_offset_us, int64_t now_us);

/* The calendar was set, or the machine slept: records say the right time from now on. */
void core_set_unix_offset(struct core *core, int64_t unix_offset_us);

/* Nothing is under way and every record is back.  NULL is fine. */
void core_destroy(struct core *core);

/* Takes the caller's reference over.  A job with a probe_index is sent past queues and limits, once. */
void core_submit(struct core *core, struct engine_job *job, int64_t now_us);

/* Finished jobs are left alone.  The caller keeps its reference. */
void core_cancel(struct core *core, struct engine_job *job, int64_t now_us);

/* See engine_change. */
void core_change(struct core *core, const struct embed_upstream *upstreams, int64_t now_us);

/* Deadlines and waits that are over. */
void core_tick(struct core *core, int64_t now_us);

/* The next attempt to send, or NULL; it is under way until core_answer. */
struct attempt *core_send(struct core *core, int64_t now_us);

void core_answer(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us);

void core_recorded(struct core *core, struct attempt *attempt, enum embed_status status);

/* When to come back; INT64_MAX: only when something happens. */
int64_t core_wake_us(const struct core *core);

/*
 * Every job's unanswered texts end with EMBED_CLOSED, and so will those of
 * jobs that come later.  The shell then ends what is under way (core_answer).
 */
void core_close(struct core *core, int64_t now_us);

/* An attempt that is under way, or NULL. */
struct attempt *core_under_way(const struct core *core);

/* True: no job, flight, batch or record is left. */
bool core_is_empty(const struct core *core);

/* ---- Looking at it --------------------------------------------------- */

/* See engine_epoch. */
uint64_t core_epoch(const struct core *core);

/* Tokens of the texts that wait to be sent for the first time. */
uint64_t core_queued_tokens(const struct core *core);

/* Adds counters, sets levels. */
void core_stats(const struct core *core, struct embed_stats *stats);
size_t core_upstream_count(const struct core *core);
void core_upstream_state(
    struct core *core, size_t index, struct embed_upstream_state *state, int64_t now_us);
/* Goes through all lines of the lane's queue. */
struct embed_lane_state core_lane_state(struct core *core, enum embed_lane lane, int64_t now_us);
int64_t core_wait_us(struct core *core, enum embed_lane lane, int64_t now_us);

#endif
