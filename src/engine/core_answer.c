/* SPDX-License-Identifier: MIT */
/* An answer, from its arrival until its record is written. */
#include <string.h>

#include "engine/core_state.h"

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

static void succeed(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	struct batch *batch = attempt->batch;

	core_note_good(core, attempt, now_us);
	if (batch->lineage)
		batch->lineage->has_success = true;
	attempt->record.is_billed = true;
	attempt->record.billed_tokens =
	    answer->has_usage ? answer->prompt_tokens : batch->texts.tokens;
	core->stats.sent_texts += batch->texts.texts;
	core->stats.billed_tokens += attempt->record.billed_tokens;
	core_land(attempt);
	hand_over(core, attempt);
	core_answer_landed(core, attempt);
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
	core_note_failure(core, attempt, batch, answer, now_us);
	hand_over(core, attempt);
	core_go_on(core, batch, answer, now_us);
}

void core_answer(
    struct core *core, struct attempt *attempt, const struct core_answer *answer, int64_t now_us)
{
	attempt->is_under_way = false;
	core->was_reached |= answer->fault->verdict == WIRE_DONE || answer->is_timeout ||
			     answer->fault->error.http_status != 0;
	slots_give(&attempt->upstream->slots);
	core_note_charges(attempt, answer, now_us);
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
