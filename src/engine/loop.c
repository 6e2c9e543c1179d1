/* SPDX-License-Identifier: MIT */
#include "engine/loop.h"

#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"

static void on_attempt_done(
    struct attempt *attempt, const struct core_answer *answer, void *context)
{
	struct loop *loop = context;

	core_answer(loop->core, attempt, answer, clock_now_us());
}

static void publish(struct loop *loop, int64_t now_us)
{
	struct loop_snapshot *draft = &loop->draft;

	draft->stats = (struct embed_stats){0};
	core_stats(loop->core, &draft->stats);
	for (size_t i = 0; i < LANES; i++)
		draft->lanes[i] = core_lane_state(loop->core, (enum embed_lane)i, now_us);
	draft->published_us = now_us;
	for (size_t i = 0; i < core_upstream_count(loop->core); i++)
		core_upstream_state(loop->core, i, &draft->upstreams[i], now_us);
	pthread_mutex_lock(&loop->lock);
	loop->snapshot.stats = draft->stats;
	for (size_t i = 0; i < LANES; i++)
		loop->snapshot.lanes[i] = draft->lanes[i];
	loop->snapshot.published_us = draft->published_us;
	for (size_t i = 0; i < core_upstream_count(loop->core); i++)
		loop->snapshot.upstreams[i] = draft->upstreams[i];
	pthread_mutex_unlock(&loop->lock);
}

enum embed_status loop_init(
    struct loop *loop, const struct engine_options *options, const struct engine_hooks *hooks)
{
	int64_t now_us = clock_now_us();
	enum embed_status status;

	*loop = (struct loop){.queue_tokens = options->queue_tokens};
	inbox_init(&loop->inbox);
	atomic_init(&loop->pushed_tokens, 0);
	atomic_init(&loop->queued_tokens, 0);
	atomic_init(&loop->epoch, 1);
	atomic_init(&loop->pushing, 0);
	pthread_mutex_init(&loop->lock, NULL);
	status =
	    core_create(&loop->core, options, hooks, clock_unix_s() * 1000000 - now_us, now_us);
	if (status == EMBED_OK)
		status = transport_create(&loop->transport, options, on_attempt_done, loop);
	if (status != EMBED_OK)
		loop_fini(loop);
	else
		publish(loop, now_us);
	return status;
}

void loop_fini(struct loop *loop)
{
	/* What a push brought may have ended the loop before its pusher was done with waking it. */
	while (atomic_load(&loop->pushing) > 0)
		sched_yield();
	transport_destroy(loop->transport);
	core_destroy(loop->core);
	pthread_mutex_destroy(&loop->lock);
}

void loop_push(struct loop *loop, struct inbox_item *item, enum inbox_kind kind)
{
	atomic_fetch_add(&loop->pushing, 1);
	if (inbox_push(&loop->inbox, item, kind))
		transport_wake(loop->transport);
	atomic_fetch_sub(&loop->pushing, 1);
}

bool loop_admit(struct loop *loop, uint64_t tokens)
{
	uint64_t pushed = atomic_fetch_add(&loop->pushed_tokens, tokens) + tokens;

	if (loop->queue_tokens == 0 ||
	    pushed + atomic_load(&loop->queued_tokens) <= loop->queue_tokens)
		return true;
	atomic_fetch_sub(&loop->pushed_tokens, tokens);
	return false;
}

/* ---- The engine's thread --------------------------------------------- */

static void take_submit(struct loop *loop, struct engine_job *job, int64_t now_us)
{
	uint64_t tokens = job->tokens;

	core_submit(loop->core, job, now_us);
	atomic_fetch_sub(&loop->pushed_tokens, tokens);
}

static void take_cancel(struct loop *loop, struct engine_job *job, int64_t now_us)
{
	core_cancel(loop->core, job, now_us);
	engine_job_unref(job);
}

