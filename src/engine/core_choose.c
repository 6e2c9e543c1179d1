/* SPDX-License-Identifier: MIT */
/* Where something may go. */
#include <math.h>

#include "base/error.h"
#include "engine/core_state.h"

/* Bulk leaves one slot in so many for interactive texts .. */
#define RESERVE_ONE_IN 8
/* .. if there are at least so many .. */
#define RESERVE_FROM 4
/* .. and one was seen within the last minute. */
#define INTERACTIVE_SEEN_US INT64_C(60000000)

/*
 * How long a new batch may wait for permits so as to be larger, when permits
 * are what is short: without it, each few permits would carry a tiny request.
 */
#define BULK_PATIENCE_S        1.0
#define INTERACTIVE_PATIENCE_S 0.05

/* Slots of this upstream that are not this lane's to take. */
uint32_t core_reserved_slots(
    const struct core *core, const struct upstream *upstream, enum embed_lane lane, int64_t now_us)
{
	uint32_t count = slots_count(&upstream->slots);

	if (lane == EMBED_LANE_INTERACTIVE || count < RESERVE_FROM ||
	    now_us - core->interactive_us > INTERACTIVE_SEEN_US)
		return 0;
	return count / RESERVE_ONE_IN > 1 ? count / RESERVE_ONE_IN : 1;
}

/* Whether the upstream's settings and limits allow so much in one request. */
bool core_may_hold(const struct upstream *upstream, const struct queue_taken *texts)
{
	const struct embed_upstream *settings = &upstream->settings;

	return texts->texts <= settings->batch_texts && texts->tokens <= settings->batch_tokens &&
	       texts->json_bytes + UPSTREAM_BODY_ROOM <= settings->batch_bytes &&
	       upstream_cost(texts->charge_bytes) <= upstream_most(upstream);
}

/* What is left to say when no upstream is of use. */
static void explain(const struct core *core, const struct kind *kind,
    const struct queue_taken *texts, struct choice *choice, int64_t now_us)
{
	choice->is_hopeless = true;
	for (size_t i = 0; i < core->options.upstream_count; i++) {
		if (upstream_is_barred(&core->upstreams[i], kind, now_us)) {
			choice->error = core->upstreams[i].bar;
			return;
		}
	}
	for (size_t i = 0; i < core->options.upstream_count; i++) {
		if (!upstream_takes(&core->upstreams[i], kind))
			continue;
		error_set(&choice->error, EMBED_TOO_LARGE,
		    "the text (%llu tokens, about %.0f by the provider's count, %llu bytes) is more "
		    "than one request to %s may hold (%.0f by the provider's count): shorten it, or "
		    "raise the account's limit",
		    (unsigned long long)texts->tokens, upstream_cost(texts->charge_bytes),
		    (unsigned long long)texts->json_bytes, core->upstreams[i].settings.name,
		    upstream_most(&core->upstreams[i]));
		return;
	}
	error_set(&choice->error, EMBED_REFUSED,
	    "no upstream takes token ids: send the text itself, or clear no_token_ids of one that "
	    "does");
}

/* May this upstream be thought of for these texts, now or later? */
static bool is_candidate(const struct upstream *upstream, const struct kind *kind,
    const struct queue_taken *texts, int64_t now_us)
{
	if (!upstream_takes(upstream, kind) || upstream_is_barred(upstream, kind, now_us))
		return false;
	/* What is more than one text can be cut until it fits. */
	return texts->texts > 1 || core_may_hold(upstream, texts);
}

static void consider(struct choice *choice, struct upstream *upstream, int64_t wait_us)
{
	if (wait_us > 0) {
		if (!choice->upstream && wait_us < choice->wait_us)
			choice->wait_us = wait_us;
	} else if (!choice->upstream || upstream->sent_by_share < choice->upstream->sent_by_share) {
		choice->upstream = upstream;
		choice->wait_us = 0;
	}
}

/* What should be payable before a new batch is made. */
static double wanted_cost(
    const struct core *core, const struct upstream *upstream, const struct want *want)
{
	const struct queue_lane *lane = &core->queue.lanes[want->lane];
	double patience_s =
	    want->lane == EMBED_LANE_BULK ? BULK_PATIENCE_S : INTERACTIVE_PATIENCE_S;
	double head = upstream_cost(want->texts->charge_bytes);
	double cost = upstream_cost(lane->charge_bytes);

	if (!want->is_new)
		return fmin(head, upstream_most(upstream));
	/* A full batch is about so much of what waits. */
	if (lane->texts > upstream->settings.batch_texts)
		cost *= (double)upstream->settings.batch_texts / (double)lane->texts;
	cost = fmin(cost, limiter_rate(&upstream->permits) * patience_s);
	return fmin(fmax(cost, head), fmax(head, upstream_most(upstream)));
}

static void choose_among(struct core *core, const struct want *want, uint64_t without,
    struct choice *choice, int64_t now_us)
{
	for (size_t i = 0; i < core->options.upstream_count; i++) {
		struct upstream *upstream = &core->upstreams[i];
		int64_t wait_us;

		if (without >> i & 1 || !is_candidate(upstream, want->kind, want->texts, now_us))
			continue;
		choice->is_hopeless = false;
		wait_us = upstream_wait_us(upstream, wanted_cost(core, upstream, want),
		    core_reserved_slots(core, upstream, want->lane, now_us), now_us);
		consider(choice, upstream, wait_us);
	}
}

void core_choose(struct core *core, const struct want *want, struct choice *choice, int64_t now_us)
{
	choice->upstream = NULL;
	choice->wait_us = INT64_MAX;
	choice->is_hopeless = true;
	choose_among(core, want, want->tried, choice, now_us);
	if (choice->is_hopeless && want->tried != 0)
		choose_among(core, want, 0, choice, now_us);
	if (choice->is_hopeless)
		explain(core, want->kind, want->texts, choice, now_us);
}

bool core_can_fail_over(struct core *core, const struct batch *batch, int64_t now_us)
{
	for (size_t i = 0; i < core->options.upstream_count; i++) {
		const struct upstream *upstream = &core->upstreams[i];

		if (batch->tried >> i & 1 ||
		    !is_candidate(upstream, batch->kind, &batch->texts, now_us))
			continue;
		if (now_us >= upstream->paused_until_us &&
		    breaker_wait_us(&upstream->breaker, now_us) == 0)
			return true;
	}
	return false;
}
