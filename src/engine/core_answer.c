/* SPDX-License-Identifier: MIT */
/* What an answer means: for the upstream, for the ledger, for the texts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/core_state.h"

/* PROTOCOL.md 3: after "Slow Down" keep the earlier rate for 15 minutes. */
#define SLOW_DOWN_US INT64_C(900000000)

/*
 * So many parts of one batch were refused as they were, and none was taken:
 * then it is not a text that is refused but the request.
 */
#define REFUSALS_MOST 64

#define BAD_REPLIES_MOST 3

/*
 * A host that is unknown or refuses from the start is rather a wrong address than a bad minute: so
 * long after the very first attempt a text is tried once, and the retry deadline does not count.
 */
#define UNREACHED_US INT64_C(10000000)

/* ---- The upstream ---------------------------------------------------- */

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

static void end_charges(struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
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

static void note_good(struct core *core, struct attempt *attempt, int64_t now_us)
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

static void note_failure(struct core *core, struct attempt *attempt, const struct batch *batch,
    const struct core_answer *answer, int64_t now_us)
{
	const struct wire_fault *fault = answer->fault;
	struct upstream *upstream = attempt->upstream;

	core->stats.attempts_failed++;
	core->stats.timeouts += answer->is_timeout;
	core->stats.bad_replies += fault->error.status == EMBED_BAD_REPLY;
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

/* ---- The ledger ------------------------------------------------------ */

static void fill_record(struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	const struct wire_fault *fault = answer->fault;
	struct engine_record *record = &attempt->record;

	record->latency_us = now_us - attempt->sent_us;
	record->queue_us = attempt->batch->queue_us;
	record->pacing_us = attempt->batch->pacing_us;
	record->retry_us = attempt->sent_us - attempt->batch->first_sent_us;
	record->http_status = fault->error.http_status;
	record->status = fault->verdict == WIRE_DONE ? EMBED_OK : fault->error.status;
	if (answer->headers)
		memcpy(
		    attempt->request_id, answer->headers->request_id, sizeof(attempt->request_id));
	if (fault->verdict == WIRE_DONE)
		return;
	memcpy(attempt->error_code, fault->error.code, sizeof(attempt->error_code));
	memcpy(attempt->error_message, fault->error.message, sizeof(attempt->error_message));
}

static void hand_over(struct core *core, struct attempt *attempt)
{
	core->hooks.record(&attempt->record, core->hooks.context);
}

static void forget_numbers(struct core *core, struct attempt *attempt)
{
	core->vector_bytes -= attempt->numbers_bytes;
	attempt->numbers_bytes = 0;
	attempt_forget_numbers(attempt);
}

/* ---- The texts: it went well ----------------------------------------- */

/*
 * Upstream bills the whole request; each text's part goes by its own count.
 * Parts are differences of rounded running sums, so they add up exactly.
 */
struct split {
	uint64_t total, weight, so_far, given;
};

static uint64_t next_part(struct split *split, uint64_t weight)
{
	uint64_t until;

	split->so_far += weight;
	until = split->weight == 0
		    ? 0
		    : (uint64_t)((unsigned __int128)split->total * split->so_far / split->weight);
	weight = until - split->given;
	split->given = until;
	return weight;
}

static struct split split_bill(const struct attempt *attempt)
{
	return (struct split){
	    .total = attempt->record.billed_tokens,
	    .weight = attempt->batch->texts.tokens,
	};
}

static void land_flight(struct attempt *attempt, struct flight *flight, size_t index)
{
	flight->vector = attempt_numbers(attempt, index);
	flight->dimensions = attempt->numbers_dimensions;
	flight->state = FLIGHT_LANDED;
	if (!flight->is_stored)
		return;
	attempt->vectors[attempt->record.vector_count++] = (struct engine_vector){
	    .key = *flight_digest(flight),
	    .numbers = flight->vector,
	    .dimensions = flight->dimensions,
	    .tokens = flight->tokens,
	};
}

static void land_all(struct attempt *attempt)
{
	struct split split = split_bill(attempt);
	size_t index = 0;

	for (struct flight *flight = attempt->batch->texts.first; flight; flight = flight->next) {
		attempt->shares[flight->share].tokens += next_part(&split, flight->tokens);
		land_flight(attempt, flight, index++);
	}
}

static void answer_waiters(struct core *core, struct flight *flight, uint64_t billed_tokens)
{
	struct waiter *waiter = flight->waiters;

	flight->waiters = NULL;
	while (waiter) {
		struct waiter *next = waiter->next;
		bool is_owner = waiter == flight->owner;
		struct engine_outcome outcome = {
		    .status = EMBED_OK,
		    .source = is_owner ? EMBED_FROM_UPSTREAM : EMBED_FROM_FLIGHT,
		    .vector = flight->vector,
		    .dimensions = flight->dimensions,
		    .billed_tokens = is_owner ? billed_tokens : 0,
		};

		core_answer_waiter(core, waiter, &outcome);
		waiter = next;
	}
	flight->owner = NULL;
}

static void answer_all(struct core *core, struct attempt *attempt)
{
	struct split split = split_bill(attempt);

	/* Flights last until the record is back, whatever the callbacks do. */
	for (struct flight *flight = attempt->batch->texts.first; flight; flight = flight->next)
		answer_waiters(core, flight, next_part(&split, flight->tokens));
}

static void succeed(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	struct batch *batch = attempt->batch;

	note_good(core, attempt, now_us);
	if (batch->lineage)
		batch->lineage->has_success = true;
	attempt->record.is_billed = true;
	attempt->record.billed_tokens =
	    answer->has_usage ? answer->prompt_tokens : batch->texts.tokens;
	core->stats.sent_texts += batch->texts.texts;
	core->stats.billed_tokens += attempt->record.billed_tokens;
	land_all(attempt);
	hand_over(core, attempt);
	answer_all(core, attempt);
}

/* ---- The texts: it did not ------------------------------------------- */

/* A retry would come a second later at the earliest, so the last one is near enough. */
static bool is_given_up_unreached(const struct core *core, int64_t now_us)
{
	return !core->was_reached && now_us >= core->first_sent_us + UNREACHED_US / 2;
}

void core_give_up(
    struct core *core, struct batch *batch, const struct embed_error *error, int64_t now_us)
{
	struct embed_error told = *error;
	size_t len = strlen(told.message);
	int64_t deadline_us = (int64_t)core->options.retry_deadline_ms * 1000;

	snprintf(told.message + len, sizeof(told.message) - len,
	    " (gave up after %" PRIu32 " attempts in %.1f s)", batch->attempts,
	    (double)(now_us - batch->first_sent_us) / 1e6);
	core_fail_batch(core, batch, &told);
	/* Nothing gets through any more: what has waited as long need not find out by itself. */
	if (is_given_up_unreached(core, now_us))
		core_expire_queue(core, &told, now_us);
	else if (now_us - core->last_success_us >= deadline_us)
		core_expire_queue(core, &told, now_us - deadline_us);
}

/* An answer that is no use was billed, so it is not asked for often. */
static uint32_t most_attempts(const struct core *core, const struct wire_fault *fault)
{
	uint32_t most = core->options.max_attempts;

	return fault->error.status == EMBED_BAD_REPLY && most > BAD_REPLIES_MOST ? BAD_REPLIES_MOST
										 : most;
}

static void retry_later(
    struct core *core, struct batch *batch, const struct wire_fault *fault, int64_t now_us)
{
	int64_t server_us = fault->wait_ms >= 0 ? fault->wait_ms * 1000 : -1;
	int64_t wait_us = 0;
	int64_t budget_us;

	if (!core_can_fail_over(core, batch, now_us)) {
		batch->tried = 0;
		wait_us = retry_backoff_us(&core->random, batch->faults - 1, server_us);
	}
	budget_us = retry_budget_take(&core->budget, now_us);
	if (wait_us < budget_us)
		wait_us = budget_us;
	if (!core->was_reached && batch->give_up_us > core->first_sent_us + UNREACHED_US)
		batch->give_up_us = core->first_sent_us + UNREACHED_US;
	if (batch->faults >= most_attempts(core, fault) || now_us + wait_us > batch->give_up_us)
		core_give_up(core, batch, &fault->error, now_us);
	else if (wait_us == 0)
		core_ready(core, batch);
	else if (!heap_add(&core->due, &batch->due, now_us + wait_us))
		core_give_up(core, batch, &fault->error, now_us);
}

static void retry(
    struct core *core, struct batch *batch, const struct core_answer *answer, int64_t now_us)
{
	bool was_fresh = batch->is_fresh;

	batch->faults++;
	batch->is_fresh = answer->is_timeout || answer->is_stale;
	if (answer->is_stale && !was_fresh && batch->faults < core->options.max_attempts) {
		batch->tried = 0;
		core_ready(core, batch);
		return;
	}
	retry_later(core, batch, answer->fault, now_us);
}

/* The refusal is the request's own, it seems: all parts are refused alike. */
static bool is_refused_whole(struct batch *batch, const struct embed_error *error)
{
	struct lineage *lineage = batch->lineage;

	if (!lineage || error->status == EMBED_TOO_LARGE || error->status == EMBED_RATE_LIMITED)
		return false;
	lineage->refusals++;
	return lineage->refusals >= REFUSALS_MOST && !lineage->has_success;
}

/* `second` is NULL when memory ran out. */
static void go_on_with_both(struct core *core, struct batch *batch, struct batch *second)
{
	struct embed_error error;

	if (!second) {
		error_set(&error, EMBED_NO_MEMORY, "no memory to cut a batch");
		core_fail_batch(core, batch, &error);
		return;
	}
	core->batches++;
	core->stats.splits++;
	core_ready(core, batch);
	core_ready(core, second);
}

static void split_batch(struct core *core, struct batch *batch, const struct embed_error *error)
{
	struct embed_error told = *error;

	told.index = EMBED_NO_INDEX;
	if (batch->texts.texts == 1 || is_refused_whole(batch, error))
		core_fail_batch(core, batch, &told);
	else
		go_on_with_both(core, batch, batch_cut(batch, batch->texts.texts / 2));
}

/* The text that the answer names goes alone, so that it is refused by itself. */
static void isolate(struct core *core, struct batch *batch, const struct embed_error *error)
{
	struct embed_error told = *error;

	told.index = EMBED_NO_INDEX;
	if (batch->texts.texts == 1)
		core_fail_batch(core, batch, &told);
	else if (error->index >= batch->texts.texts)
		split_batch(core, batch, error);
	else
		go_on_with_both(core, batch, batch_isolate(batch, error->index));
}

/* Nothing of it can pass there; another upstream may have another key or model. */
static void stop(
    struct core *core, struct batch *batch, const struct wire_fault *fault, int64_t now_us)
{
	bool may_differ = fault->is_account || fault->error.status == EMBED_NO_SUCH_MODEL ||
			  fault->error.status == EMBED_UNAUTHORIZED ||
			  fault->error.status == EMBED_RATE_LIMITED;

	if (may_differ && core_can_fail_over(core, batch, now_us))
		core_ready(core, batch);
	else
		core_fail_batch(core, batch, &fault->error);
}

static void fail(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	const struct wire_fault *fault = answer->fault;
	struct batch *batch = attempt->batch;

	batch->error = fault->error;
	if (fault->verdict == WIRE_RETRY || fault->verdict == WIRE_STOP_ALL)
		batch->tried |= UINT64_C(1) << attempt->upstream->index;
	else
		batch->tried = 0;
	attempt->batch = NULL;
	forget_numbers(core, attempt);
	note_failure(core, attempt, batch, answer, now_us);
	hand_over(core, attempt);
	if (core->is_closed || batch->is_probe)
		core_fail_batch(core, batch, &fault->error);
	else if (fault->verdict == WIRE_RETRY)
		retry(core, batch, answer, now_us);
	else if (fault->verdict == WIRE_SPLIT)
		split_batch(core, batch, &fault->error);
	else if (fault->verdict == WIRE_STOP_INPUT)
		isolate(core, batch, &fault->error);
	else
		stop(core, batch, fault, now_us);
}

void core_answer(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	attempt->is_under_way = false;
	core->was_reached |= answer->fault->verdict == WIRE_DONE || answer->is_timeout ||
			     answer->fault->error.http_status != 0;
	slots_give(&attempt->upstream->slots);
	end_charges(attempt, answer, now_us);
	fill_record(attempt, answer, now_us);
	if (answer->fault->verdict == WIRE_DONE)
		succeed(core, attempt, answer, now_us);
	else
		fail(core, attempt, answer, now_us);
}

/* ---- The record is back ---------------------------------------------- */

static void unlink_attempt(struct core *core, struct attempt *attempt)
{
	if (attempt->newer)
		attempt->newer->older = attempt->older;
	else
		core->attempts = attempt->older;
	if (attempt->older)
		attempt->older->newer = attempt->newer;
}

static void end_landed(struct core *core, struct batch *batch)
{
	struct flight *flight = batch->texts.first;

	while (flight) {
		struct flight *next = flight->next;

		core_end_flight(core, flight);
		flight = next;
	}
	core_drop_batch(core, batch);
}

void core_recorded(struct core *core, struct attempt *attempt, enum embed_status status)
{
	if (status != EMBED_OK)
		log_event(&core->options.log, EMBED_LOG_ERROR, "record_not_written", "upstream",
		    attempt->upstream->settings.name, "status", embed_status_code(status), "do",
		    embed_status_advice(status), NULL);
	if (attempt->batch) {
		core->epoch++;
		end_landed(core, attempt->batch);
	}
	forget_numbers(core, attempt);
	unlink_attempt(core, attempt);
	attempt_destroy(attempt);
}
