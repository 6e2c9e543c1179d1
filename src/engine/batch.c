/* SPDX-License-Identifier: MIT */
#include "engine/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct batch *batch_create(const struct queue_taken *taken, enum embed_lane lane)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->kind = kind_ref(taken->first->kind);
	batch->lane = lane;
	batch->texts = *taken;
	error_clear(&batch->error);
	for (struct flight *flight = taken->first; flight; flight = flight->next)
		flight->state = FLIGHT_BATCHED;
	return batch;
}

static void lineage_unref(struct lineage *lineage)
{
	if (lineage && --lineage->refs == 0)
		free(lineage);
}

void batch_destroy(struct names *names, struct batch *batch)
{
	if (!batch)
		return;
	names_kind_unref(names, batch->kind);
	lineage_unref(batch->lineage);
	free(batch);
}

void batch_sum(struct batch *batch)
{
	struct queue_taken sum = {.first = batch->texts.first};

	for (const struct flight *flight = sum.first; flight; flight = flight->next) {
		sum.texts++;
		sum.tokens += flight->tokens;
		sum.charge_bytes += flight->charge_bytes;
		sum.json_bytes += flight->json_len + 1;
	}
	batch->texts = sum;
}

/* A batch with the same history and no flights yet. */
static struct batch *sibling(struct batch *batch)
{
	struct batch *second = malloc(sizeof(*second));

	if (!second)
		return NULL;
	if (!batch->lineage) {
		batch->lineage = calloc(1, sizeof(*batch->lineage));
		if (!batch->lineage) {
			free(second);
			return NULL;
		}
		batch->lineage->refs = 1;
	}
	*second = *batch;
	batch->lineage->refs++;
	kind_ref(batch->kind);
	batch->is_cut = second->is_cut = true;
	batch->faults = second->faults = 0;
	second->texts = (struct queue_taken){0};
	second->next = NULL;
	return second;
}

/* The link that leads to flight number `index`. */
static struct flight **link_at(struct batch *batch, size_t index)
{
	struct flight **link = &batch->texts.first;

	while (index-- > 0)
		link = &(*link)->next;
	return link;
}

struct batch *batch_cut(struct batch *batch, size_t at)
{
	struct batch *second = sibling(batch);
	struct flight **link;

	if (!second)
		return NULL;
	link = link_at(batch, at);
	second->texts.first = *link;
	*link = NULL;
	batch_sum(batch);
	batch_sum(second);
	return second;
}

struct batch *batch_isolate(struct batch *batch, size_t index)
{
	struct batch *alone = sibling(batch);
	struct flight **link;

	if (!alone)
		return NULL;
	link = link_at(batch, index);
	alone->texts.first = *link;
	*link = (*link)->next;
	alone->texts.first->next = NULL;
	batch_sum(batch);
	batch_sum(alone);
	return alone;
}

/* ---- Attempts -------------------------------------------------------- */

/* Distinct keys of the batch, numbered in `share`; adds the bytes of their names. */
static uint32_t number_keys(const struct batch *batch, uint64_t mark, size_t *name_bytes)
{
	uint32_t count = 0;

	for (const struct flight *flight = batch->texts.first; flight; flight = flight->next) {
		if (flight->key->mark == mark)
			continue;
		flight->key->mark = mark;
		flight->key->share = count++;
		*name_bytes += strlen(flight->key->name) + 1;
	}
	return count;
}

static void fill_shares(struct attempt *attempt, const struct batch *batch, char *at)
{
	for (struct flight *flight = batch->texts.first; flight; flight = flight->next) {
		struct engine_share *share = &attempt->shares[flight->key->share];

		flight->share = flight->key->share;
		share->texts++;
		if (share->key_name)
			continue;
		share->key_name = at;
		at = stpcpy(at, flight->key->name) + 1;
	}
}

static const char *place(char **at, const char *text)
{
	char *start = *at;

	if (!text)
		return NULL;
	*at = stpcpy(start, text) + 1;
	return start;
}

/* The one allocation: attempt, shares, vectors, strings. */
static struct attempt *allocate(const struct batch *batch, uint64_t mark)
{
	const char *trace = batch->texts.first->job->spec.trace_parent;
	size_t strings = strlen(batch->kind->model) + 1 + (trace ? strlen(trace) + 1 : 0);
	size_t shares = number_keys(batch, mark, &strings);
	size_t vectors = batch->texts.texts;
	struct attempt *attempt = malloc(sizeof(*attempt) + shares * sizeof(struct engine_share) +
					 vectors * sizeof(struct engine_vector) + strings);
	char *at;

	if (!attempt)
		return NULL;
	*attempt = (struct attempt){0};
	attempt->vectors = (struct engine_vector *)(attempt + 1);
	attempt->shares = (struct engine_share *)(attempt->vectors + vectors);
	memset(attempt->shares, 0, shares * sizeof(*attempt->shares));
	at = (char *)(attempt->shares + shares);
	attempt->record.model = place(&at, batch->kind->model);
	attempt->record.trace_parent = place(&at, trace);
	attempt->record.share_count = shares;
	fill_shares(attempt, batch, at);
	return attempt;
}

/* What to ask for, and what to expect. */
static void set_dimensions(struct attempt *attempt, const struct kind *kind)
{
	if (kind->dimensions != 0 && !attempt->upstream->settings.no_dimensions) {
		attempt->dimensions = kind->dimensions;
		attempt->expected = kind->dimensions;
	} else {
		/* Of a model that nobody knows at least no other vector than was asked for is taken. */
		attempt->expected =
		    kind->model_dimensions != 0 ? kind->model_dimensions : kind->dimensions;
	}
}

struct attempt *attempt_create(struct batch *batch, struct upstream *upstream,
    struct spares *spares, uint64_t mark, int64_t sent_unix_us)
{
	struct attempt *attempt = allocate(batch, mark);

	if (!attempt)
		return NULL;
	attempt->id = mark;
	attempt->batch = batch;
	attempt->upstream = upstream;
	attempt->spares = spares;
	set_dimensions(attempt, batch->kind);
	attempt->record.upstream = upstream->settings.name;
	attempt->record.upstream_index = upstream->index;
	attempt->record.lane = batch->lane;
	attempt->record.sent_unix_us = sent_unix_us;
	attempt->record.retry = batch->faults;
	attempt->record.shares = attempt->shares;
	attempt->record.vectors = attempt->vectors;
	attempt->record.request_id = attempt->request_id;
	attempt->record.error_code = attempt->error_code;
	attempt->record.error_message = attempt->error_message;
	return attempt;
}

void attempt_forget_numbers(struct attempt *attempt)
{
	spares_give(attempt->spares, attempt->numbers, attempt->numbers_cap);
	attempt->numbers = NULL;
}

void attempt_destroy(struct attempt *attempt)
{
	attempt_forget_numbers(attempt);
	free(attempt);
}

bool attempt_vector(struct attempt *attempt, size_t index, const float *vector, uint32_t dimensions)
{
	if (!attempt->numbers) {
		attempt->numbers_cap = sizeof(float) * dimensions * attempt->batch->texts.texts;
		attempt->numbers = spares_take(attempt->spares, &attempt->numbers_cap);
		if (!attempt->numbers)
			return false;
		attempt->numbers_dimensions = dimensions;
	}
	memcpy(attempt->numbers + index * dimensions, vector, sizeof(float) * dimensions);
	return true;
}
