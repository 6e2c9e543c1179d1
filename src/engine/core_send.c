/* SPDX-License-Identifier: MIT */
/*
 * What goes when and where.
 *
 * Interactive goes before bulk, but after INTERACTIVE_RUN attempts in a row
 * bulk has a turn, so that neither starves.  While interactive texts have been
 * seen lately bulk leaves some slots free for them.  Within a lane, what was
 * tried already goes before what is new.
 */
#include "engine/core_state.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define INTERACTIVE_RUN 8
/* A batch is not made smaller than this only to fill more slots. */
#define SPREAD_LEAST 256

/* Bulk's turn is worth holding interactive texts back this long. */
#define TURN_US INT64_C(2000000)

/* What goes out is measured over such spans. */
#define RATE_SPAN_US INT64_C(1000000)

/* `sent_by_share` counts 1/SHARE_SCALE permits, so that large shares do not round to nothing. */
#define SHARE_SCALE 256
#define CATCH_UP    INT64_C(600000)

void core_ready(struct core *core, struct batch *batch)
{
	struct ready *ready = &core->ready[batch->lane];

	batch->next = NULL;
	if (ready->last)
		ready->last->next = batch;
	else
		ready->first = batch;
	ready->last = batch;
}

static struct batch *unready_first(struct ready *ready)
{
	struct batch *batch = ready->first;

	ready->first = batch->next;
	if (!ready->first)
		ready->last = NULL;
	batch->next = NULL;
	return batch;
}

/* ---- Sending --------------------------------------------------------- */

/* Shares are kept by what was sent; who could not be sent to catches up at most CATCH_UP permits. */
static void count_share(struct core *core, struct upstream *upstream, double cost)
{
	int64_t least;

	upstream->sent_by_share += 1 + (int64_t)(cost * SHARE_SCALE / upstream->settings.share);
	least = upstream->sent_by_share - CATCH_UP * SHARE_SCALE;
	for (size_t i = 0; i < core->options.upstream_count; i++)
		if (core->upstreams[i].sent_by_share < least)
			core->upstreams[i].sent_by_share = least;
}

/*
 * Permits a second that went out lately, for the wait that newcomers are told.
 * Only while more is waiting: what an idle engine sends says nothing about what it could.
 */
static void count_rate(struct core *core, double cost, int64_t now_us)
{
	int64_t passed_us = now_us - core->taken_since_us;

	if (core->queue.lanes[EMBED_LANE_INTERACTIVE].texts +
		core->queue.lanes[EMBED_LANE_BULK].texts ==
	    0) {
		core->taken_permits = 0;
		core->taken_since_us = now_us;
		return;
	}
	core->taken_permits += cost;
	if (passed_us < RATE_SPAN_US)
		return;
	cost = core->taken_permits * 1e6 / (double)passed_us;
	core->taken_per_s = core->taken_per_s > 0 ? (core->taken_per_s + cost) / 2 : cost;
	core->taken_permits = 0;
	core->taken_since_us = now_us;
}

static uint32_t bytes_of_vector(const struct kind *kind)
{
	uint32_t dimensions = kind->dimensions ? kind->dimensions : kind->model_dimensions;

	return 4 * (dimensions ? dimensions : 1536);
}

static void link_attempt(struct core *core, struct attempt *attempt)
{
	attempt->older = core->attempts;
	if (core->attempts)
		core->attempts->newer = attempt;
	core->attempts = attempt;
}

static void count_first(struct core *core, struct batch *batch, int64_t now_us)
{
	if (batch->attempts == 0)
		retry_budget_earn(&core->budget);
	if (core->first_sent_us == 0)
		core->first_sent_us = now_us;
	/* A part of a refused batch begins anew: the refusal was an answer, no fault. */
	if (batch->faults > 0)
		return;
	batch->first_sent_us = now_us;
	batch->give_up_us = now_us + (int64_t)core->options.retry_deadline_ms * 1000;
}

