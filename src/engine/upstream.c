/* SPDX-License-Identifier: MIT */
#include "engine/upstream.h"

#include <math.h>
#include <string.h>

#define PAUSE_FIRST_US INT64_C(1000000)
/* PROTOCOL.md 7: "15 s if nothing better is known". */
#define PAUSE_MOST_US INT64_C(15000000)

void upstream_init(struct upstream *upstream, size_t index, const struct embed_upstream *settings,
    const struct engine_spent *spent, int64_t now_us)
{
	*upstream = (struct upstream){
	    .settings = *settings,
	    .index = index,
	    .paused_until_us = INT64_MIN,
	    .barred_until_us = INT64_MIN,
	};
	limiter_init(
	    &upstream->requests, settings->requests_per_minute, UPSTREAM_UNKNOWN_REQUESTS, now_us);
	limiter_init(
	    &upstream->permits, settings->tokens_per_minute, UPSTREAM_UNKNOWN_PERMITS, now_us);
	limiter_spend(&upstream->requests, spent->requests);
	limiter_spend(&upstream->permits, spent->permits);
	slots_init(&upstream->slots, settings->max_in_flight);
	breaker_init(&upstream->breaker);
}

bool upstream_takes(const struct upstream *upstream, const struct kind *kind)
{
	return !(kind->is_ids && upstream->settings.no_token_ids);
}

bool upstream_is_barred(const struct upstream *upstream, const struct kind *kind, int64_t now_us)
{
	return now_us < upstream->barred_until_us && kind->authorization[0] == '\0';
}

double upstream_most(const struct upstream *upstream)
{
	return fmin(limiter_burst(&upstream->permits), UPSTREAM_CHARGE_BYTES / 4 + 1);
}

static int64_t later(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

int64_t upstream_wait_us(struct upstream *upstream, double cost, uint32_t reserved, int64_t now_us)
{
	int64_t wait_us = 0;

	if (slots_free(&upstream->slots) <= reserved)
		return INT64_MAX;
	if (now_us < upstream->paused_until_us)
		wait_us = upstream->paused_until_us - now_us;
	wait_us = later(wait_us, breaker_wait_us(&upstream->breaker, now_us));
	wait_us = later(wait_us, limiter_wait_us(&upstream->requests, 1, now_us));
	return later(wait_us, limiter_wait_us(&upstream->permits, cost, now_us));
}

void upstream_pause(struct upstream *upstream, int64_t wait_us, int64_t now_us)
{
	if (wait_us < 0) {
		wait_us = PAUSE_FIRST_US;
		for (uint32_t i = 0; i < upstream->pauses && wait_us < PAUSE_MOST_US; i++)
			wait_us *= 2;
		if (wait_us > PAUSE_MOST_US)
			wait_us = PAUSE_MOST_US;
		upstream->pauses++;
	}
	upstream->paused_until_us = later(upstream->paused_until_us, now_us + wait_us);
}

void upstream_bar(struct upstream *upstream, const struct embed_error *error, int64_t now_us)
{
	upstream->bar = *error;
	upstream->bar.index = EMBED_NO_INDEX;
	upstream->barred_until_us = now_us + UPSTREAM_BAR_US;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void upstream_change(
    struct upstream *upstream, const struct embed_upstream *settings, int64_t now_us)
{
	struct embed_upstream *own = &upstream->settings;

	if (!is_same(own->api_key, settings->api_key))
		upstream->barred_until_us = now_us;
	own->api_key = settings->api_key;
	if (own->requests_per_minute != settings->requests_per_minute)
		limiter_set(&upstream->requests, settings->requests_per_minute, now_us);
	own->requests_per_minute = settings->requests_per_minute;
	if (own->tokens_per_minute != settings->tokens_per_minute)
		limiter_set(&upstream->permits, settings->tokens_per_minute, now_us);
	own->tokens_per_minute = settings->tokens_per_minute;
}
