/* SPDX-License-Identifier: MIT */
/* What an answer means for the upstream: its limits, slots and breaker. */
#include <stdio.h>

#include "engine/core_state.h"

/* PROTOCOL.md 3: after "Slow Down" keep the earlier rate for 15 minutes. */
#define SLOW_DOWN_US INT64_C(900000000)

/* Upstream's own sentence may quote a text; ours, where no answer came, does not. */
static void log_upstream(const struct core *core, enum embed_log_level level, const char *event,
    const struct upstream *upstream, const struct embed_error *error)
{
	const char *why =
	    error->http_status == 0 ? error->message : embed_status_meaning(error->status);
	char http[16];

	snprintf(http, sizeof(http), "%d", error->http_status);
	log_event(&core->options.log, level, event, "upstream", upstream->settings.name, "status",
	    embed_status_code(error->status), "http", http, "code",
	    error->code[0] == '\0' ? NULL : error->code, "why", why, "do",
	    embed_status_advice(error->status), NULL);
}

void core_note_charges(struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	const struct wire_headers *headers = answer->headers;
	const struct wire_fault *fault = answer->fault;
	struct upstream *upstream = attempt->upstream;
	bool is_answered = fault->verdict == WIRE_DONE;

	limiter_end(&upstream->requests, &attempt->request_charge);
	limiter_end(&upstream->permits, &attempt->permit_charge);
	if (headers) {
		limiter_correct(&upstream->requests, &attempt->request_charge,
		    headers->requests.limit, headers->requests.remaining, is_answered, now_us);
		limiter_correct(&upstream->permits, &attempt->permit_charge, headers->tokens.limit,
		    headers->tokens.remaining, is_answered, now_us);
	}
	if (fault->limit > 0 && fault->limit_kind == WIRE_LIMIT_TOKENS)
		limiter_correct(
		    &upstream->permits, &attempt->permit_charge, fault->limit, -1, false, now_us);
	if (fault->limit > 0 && fault->limit_kind == WIRE_LIMIT_REQUESTS)
		limiter_correct(
		    &upstream->requests, &attempt->request_charge, fault->limit, -1, false, now_us);
}

void core_note_good(struct core *core, struct attempt *attempt, int64_t now_us)
{
	struct upstream *upstream = attempt->upstream;

	if (breaker_went_well(&upstream->breaker))
		log_event(&core->options.log, EMBED_LOG_INFO, "breaker_closed", "upstream",
		    upstream->settings.name, NULL);
	slots_went_well(&upstream->slots, attempt->took_last_slot, now_us);
	upstream->pauses = 0;
	core->last_success_us = now_us;
}

/* A rate limit: all senders wait, and fewer will send at a time. */
static void note_rate_limit(
    struct core *core, struct attempt *attempt, const struct wire_fault *fault, int64_t now_us)
{
	struct upstream *upstream = attempt->upstream;

	core->stats.rate_limited++;
	upstream->rate_limited++;
	if (attempt->is_trial)
		breaker_unknown(&upstream->breaker);
	if (fault->limit_kind != WIRE_LIMIT_REQUESTS)
		limiter_drain(&upstream->permits, now_us);
	if (fault->limit_kind != WIRE_LIMIT_TOKENS)
		limiter_drain(&upstream->requests, now_us);
	/* A day is not waited for: whoever comes meanwhile is told at once. */
	if (fault->wait_ms > (int64_t)core->options.retry_deadline_ms)
		upstream_bar(upstream, &fault->error, now_us);
	else
		upstream_pause(upstream, fault->wait_ms >= 0 ? fault->wait_ms * 1000 : -1, now_us);
	slots_overloaded(&upstream->slots, attempt->sent_us, now_us);
	log_upstream(core, EMBED_LOG_WARN, "rate_limited", upstream, &fault->error);
}

/* Nothing has ever worked: whoever waits is told at the first failure that it is tried again, and why. */
static bool is_first_sign(const struct core *core, const struct upstream *upstream)
{
	return !core->was_reached && upstream->breaker.failures == 1;
}

/* A fault that speaks against the upstream, not against a text. */
static void note_fault(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	const struct wire_fault *fault = answer->fault;
	struct upstream *upstream = attempt->upstream;

	if (answer->is_timeout || fault->error.http_status == 503 || fault->is_slow_down)
		slots_overloaded(&upstream->slots, attempt->sent_us, now_us);
	if (fault->error.http_status == 503 && fault->wait_ms > 0)
		upstream_pause(upstream, fault->wait_ms * 1000, now_us);
	if (breaker_failed(&upstream->breaker, &core->random, now_us))
		log_upstream(core, EMBED_LOG_WARN, "breaker_open", upstream, &fault->error);
	else
		log_upstream(core, is_first_sign(core, upstream) ? EMBED_LOG_WARN : EMBED_LOG_INFO,
		    "attempt_failed", upstream, &fault->error);
}

static void note_account(struct core *core, struct attempt *attempt, const struct batch *batch,
    const struct wire_fault *fault, int64_t now_us)
{
	/* A caller's own key says nothing about ours. */
	bool has_own_key = batch->kind->authorization[0] != '\0';
	bool is_news;

	if (attempt->is_trial)
		breaker_unknown(&attempt->upstream->breaker);
	if (has_own_key)
		return;
	/* What else was under way is refused alike: said once. */
	is_news = now_us >= attempt->upstream->barred_until_us ||
		  attempt->upstream->bar.status != fault->error.status;
	upstream_bar(attempt->upstream, &fault->error, now_us);
	if (is_news)
		log_upstream(
		    core, EMBED_LOG_ERROR, "upstream_barred", attempt->upstream, &fault->error);
}

void core_note_failure(struct core *core, struct attempt *attempt, const struct batch *batch,
    const struct core_answer *answer, int64_t now_us)
{
	const struct wire_fault *fault = answer->fault;
	struct upstream *upstream = attempt->upstream;

	core->stats.attempts_failed++;
	core->stats.timeouts += answer->is_timeout;
	core->stats.bad_replies += fault->error.status == EMBED_BAD_REPLY;
	if (fault->error.http_status == 200)
		core->stats.unsure_tokens += batch->texts.tokens;
	upstream->failures++;
	upstream->last_error = fault->error;
	upstream->last_error_us = now_us;
	if (fault->is_slow_down)
		slots_hold(&upstream->slots, SLOW_DOWN_US, now_us);
	if (fault->is_rate)
		note_rate_limit(core, attempt, fault, now_us);
	else if (fault->is_account)
		note_account(core, attempt, batch, fault, now_us);
	else if (fault->verdict == WIRE_RETRY && answer->is_stale)
		breaker_unknown(&upstream->breaker);
	else if (fault->verdict == WIRE_RETRY)
		note_fault(core, attempt, answer, now_us);
	else
		breaker_went_well(&upstream->breaker); /* it lives: it is the request that is bad */
}