/* The batch goes to the upstream; NULL (and it failed) when memory runs out. */
static struct attempt *dispatch(
    struct core *core, struct batch *batch, struct upstream *upstream, int64_t now_us)
{
	double cost = upstream_cost(batch->texts.charge_bytes);
	struct attempt *attempt = attempt_create(
	    batch, upstream, &core->spares, ++core->mark, core->unix_offset_us + now_us);
	struct embed_error error;

	if (!attempt) {
		error_set(&error, EMBED_NO_MEMORY, "no memory to send the text");
		core_fail_batch(core, batch, &error);
		return NULL;
	}
	count_first(core, batch, now_us);
	attempt->sent_us = now_us;
	attempt->is_under_way = true;
	if (core->options.has_spans && attempt->record.trace_parent)
		attempt->record.span_id = random_next(&core->random) | 1;
	attempt->request_charge = limiter_take(&upstream->requests, 1, now_us);
	attempt->permit_charge = limiter_take(&upstream->permits, cost, now_us);
	attempt->is_trial = breaker_pass(&upstream->breaker, now_us);
	attempt->took_last_slot = slots_take(&upstream->slots);
	attempt->numbers_bytes = (size_t)bytes_of_vector(batch->kind) * batch->texts.texts;
	core->vector_bytes += attempt->numbers_bytes;
	link_attempt(core, attempt);
	count_share(core, upstream, cost);
	count_rate(core, cost, now_us);
	batch->attempts++;
	batch->is_cut = false;
	upstream->attempts++;
	core->stats.attempts++;
	return attempt;
}

static void wake_in(struct core *core, int64_t wait_us, int64_t now_us)
{
	if (wait_us != INT64_MAX && now_us + wait_us < core->send_wake_us)
		core->send_wake_us = now_us + wait_us;
}

/* ---- What was tried before ------------------------------------------- */

/* Flights that nobody waits for are not sent again; the others belong to who waits. */
static void prune(struct core *core, struct batch *batch)
{
	struct flight **link = &batch->texts.first;

	while (*link) {
		struct flight *flight = *link;

		if (!flight->waiters) {
			*link = flight->next;
			core_end_flight(core, flight);
			continue;
		}
		if (!flight->owner)
			core_rehome(core, flight);
		link = &flight->next;
	}
	batch_sum(batch);
}

/* Cuts the batch, which is more than the upstream may get at once. */
static bool cut(struct core *core, struct batch *batch)
{
	struct batch *second = batch_cut(batch, batch->texts.texts / 2);

	if (!second)
		return false;
	core->batches++;
	core->stats.splits++;
	core_ready(core, batch);
	core_ready(core, second);
	return true;
}

/* What becomes of the first batch in line. */
enum turn {
	TURN_SENT,    /* *attempt is it */
	TURN_GONE,    /* failed, cut or empty: look again */
	TURN_BLOCKED, /* *wait_us says how long */
	TURN_EMPTY,
};

static enum turn fail_first(struct core *core, struct ready *ready, const struct embed_error *error)
{
	core_fail_batch(core, unready_first(ready), error);
	return TURN_GONE;
}

static enum turn place_first(struct core *core, struct ready *ready, struct attempt **attempt,
    int64_t *wait_us, int64_t now_us)
{
	struct batch *batch = ready->first;
	struct want want = {.kind = batch->kind,
	    .texts = &batch->texts,
	    .lane = batch->lane,
	    .tried = batch->tried};
	struct choice choice;

	core_choose(core, &want, &choice, now_us);
	if (choice.is_hopeless)
		return fail_first(core, ready, &choice.error);
	if (!choice.upstream) {
		*wait_us = choice.wait_us;
		return TURN_BLOCKED;
	}
	unready_first(ready);
	if (!core_may_hold(choice.upstream, &batch->texts) && batch->texts.texts > 1) {
		if (!cut(core, batch)) {
			error_set(&choice.error, EMBED_NO_MEMORY, "no memory to cut a batch");
			core_fail_batch(core, batch, &choice.error);
		}
		return TURN_GONE;
	}
	if (batch->tried != 0)
		core->stats.failovers++;
	else if (batch->attempts > 0 && !batch->is_cut)
		core->stats.retries++;
	*attempt = dispatch(core, batch, choice.upstream, now_us);
	return *attempt ? TURN_SENT : TURN_GONE;
}

