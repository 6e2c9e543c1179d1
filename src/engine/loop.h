/* SPDX-License-Identifier: MIT */
/*
 * Loop: the thread that drives core and transport, and the door to it.
 *
 * Each turn: take what came into the inbox, let the core decide, send, read
 * and write, sleep until libcurl, the core's own wake time or the inbox calls.
 * Before sleeping it publishes a snapshot of its counters, so that readers
 * never wait for it.
 *
 * Locks: `lock` guards the snapshot alone and is held for a copy.
 *
 * Threads: loop_run on the engine's; loop_push, loop_admit and the readers on
 * any.
 */
#ifndef ENGINE_LOOP_H
#define ENGINE_LOOP_H

#include <pthread.h>

#include "engine/core.h"
#include "engine/inbox.h"
#include "engine/transport.h"

struct loop_snapshot {
	struct embed_stats stats;
	struct embed_lane_state lanes[LANES];
	int64_t published_us; /* when; ages have grown since */
	struct embed_upstream_state upstreams[ENGINE_UPSTREAMS_MAX];
};

/* Freed by the engine's thread. */
struct loop_change {
	struct inbox_item item;
	const struct embed_upstream *upstreams;
};

struct loop {
	struct inbox inbox;
	struct core *core;
	struct transport *transport;
	struct inbox_item close_item;
	bool is_closing;                /* the engine's thread, as what follows */
	int64_t unix_offset_us;         /* as the core knows it */
	_Atomic uint64_t pushed_tokens; /* of jobs in the inbox */
	_Atomic uint64_t epoch;         /* the core's */
	_Atomic uint32_t pushing;       /* threads within loop_push */
	_Atomic uint64_t queued_tokens; /* of texts in the queue, at the last turn */
	uint64_t queue_tokens;          /* the cap; 0: none */
	pthread_mutex_t lock;
	struct loop_snapshot snapshot; /* guarded by `lock` */
	struct loop_snapshot draft;    /* the engine's thread */
};

/* `options` and its strings must outlive the loop. */
enum embed_status loop_init(
    struct loop *loop, const struct engine_options *options, const struct engine_hooks *hooks);

/* After loop_run, or without it. */
void loop_fini(struct loop *loop);

/* Returns after an INBOX_CLOSE item, when all is ended and recorded. */
void loop_run(struct loop *loop);

void loop_push(struct loop *loop, struct inbox_item *item, enum inbox_kind kind);

/* Counts the tokens in and gives true, unless the queue's cap is reached. */
bool loop_admit(struct loop *loop, uint64_t tokens);

void loop_read(struct loop *loop, struct embed_stats *stats);
void loop_read_upstream(struct loop *loop, size_t index, struct embed_upstream_state *state);
void loop_read_lane(struct loop *loop, enum embed_lane lane, struct embed_lane_state *state);

#endif
