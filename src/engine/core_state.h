/* SPDX-License-Identifier: MIT */
/*
 * Core state: what the parts of the core share.  Nobody else includes this.
 *	core_submit.c   texts in
 *	core_flight.c   jobs, flights and those who wait for them
 *	core_choose.c   where something may go
 *	core_send.c     what goes when, in which company
 *	core_answer.c   an answer, from its arrival until its record is written
 *	core_note.c     what it means for the upstream
 *	core_land.c     what a good one means for the texts
 *	core_retry.c    what a failed one means for its batch
 *	core_look.c     what it tells of itself
 *	core.c          the rest: opening, time, cancelling, closing
 */
#ifndef ENGINE_CORE_STATE_H
#define ENGINE_CORE_STATE_H

#include "engine/core.h"
#include "engine/retry.h"
#include "engine/table.h"

/* Batches that wait for a slot, first come first served. */
struct ready {
	struct batch *first, *last;
};

struct core {
	struct engine_options options;
	struct engine_hooks hooks;
	int64_t unix_offset_us;
	struct names names;
	struct table table;
	struct queue queue;
	struct heap deadlines; /* engine_job.deadline */
	struct heap due;       /* batch.due: batches that wait for a time */
	struct spares spares;  /* for the vectors of attempts */
	struct ready ready[LANES];
	struct upstream *upstreams;
	struct engine_job *jobs;  /* the newest */
	struct attempt *attempts; /* the newest, recorded or not */
	size_t flights;           /* with those of probes */
	size_t batches;
	size_t vector_bytes; /* about, of attempts that are not destroyed */
	uint64_t mark;       /* of the newest attempt */
	struct retry_budget budget;
	struct random random;
	int64_t interactive_us;   /* when a text last came into that lane */
	uint32_t interactive_run; /* attempts of that lane since the last bulk one */
	int64_t send_wake_us;     /* when core_send may find something again */
	int64_t last_success_us;
	int64_t first_sent_us; /* the first attempt of all; 0: none yet */
	bool was_reached;   /* some upstream answered, or at least did not refuse to be reached */
	double taken_per_s; /* permits sent, smoothed: for core_wait_us */
	double taken_permits;
	int64_t taken_since_us;
	struct embed_stats stats;
	uint64_t epoch; /* of flights that ended as they should; from 1 */
	float *found;   /* room for what the find hook finds; NULL: there is no hook */
	bool is_closed;
};

/* ---- core_flight.c --------------------------------------------------- */

void core_link_job(struct core *core, struct engine_job *job);

/* Keeps the job's memory while its texts are gone through. */
void core_hold_job(struct engine_job *job);
void core_unhold_job(struct core *core, struct engine_job *job);

/* Answers one waiter; its job may be over then. */
void core_answer_waiter(
    struct core *core, struct waiter *waiter, const struct engine_outcome *outcome);
void core_fail_waiter(struct core *core, struct waiter *waiter, const struct embed_error *error);

/* The waiter is added to those of the flight, or taken from them. */
void core_join_flight(struct flight *flight, struct waiter *waiter);
void core_leave_flight(struct flight *flight, struct waiter *waiter);

/* The flight, which is in no line, waits as one of `key`'s; it fails when memory runs out. */
void core_enqueue(
    struct core *core, struct flight *flight, struct queue_key *key, enum embed_lane lane);

/* Answers all who wait for the flight with `error` and ends it. */
void core_fail_flight(struct core *core, struct flight *flight, const struct embed_error *error);
void core_fail_no_memory(struct core *core, struct flight *flight);

/* The flight, which nobody waits for, is no more. */
void core_end_flight(struct core *core, struct flight *flight);

/* The flight, which has lost its owner, goes over to somebody who waits for it. */
void core_rehome(struct core *core, struct flight *flight);

/* ---- core.c ---------------------------------------------------------- */

/* Fails all flights of the batch and destroys it. */
void core_fail_batch(struct core *core, struct batch *batch, const struct embed_error *error);

void core_drop_batch(struct core *core, struct batch *batch);

/* Fails what was queued before. */
void core_expire_queue(struct core *core, const struct embed_error *error, int64_t before_us);

/* ---- core_choose.c --------------------------------------------------- */

struct want {
	const struct kind *kind;
	const struct queue_taken *texts; /* at least these */
	enum embed_lane lane;
	uint64_t tried; /* upstreams to leave out, if there are others */
	bool is_new;    /* from the queue: more of it would be better */
};

struct choice {
	struct upstream *upstream; /* NULL: nowhere now */
	int64_t wait_us;           /* then: how long; INT64_MAX: until an attempt has ended */
	bool is_hopeless;          /* nowhere, ever: `error` says why */
	struct embed_error error;
};

void core_choose(struct core *core, const struct want *want, struct choice *choice, int64_t now_us);

/* Slots of this upstream that are not this lane's to take. */
uint32_t core_reserved_slots(
    const struct core *core, const struct upstream *upstream, enum embed_lane lane, int64_t now_us);

/* Whether the upstream's settings and limits allow so much in one request. */
bool core_may_hold(const struct upstream *upstream, const struct queue_taken *texts);

/* Another upstream than those that failed the batch, which could be tried at once. */
bool core_can_fail_over(struct core *core, const struct batch *batch, int64_t now_us);

/* ---- core_send.c ----------------------------------------------------- */

void core_ready(struct core *core, struct batch *batch);

/* ---- core_note.c ----------------------------------------------------- */

/* The attempt's charges end, and the limiters learn what the answer says of the limits. */
void core_note_charges(struct attempt *attempt, const struct core_answer *answer, int64_t now_us);

void core_note_good(struct core *core, struct attempt *attempt, int64_t now_us);
void core_note_failure(struct core *core, struct attempt *attempt, const struct batch *batch,
    const struct core_answer *answer, int64_t now_us);

/* ---- core_land.c ----------------------------------------------------- */

/* Each flight of the batch gets its vector, the attempt's record what is to be stored. */
void core_land(struct attempt *attempt);

/* Answers all who wait for the batch's flights, which have landed. */
void core_answer_landed(struct core *core, struct attempt *attempt);

/* ---- core_retry.c ---------------------------------------------------- */

/* The batch, which is in no line, goes on as its last answer demands, or fails. */
void core_go_on(
    struct core *core, struct batch *batch, const struct core_answer *answer, int64_t now_us);

/* Attempts or time are used up: the batch, which is in no line, fails with `error` and says so. */
void core_give_up(
    struct core *core, struct batch *batch, const struct embed_error *error, int64_t now_us);

#endif