static enum turn send_ready(struct core *core, enum embed_lane lane, struct attempt **attempt,
    int64_t *wait_us, int64_t now_us)
{
	struct ready *ready = &core->ready[lane];
	struct batch *batch = ready->first;

	if (!batch)
		return TURN_EMPTY;
	prune(core, batch);
	if (!batch->texts.first) {
		core_drop_batch(core, unready_first(ready));
		return TURN_GONE;
	}
	if (batch->is_probe) {
		unready_first(ready);
		*attempt = dispatch(core, batch, &core->upstreams[batch->probe_index], now_us);
		return *attempt ? TURN_SENT : TURN_GONE;
	}
	if (batch->faults > 0 && now_us >= batch->give_up_us) {
		core_give_up(core, unready_first(ready), &batch->error, now_us);
		return TURN_GONE;
	}
	if (batch->faults > 0)
		wake_in(core, batch->give_up_us - now_us, now_us);
	return place_first(core, ready, attempt, wait_us, now_us);
}

/* ---- What is new ----------------------------------------------------- */

static struct queue_taken only(const struct flight *flight)
{
	return (struct queue_taken){
	    .texts = 1,
	    .tokens = flight->tokens,
	    .charge_bytes = flight->charge_bytes,
	    .json_bytes = flight->json_len + 1,
	};
}

/* Texts whose vectors there is room for; 0: wait until some are stored. */
static size_t vector_room(const struct core *core, const struct flight *head, enum embed_lane lane)
{
	size_t most = core->options.vector_bytes;
	size_t each = bytes_of_vector(head->kind);
	size_t room;

	if (lane == EMBED_LANE_INTERACTIVE)
		most *= 2;
	if (core->vector_bytes == 0)
		room = most;
	else
		room = core->vector_bytes < most ? most - core->vector_bytes : 0;
	/* In quarters, so that several batches are always under way. */
	if (room > core->options.vector_bytes / 4)
		room = core->options.vector_bytes / 4;
	else if (room < core->options.vector_bytes / 8 && core->vector_bytes > 0)
		return 0;
	return room > each ? room / each : 1;
}

/*
 * What waits is spread over the free slots, so that it comes back sooner; but
 * not so thin that requests cost more than texts, and not where requests are scarce.
 */
static size_t spread(
    const struct queue_lane *lane, struct upstream *upstream, uint32_t reserved, int64_t now_us)
{
	uint32_t room = slots_free(&upstream->slots) - reserved;
	size_t each = lane->texts / room + 1;

	if (limiter_available(&upstream->requests, now_us) < 4 * (double)room)
		return SIZE_MAX;
	return each > SPREAD_LEAST ? each : SPREAD_LEAST;
}

static struct queue_caps caps_of(struct upstream *upstream, size_t texts, int64_t now_us)
{
	const struct embed_upstream *settings = &upstream->settings;
	double available =
	    fmin(limiter_available(&upstream->permits, now_us), upstream_most(upstream));

	return (struct queue_caps){
	    .texts = texts < settings->batch_texts ? texts : settings->batch_texts,
	    .tokens = settings->batch_tokens,
	    /* The inverse of upstream_cost. */
	    .charge_bytes = available >= 1 ? ((uint64_t)available - 1) * 4 + 3 : 0,
	    .json_bytes = settings->batch_bytes - UPSTREAM_BODY_ROOM,
	};
}

/* Where the time of the batch's first text went so far. */
static void note_waits(const struct core *core, struct batch *batch, int64_t now_us)
{
	const struct flight *first = batch->texts.first;
	uint32_t paced_ms = queue_paced_ms(&core->queue, batch->lane, now_us) - first->paced_ms;
	int64_t waited_us = now_us - first->queued_us;

	batch->pacing_us = (int64_t)paced_ms * 1000;
	if (batch->pacing_us > waited_us)
		batch->pacing_us = waited_us;
	batch->queue_us = waited_us - batch->pacing_us;
}

