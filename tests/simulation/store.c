/* SPDX-License-Identifier: MIT */
/* The fake writer: takes its time, fails now and then, forgets what it had when the process is killed. */
#include <inttypes.h>
#include <string.h>

#include "world.h"

static void check_record(struct world *world, const struct engine_record *record)
{
	uint64_t texts = 0, tokens = 0;

	for (size_t i = 0; i < record->share_count; i++) {
		texts += record->shares[i].texts;
		tokens += record->shares[i].tokens;
	}
	if (tokens != record->billed_tokens || record->share_count == 0)
		world_fail(world, "a record's shares do not add up", "%" PRIu64 " of %" PRIu64,
		    tokens, record->billed_tokens);
	if (record->vector_count > texts)
		world_fail(
		    world, "a record has more vectors than texts", "%zu", record->vector_count);
	if (!record->is_billed && (record->vector_count > 0 || record->billed_tokens > 0))
		world_fail(world, "a failed attempt has vectors", "%zu", record->vector_count);
}

void fake_record(struct engine_record *record, void *context)
{
	struct world *world = context;
	struct event *event;

	memory_work_again();
	event =
	    world_event(world, EVENT_RECORDED, world->now_us + (int64_t)world_below(world, 50000));
	event->attempt = HEAP_ITEM(record, struct attempt, record);
	event->fails = world_chance(world, world->faults.store);
	check_record(world, record);
}

/* Flights of the record end now: landed no more, and on disk or lost. */
static void settle(struct world *world, const struct attempt *attempt, bool is_kept)
{
	for (struct flight *flight = attempt->batch->texts.first; flight; flight = flight->next) {
		struct fake_text *text = fake_text_of(world, flight);
		size_t user = flight->kind->user[0] == 'b';
		size_t is_short = flight->kind->dimensions == SHORT;

		text->is_landed[user][is_short] = false;
		if (is_kept)
			text->is_stored[is_short] = true;
		else
			text->lost[user][is_short]++;
	}
}

void fake_recorded(struct world *world, struct event *event, bool is_crash)
{
	struct attempt *attempt = event->attempt;
	bool is_kept = !event->fails && !is_crash;

	if (attempt->batch)
		settle(world, attempt, is_kept);
	world_trace(world, "recorded %s: %zu vectors%s", attempt->record.upstream,
	    attempt->record.vector_count, is_kept ? "" : ", lost");
	core_recorded(world->core, attempt, is_kept ? EMBED_OK : EMBED_STORE);
}

bool fake_find(
    const struct engine_want *want, float *numbers, size_t cap, uint32_t *dimensions, void *context)
{
	struct world *world = context;

	for (size_t i = 0; i < world->text_count; i++) {
		const struct fake_text *text = &world->texts[i];

		if (memcmp(&text->key, &want->key, sizeof(want->key)) != 0)
			continue;
		if (!text->is_stored[0] && !(text->is_stored[1] && want->dimensions == SHORT))
			return false;
		*dimensions = text->is_stored[0] ? DIMENSIONS : SHORT;
		for (uint32_t place = 0; place < *dimensions && place < cap; place++)
			numbers[place] = fake_number(text, place);
		world_trace(world, "text %zu is found on disk after all", i);
		return true;
	}
	return false;
}
