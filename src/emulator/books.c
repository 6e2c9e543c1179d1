/* SPDX-License-Identifier: MIT */
#include "emulator/books.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define SEEN_FIRST ((size_t)1 << 12)
#define SEEN_MAX   ((size_t)1 << 25) /* slots of 16 bytes: 512 MiB, 16 million texts */

struct books *books_create(void)
{
	return calloc(1, sizeof(struct books));
}

void books_destroy(struct books *books)
{
	if (books)
		free(books->seen.slots);
	free(books);
}

void books_reset(struct books *books)
{
	uint64_t working = books->working;

	free(books->seen.slots);
	memset(books, 0, sizeof(*books));
	books->working = books->working_peak = working;
}

/* ---- Groups ---------------------------------------------------------- */

static struct books_group *group_of(struct books_groups *groups, const char *name)
{
	struct books_group *group;

	for (size_t i = 0; i < groups->count; i++)
		if (strncmp(groups->groups[i].name, name, BOOKS_NAME_MAX - 1) == 0)
			return &groups->groups[i];
	if (groups->count == BOOKS_GROUPS_MAX)
		return &groups->groups[BOOKS_GROUPS_MAX - 1];
	group = &groups->groups[groups->count++];
	strncpy(group->name, name, BOOKS_NAME_MAX - 1);
	return group;
}

void books_judged(struct books *books, const char *key, const char *model)
{
	group_of(&books->keys, key)->requests++;
	group_of(&books->models, model)->requests++;
}

/* ---- Repeats --------------------------------------------------------- */

static bool grow(struct books_seen *seen)
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
static bool was_seen(struct books_seen *seen, const char *model, const struct embed_text *text)
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

static void count_repeats(struct books *books, const struct books_bill *bill)
{
	uint64_t repeats = 0;

	for (size_t i = 0; i < bill->count; i++)
		repeats += was_seen(&books->seen, bill->model, &bill->texts[i]);
	books->repeated_texts += repeats;
}

void books_bill(struct books *books, const struct books_bill *bill)
{
	struct books_group *groups[] = {
	    group_of(&books->keys, bill->key), group_of(&books->models, bill->model)};

	for (size_t i = 0; i < 2; i++) {
		groups[i]->texts += bill->count;
		groups[i]->tokens += bill->tokens;
	}
	books->texts += bill->count;
	books->tokens += bill->tokens;
	books->charged += bill->charge;
	if (bill->is_batch) {
		books->batch_texts += bill->count;
		books->batch_tokens += bill->tokens;
	}
	if (bill->count > books->largest_request)
		books->largest_request = bill->count;
	count_repeats(books, bill);
}

void books_lost(struct books *books, uint64_t texts, uint64_t tokens)
{
	books->lost_answers++;
	books->lost_texts += texts;
	books->lost_tokens += tokens;
}

void books_status(struct books *books, int status)
{
	books->requests++;
	if (status > 0 && status < BOOKS_STATUSES)
		books->statuses[status]++;
	else
		books->statuses[0]++;
}

void books_begin(struct books *books)
{
	books->embeddings++;
	books->working++;
	if (books->working > books->working_peak)
		books->working_peak = books->working;
}

void books_end(struct books *books)
{
	books->working--;
}

/* ---- Showing --------------------------------------------------------- */

static void write_groups(const struct books_groups *groups, struct buffer *out)
{
	buffer_append_char(out, '{');
	for (size_t i = 0; i < groups->count; i++) {
		const struct books_group *group = &groups->groups[i];

		if (i > 0)
			buffer_append_char(out, ',');
		wire_json_string(out, group->name, strlen(group->name));
		buffer_printf(out,
		    ":{\"requests\":%" PRIu64 ",\"texts\":%" PRIu64 ",\"tokens\":%" PRIu64 "}",
		    group->requests, group->texts, group->tokens);
	}
	buffer_append_char(out, '}');
}

static void write_statuses(const struct books *books, struct buffer *out)
{
	bool is_first = true;

	buffer_append_char(out, '{');
	for (int i = 0; i < BOOKS_STATUSES; i++) {
		if (books->statuses[i] == 0)
			continue;
		buffer_printf(out, "%s\"%d\":%" PRIu64, is_first ? "" : ",", i, books->statuses[i]);
		is_first = false;
	}
	buffer_append_char(out, '}');
}

void books_write(const struct books *books, struct buffer *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {{"requests", books->requests}, {"embeddings_requests", books->embeddings},
	    {"answered", books->answered}, {"texts", books->texts}, {"tokens", books->tokens},
	    {"charged", books->charged}, {"lost_answers", books->lost_answers},
	    {"lost_texts", books->lost_texts}, {"lost_tokens", books->lost_tokens},
	    {"batch_texts", books->batch_texts}, {"batch_tokens", books->batch_tokens},
	    {"repeated_texts", books->repeated_texts}, {"largest_request", books->largest_request},
	    {"working", books->working}, {"working_peak", books->working_peak}};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		buffer_printf(out, "\"%s\":%" PRIu64 ",", counts[i].name, counts[i].value);
	buffer_printf(out, "\"repeats_are_exact\":%s,", books->seen.is_full ? "false" : "true");
	buffer_append_text(out, "\"statuses\":");
	write_statuses(books, out);
	buffer_append_text(out, ",\"keys\":");
	write_groups(&books->keys, out);
	buffer_append_text(out, ",\"models\":");
	write_groups(&books->models, out);
}
