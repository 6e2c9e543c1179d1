/* SPDX-License-Identifier: MIT */
/* What the core tells of itself. */
#include <math.h>
#include <stdio.h>

#include "engine/core_state.h"

void core_stats(const struct core *core, struct embed_stats *stats)
{
#define ADD(name) stats->name += core->stats.name
	ADD(attempts);
	ADD(attempts_failed);
	ADD(sent_texts);
	ADD(billed_tokens);
	ADD(retries);
	ADD(splits);
	ADD(failovers);
	ADD(rate_limited);
	ADD(timeouts);
	ADD(bad_replies);
	ADD(unsure_tokens);
#undef ADD
	for (size_t i = 0; i < LANES; i++) {
		stats->queued_texts += core->queue.lanes[i].texts;
		stats->queued_tokens += core->queue.lanes[i].tokens;
	}
	stats->flights += core->flights;
	for (size_t i = 0; i < core->options.upstream_count; i++) {
		stats->in_flight += core->upstreams[i].slots.taken;
		stats->slots += slots_count(&core->upstreams[i].slots);
		stats->breakers_open += core->upstreams[i].breaker.state != BREAKER_CLOSED;
	}
}

uint64_t core_epoch(const struct core *core)
{
	return core->epoch;
}

uint64_t core_queued_tokens(const struct core *core)
{
	return core->queue.lanes[EMBED_LANE_INTERACTIVE].tokens +
	       core->queue.lanes[EMBED_LANE_BULK].tokens;
}

size_t core_upstream_count(const struct core *core)
{
	return core->options.upstream_count;
}

/* What a limiter believes, as people are told: 0 is "unknown". */
static double told_limit(const struct limiter *limiter)
{
	return limiter->knowledge == LIMITER_SET || limiter->knowledge == LIMITER_LEARNT
		   ? limiter->limit
		   : 0;
}

static double told_left(struct limiter *limiter, int64_t now_us)
{
	return told_limit(limiter) > 0 ? limiter_available(limiter, now_us) : 0;
}

void core_upstream_state(
    struct core *core, size_t index, struct embed_upstream_state *state, int64_t now_us)
{
	struct upstream *upstream = &core->upstreams[index];

	*state = (struct embed_upstream_state){
	    .name = upstream->settings.name,
	    .base_url = upstream->settings.base_url,
	    .breaker = breaker_name(&upstream->breaker),
	    .in_flight = upstream->slots.taken,
	    .slots = slots_count(&upstream->slots),
	    .requests_per_minute = told_limit(&upstream->requests),
	    .tokens_per_minute = told_limit(&upstream->permits),
	    .requests_left = told_left(&upstream->requests, now_us),
	    .tokens_left = told_left(&upstream->permits, now_us),
	    .attempts = upstream->attempts,
	    .failures = upstream->failures,
	    .rate_limited = upstream->rate_limited,
	    .is_barred = now_us < upstream->barred_until_us,
	};
	if (upstream->last_error_us == 0)
		return;
	snprintf(state->last_error, sizeof(state->last_error), "%.*s",
	    (int)sizeof(state->last_error) - 1, upstream->last_error.message);
	state->last_status = upstream->last_error.status;
	state->last_error_s = (upstream->last_error_us + core->unix_offset_us) / 1000000;
}

struct embed_lane_state core_lane_state(struct core *core, enum embed_lane lane, int64_t now_us)
{
	const struct queue_lane *place = &core->queue.lanes[lane];
	int64_t oldest_us = queue_oldest_us(&core->queue, lane);

	return (struct embed_lane_state){
	    .texts = place->texts,
	    .tokens = place->tokens,
	    .oldest_us = oldest_us == 0 ? 0 : now_us - oldest_us,
	    .wait_us = core_wait_us(core, lane, now_us),
	};
}

int64_t core_wait_us(struct core *core, enum embed_lane lane, int64_t now_us)
{
	double waiting = upstream_cost(core->queue.lanes[lane].charge_bytes);
	double rate = 0;
	int64_t least_us = INT64_MAX;

	if (lane == EMBED_LANE_BULK)
		waiting += (double)(core->queue.lanes[EMBED_LANE_INTERACTIVE].charge_bytes / 4);
	for (size_t i = 0; i < core->options.upstream_count; i++) {
		struct upstream *upstream = &core->upstreams[i];
		int64_t wait_us = upstream_wait_us(upstream, 1, 0, now_us);

		if (wait_us < least_us)
			least_us = wait_us;
		rate += limiter_rate(&upstream->permits);
	}
	if (least_us == 0 && core->queue.lanes[lane].texts == 0)
		return 0;
	/* What really went out lately counts where no limit is known, or less than the limit went. */
	if (core->taken_per_s > 0)
		rate = fmin(rate, core->taken_per_s);
	if (isinf(rate))
		rate = UPSTREAM_UNKNOWN_PERMITS;
	return (least_us == INT64_MAX ? 0 : least_us) + (int64_t)(waiting / rate * 1e6);
}
