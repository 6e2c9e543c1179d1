/* SPDX-License-Identifier: MIT */
#include "emulator/meter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define SEEN_FIRST ((size_t)1 << 12)
#define SEEN_MAX   ((size_t)1 << 25) /* slots of 16 bytes: 512 MiB, 16 million texts */

struct meter *meter_create(void)
{
	return calloc(1, sizeof(struct meter));
}

void meter_destroy(struct meter *meter)
{
	if (meter)
		free(meter->seen.slots);
	free(meter);
}

void meter_reset(struct meter *meter)
{
	uint64_t working = meter->working;

	free(meter->seen.slots);
	memset(meter, 0, sizeof(*meter));
	meter->working = meter->working_peak = working;
}

/* ---- Groups ---------------------------------------------------------- */

static struct meter_group *group_of(struct meter_groups *groups, const char *name)
{
	struct meter_group *group;

	for (size_t i = 0; i < groups->count; i++)
		if (strncmp(groups->groups[i].name, name, METER_NAME_MAX - 1) == 0)
			return &groups->groups[i];
	if (groups->count == METER_GROUPS_MAX)
		return &groups->groups[METER_GROUPS_MAX - 1];
	group = &groups->groups[groups->count++];
	strncpy(group->name, name, METER_NAME_MAX - 1);
	return group;
}

void meter_judged(struct meter *meter, const char *key, const char *model)
{
	group_of(&meter->keys, key)->requests++;
	group_of(&meter->models, model)->requests++;
}

/* ---- Repeats --------------------------------------------------------- */

static bool grow(struct meter_seen *seen)
{
	size_t cap = seen->cap ? seen->cap * 2 : SEEN_FIRST;
	uint64_t(*slots)[2] = cap <= SEEN_MAX ? calloc(cap, sizeof(*slots)) : NULL;

	if (!slots)
		return false;
	for (size_t i = 0; i < seen->cap; i++) {
		size_t at = (size_t)seen->slots[i][0] & (cap - 1);

		if (seen->slots[i][0] == 0)
			continue;
		while (slots[at][0] != 0)
			at = (at + 1) & (cap - 1);
		memcpy(slots[at], seen->slots[i], sizeof(*slots));
	}
	free(seen->slots);
	seen->slots = slots;
	seen->cap = cap;
	return true;
}

/* True when it was there already; adds it otherwise. */
static bool was_seen(struct meter_seen *seen, const char *model, const struct embed_text *text)
{
	const struct digest_part parts[] = {{model, strlen(model)}, {text->bytes, text->len}};
	struct digest digest;
	uint64_t wanted[2];
	size_t at;

	if (seen->count * 2 >= seen->cap && !seen->is_full)
		seen->is_full = !grow(seen);
	if (seen->cap == 0 || !digest_parts(&digest, parts, 2))
		return false;
	memcpy(wanted, digest.bytes, sizeof(wanted));
	wanted[0] |= (uint64_t)1 << 63; /* never 0, which marks a free slot */
	at = (size_t)wanted[0] & (seen->cap - 1);
	for (; seen->slots[at][0] != 0; at = (at + 1) & (seen->cap - 1))
		if (memcmp(seen->slots[at], wanted, sizeof(wanted)) == 0)
			return true;
	if (!seen->is_full) {
		memcpy(seen->slots[at], wanted, sizeof(wanted));
		seen->count++;
	}
	return false;
}

/* ---- Counting -------------------------------------------------------- */

static void count_repeats(struct meter *meter, const struct meter_bill *bill)
{
	uint64_t repeats = 0;

	for (size_t i = 0; i < bill->count; i++)
		repeats += was_seen(&meter->seen, bill->model, &bill->texts[i]);
	meter->repeated_texts += repeats;
}

void meter_bill(struct meter *meter, const struct meter_bill *bill)
{
	struct meter_group *groups[] = {
	    group_of(&meter->keys, bill->key), group_of(&meter->models, bill->model)};

	for (size_t i = 0; i < 2; i++) {
		groups[i]->texts += bill->count;
		groups[i]->tokens += bill->tokens;
	}
	meter->texts += bill->count;
	meter->tokens += bill->tokens;
	meter->charged += bill->charge;
	if (bill->is_batch) {
		meter->batch_texts += bill->count;
		meter->batch_tokens += bill->tokens;
	}
	if (bill->count > meter->largest_request)
		meter->largest_request = bill->count;
	count_repeats(meter, bill);
}

void meter_lost(struct meter *meter, uint64_t texts, uint64_t tokens)
{
	meter->lost_answers++;
	meter->lost_texts += texts;
	meter->lost_tokens += tokens;
}

void meter_status(struct meter *meter, int status)
{
	meter->requests++;
	if (status > 0 && status < METER_STATUSES)
		meter->statuses[status]++;
	else
		meter->statuses[0]++;
}

void meter_begin(struct meter *meter)
{
	meter->embeddings++;
	meter->working++;
	if (meter->working > meter->working_peak)
		meter->working_peak = meter->working;
}

void meter_end(struct meter *meter)
{
	meter->working--;
}

/* ---- Showing --------------------------------------------------------- */

static void write_groups(const struct meter_groups *groups, struct buffer *out)
{
	buffer_append_char(out, '{');
	for (size_t i = 0; i < groups->count; i++) {
		const struct meter_group *group = &groups->groups[i];

		if (i > 0)
			buffer_append_char(out, ',');
		wire_json_string(out, group->name, strlen(group->name));
		buffer_printf(out,
		    ":{\"requests\":%" PRIu64 ",\"texts\":%" PRIu64 ",\"tokens\":%" PRIu64 "}",
		    group->requests, group->texts, group->tokens);
	}
	buffer_append_char(out, '}');
}

static void write_statuses(const struct meter *meter, struct buffer *out)
{
	bool is_first = true;

	buffer_append_char(out, '{');
	for (int i = 0; i < METER_STATUSES; i++) {
		if (meter->statuses[i] == 0)
			continue;
		buffer_printf(out, "%s\"%d\":%" PRIu64, is_first ? "" : ",", i, meter->statuses[i]);
		is_first = false;
	}
	buffer_append_char(out, '}');
}

void meter_write(const struct meter *meter, struct buffer *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {{"requests", meter->requests}, {"embeddings_requests", meter->embeddings},
	    {"answered", meter->answered}, {"texts", meter->texts}, {"tokens", meter->tokens},
	    {"charged", meter->charged}, {"lost_answers", meter->lost_answers},
	    {"lost_texts", meter->lost_texts}, {"lost_tokens", meter->lost_tokens},
	    {"batch_texts", meter->batch_texts}, {"batch_tokens", meter->batch_tokens},
	    {"repeated_texts", meter->repeated_texts}, {"largest_request", meter->largest_request},
	    {"working", meter->working}, {"working_peak", meter->working_peak}};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		buffer_printf(out, "\"%s\":%" PRIu64 ",", counts[i].name, counts[i].value);
	buffer_printf(out, "\"repeats_are_exact\":%s,", meter->seen.is_full ? "false" : "true");
	buffer_append_text(out, "\"statuses\":");
	write_statuses(meter, out);
	buffer_append_text(out, ",\"keys\":");
	write_groups(&meter->keys, out);
	buffer_append_text(out, ",\"models\":");
	write_groups(&meter->models, out);
}
