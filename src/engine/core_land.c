/* SPDX-License-Identifier: MIT */
/* What a good answer means for the texts: each its vector, and its part of the bill. */
#include "engine/core_state.h"

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

void core_land(struct attempt *attempt)
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

void core_answer_landed(struct core *core, struct attempt *attempt)
{
	struct split split = split_bill(attempt);

	/* Flights last until the record is back, whatever the callbacks do. */
	for (struct flight *flight = attempt->batch->texts.first; flight; flight = flight->next)
		answer_waiters(core, flight, next_part(&split, flight->tokens));
}