static void take_change(struct loop *loop, struct loop_change *change, int64_t now_us)
{
	core_change(loop->core, change->upstreams, now_us);
	free(change);
}

static void take_item(struct loop *loop, struct inbox_item *item, int64_t now_us)
{
	struct attempt *attempt;

	switch (item->kind) {
	case INBOX_SUBMIT:
		take_submit(loop, HEAP_ITEM(item, struct engine_job, submit_item), now_us);
		break;
	case INBOX_CANCEL:
		take_cancel(loop, HEAP_ITEM(item, struct engine_job, cancel_item), now_us);
		break;
	case INBOX_RECORDED:
		attempt = HEAP_ITEM(item, struct attempt, recorded_item);
		core_recorded(loop->core, attempt, attempt->recorded_status);
		atomic_store_explicit(&loop->epoch, core_epoch(loop->core), memory_order_release);
		break;
	case INBOX_CHANGE:
		take_change(loop, HEAP_ITEM(item, struct loop_change, item), now_us);
		break;
	case INBOX_CLOSE:
		loop->is_closing = true;
		core_close(loop->core, now_us);
		transport_abort(loop->transport, EMBED_CLOSED);
		break;
	}
}

static void take_inbox(struct loop *loop, int64_t now_us)
{
	struct inbox_item *item = inbox_take(&loop->inbox);

	while (item) {
		struct inbox_item *next = item->next;

		take_item(loop, item, now_us);
		item = next;
	}
}

/* Both clocks run alike, but for a calendar that was set and a machine that slept. */
static void follow_calendar(struct loop *loop, int64_t now_us)
{
	int64_t offset_us = clock_unix_s() * 1000000 - now_us;
	int64_t off_us = offset_us - loop->unix_offset_us;

	if (off_us < 2000000 && off_us > -2000000)
		return;
	loop->unix_offset_us = offset_us;
	core_set_unix_offset(loop->core, offset_us);
}

static void send_all(struct loop *loop, int64_t now_us)
{
	struct attempt *attempt;

	follow_calendar(loop, now_us);
	core_tick(loop->core, now_us);
	while ((attempt = core_send(loop->core, now_us)))
		transport_send(loop->transport, attempt, now_us);
	atomic_store(&loop->queued_tokens, core_queued_tokens(loop->core));
}

void loop_run(struct loop *loop)
{
	for (;;) {
		int64_t now_us = clock_now_us();

		take_inbox(loop, now_us);
		send_all(loop, now_us);
		if (loop->is_closing && core_is_empty(loop->core))
			return;
		/* What ended makes room: look again before sleeping. */
		if (transport_perform(loop->transport, clock_now_us()))
			continue;
		now_us = clock_now_us();
		publish(loop, now_us);
		transport_wait(loop->transport, core_wake_us(loop->core), now_us);
	}
}

/* ---- Readers --------------------------------------------------------- */

void loop_read(struct loop *loop, struct embed_stats *stats)
{
	struct embed_stats now;

	pthread_mutex_lock(&loop->lock);
	now = loop->snapshot.stats;
	pthread_mutex_unlock(&loop->lock);
#define ROW(name, kind, unit, meaning) stats->name += now.name;
	EMBED_STATS_TABLE(ROW)
#undef ROW
}

void loop_read_upstream(struct loop *loop, size_t index, struct embed_upstream_state *state)
{
	pthread_mutex_lock(&loop->lock);
	*state = loop->snapshot.upstreams[index];
	pthread_mutex_unlock(&loop->lock);
}

void loop_read_lane(struct loop *loop, enum embed_lane lane, struct embed_lane_state *state)
{
	int64_t published_us;

	pthread_mutex_lock(&loop->lock);
	*state = loop->snapshot.lanes[lane];
	published_us = loop->snapshot.published_us;
	pthread_mutex_unlock(&loop->lock);
	/* Nothing happens while the engine sleeps but that what waits grows older. */
	if (state->texts > 0)
		state->oldest_us += clock_now_us() - published_us;
}