static enum turn send_from_queue(struct core *core, enum embed_lane lane, struct upstream *upstream,
    size_t room, struct attempt **attempt, int64_t now_us)
{
	size_t share = spread(&core->queue.lanes[lane], upstream,
	    core_reserved_slots(core, upstream, lane, now_us), now_us);
	struct queue_caps caps = caps_of(upstream, room < share ? room : share, now_us);
	struct queue_taken taken = queue_take(&core->queue, lane, &caps);
	struct batch *batch = batch_create(&taken, lane);
	struct embed_error error;

	if (batch) {
		core->batches++;
		note_waits(core, batch, now_us);
		*attempt = dispatch(core, batch, upstream, now_us);
		return *attempt ? TURN_SENT : TURN_GONE;
	}
	error_set(&error, EMBED_NO_MEMORY, "no memory to send the text");
	while (taken.first) {
		struct flight *next = taken.first->next;

		core_fail_flight(core, taken.first, &error);
		taken.first = next;
	}
	return TURN_GONE;
}

static enum turn send_new(struct core *core, enum embed_lane lane, struct attempt **attempt,
    int64_t *wait_us, int64_t now_us)
{
	struct flight *head = queue_peek(&core->queue, lane);
	struct queue_taken texts;
	struct want want;
	struct choice choice;
	size_t room;

	if (!head)
		return TURN_EMPTY;
	texts = only(head);
	want = (struct want){.kind = head->kind, .texts = &texts, .lane = lane, .is_new = true};
	core_choose(core, &want, &choice, now_us);
	if (choice.is_hopeless) {
		queue_remove(&core->queue, head);
		core_fail_flight(core, head, &choice.error);
		return TURN_GONE;
	}
	*wait_us = choice.wait_us;
	if (!choice.upstream)
		return TURN_BLOCKED;
	room = vector_room(core, head, lane);
	if (room == 0) {
		*wait_us = INT64_MAX;
		return TURN_BLOCKED;
	}
	return send_from_queue(core, lane, choice.upstream, room, attempt, now_us);
}

/* ---- Turns ----------------------------------------------------------- */

static enum turn send_lane(struct core *core, enum embed_lane lane, struct attempt **attempt,
    int64_t *wait_us, int64_t now_us)
{
	enum turn turn;

	*wait_us = INT64_MAX;
	do {
		turn = send_ready(core, lane, attempt, wait_us, now_us);
		if (turn == TURN_EMPTY)
			turn = send_new(core, lane, attempt, wait_us, now_us);
	} while (turn == TURN_GONE);
	if (turn == TURN_BLOCKED)
		wake_in(core, *wait_us, now_us);
	/* A wait with an end is a limit's; one without is for a slot. */
	queue_note_pace(&core->queue, lane, turn == TURN_BLOCKED && *wait_us != INT64_MAX, now_us);
	return turn;
}

static bool has_bulk(const struct core *core)
{
	return core->ready[EMBED_LANE_BULK].first || core->queue.lanes[EMBED_LANE_BULK].texts > 0;
}

struct attempt *core_send(struct core *core, int64_t now_us)
{
	struct attempt *attempt = NULL;
	int64_t wait_us;
	bool is_bulks_turn = core->interactive_run >= INTERACTIVE_RUN && has_bulk(core);

	core->send_wake_us = INT64_MAX;
	if (is_bulks_turn) {
		enum turn turn = send_lane(core, EMBED_LANE_BULK, &attempt, &wait_us, now_us);

		if (turn == TURN_SENT)
			core->interactive_run = 0;
		if (turn == TURN_SENT || (turn == TURN_BLOCKED && wait_us <= TURN_US))
			return attempt;
	}
	if (send_lane(core, EMBED_LANE_INTERACTIVE, &attempt, &wait_us, now_us) == TURN_SENT) {
		core->interactive_run = has_bulk(core) ? core->interactive_run + 1 : 0;
		return attempt;
	}
	if (!is_bulks_turn &&
	    send_lane(core, EMBED_LANE_BULK, &attempt, &wait_us, now_us) == TURN_SENT)
		core->interactive_run = 0;
	return attempt;
}
