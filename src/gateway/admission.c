/* SPDX-License-Identifier: MIT */
/* Whether more work is taken: bounded by what waits, and by how long that takes. */
#include "gateway/state.h"

#include "base/clock.h"

#define LOOK_EVERY_US 20000
#define WAIT_MAX_US   60000000

/* Counters are added up over threads, so they are looked at rarely, by whoever comes first. */
static void look(struct gateway *gateway, int64_t now_us)
{
	struct admission *admission = &gateway->admission;
	struct embed_stats stats = EMBED_STATS_INIT;
	double passed_s;
	double rate;

	embed_stats(gateway->service, &stats);
	passed_s = (double)(now_us - admission->looked_us) * 1e-6;
	rate = (double)(stats.billed_tokens - admission->sent_tokens) / passed_s;
	/* About the last second counts. */
	admission->tokens_per_s += (rate - admission->tokens_per_s) * (passed_s < 1 ? passed_s : 1);
	admission->sent_tokens = stats.billed_tokens;
	admission->queued_tokens = stats.queued_tokens;
	admission->looked_us = now_us;
	for (int lane = EMBED_LANE_INTERACTIVE; lane <= EMBED_LANE_BULK; lane++) {
		struct embed_lane_state state;

		embed_lane_state(gateway->service, (enum embed_lane)lane, &state);
		admission->oldest_us[lane] = state.oldest_us;
	}
}

/* By what goes out; where nothing does, a newcomer waits at least as long as others have. */
static int64_t wait_in(const struct admission *admission, enum embed_lane lane)
{
	double drain_us = admission->tokens_per_s > 1
			      ? (double)admission->queued_tokens / admission->tokens_per_s * 1e6
			      : 0;

	return admission->oldest_us[lane] > (int64_t)drain_us ? admission->oldest_us[lane]
							      : (int64_t)drain_us;
}

int64_t admission_wait_us(struct gateway *gateway, enum embed_lane lane, uint64_t tokens)
{
	const struct gateway_policy *policy = policies_now(&gateway->policies);
	struct admission *admission = &gateway->admission;
	int64_t now_us = clock_now_us();
	int64_t wait_us = 0;
	int64_t expected_us;

	if (pthread_mutex_trylock(&admission->lock) != 0)
		return 0; /* somebody is looking; a few more do no harm */
	if (now_us - admission->looked_us >= LOOK_EVERY_US)
		look(gateway, now_us);
	admission->queued_tokens += tokens; /* until the next look */
	expected_us = wait_in(admission, lane);
	if (admission->queued_tokens - tokens > policy->queue_tokens)
		wait_us = 1000000 + expected_us / 2;
	else if (policy->queue_wait_us && expected_us > policy->queue_wait_us)
		wait_us = 1 + expected_us - policy->queue_wait_us;
	if (wait_us)
		admission->queued_tokens -= tokens;
	if (wait_us > WAIT_MAX_US)
		wait_us = WAIT_MAX_US;
	pthread_mutex_unlock(&admission->lock);
	return wait_us;
}
