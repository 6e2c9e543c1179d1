/* SPDX-License-Identifier: MIT */
#include "text/edits.h"

#include <assert.h>
#include <string.h>

void edits_init(struct edits *edits, const char *in, size_t in_len, size_t max_bytes)
{
	*edits = (struct edits){.in = in, .in_len = in_len};
	buffer_init(&edits->out, max_bytes);
	buffer_init(&edits->spans, SIZE_MAX);
}

void edits_fini(struct edits *edits)
{
	buffer_fini(&edits->out);
	buffer_fini(&edits->spans);
}

static void add_span(struct edits *edits, bool is_verbatim)
{
	struct embed_clean_span span = {
	    .clean = edits->out.len + (edits->taken - edits->flushed),
	    .source = edits->taken,
	    .is_verbatim = is_verbatim,
	};

	buffer_append(&edits->spans, &span, sizeof(span));
	edits->is_last_verbatim = is_verbatim;
}

void edits_keep(struct edits *edits, size_t len)
{
	assert(len <= edits->in_len - edits->taken);
	if (len == 0)
		return;
	if (!edits->is_last_verbatim)
		add_span(edits, true);
	edits->taken += len;
}

void edits_replace(struct edits *edits, size_t len, const char *with, size_t with_len)
{
	assert(len <= edits->in_len - edits->taken);
	if (len == with_len && memcmp(edits->in + edits->taken, with, len) == 0) {
		edits_keep(edits, len);
		return;
	}
	buffer_append(&edits->out, edits->in + edits->flushed, edits->taken - edits->flushed);
	edits->flushed = edits->taken;
	add_span(edits, false);
	buffer_append(&edits->out, with, with_len);
	edits->taken += len;
	edits->flushed = edits->taken;
	edits->is_changed = true;
}

enum embed_status edits_finish(struct edits *edits)
{
	edits_keep(edits, edits->in_len - edits->taken);
	if (edits->is_changed) {
		buffer_append(
		    &edits->out, edits->in + edits->flushed, edits->taken - edits->flushed);
		edits->flushed = edits->taken;
	}
	add_span(edits, true);
	if (edits->out.status != EMBED_OK)
		return edits->out.status;
	return edits->spans.status;
}

/* Walks one pass's spans by positions on one of their sides. */
struct walk {
	const struct embed_clean_span *span; /* never the end mark while there is a next one */
	const struct embed_clean_span *end;
};

static struct walk walk_of(const struct buffer *spans)
{
	const struct embed_clean_span *first = (const void *)spans->bytes;

	return (struct walk){first, first + spans->len / sizeof(*first) - 1};
}

static void add_composed(
    struct buffer *out, size_t clean, size_t source, bool is_verbatim, bool *is_last_verbatim)
{
	struct embed_clean_span span = {clean, source, is_verbatim};

	if (is_verbatim && *is_last_verbatim)
		return;
	*is_last_verbatim = is_verbatim;
	buffer_append(out, &span, sizeof(span));
}

/*
 * Where a changed stretch that starts at `middle` ends: the first position at
 * which neither side is inside a changed span.
 */
static size_t changed_until(struct walk *first, struct walk *second, size_t middle)
{
	size_t end = middle;

	for (;;) {
		while (first->span < first->end && first->span[1].clean <= end)
			first->span++;
		while (second->span < second->end && second->span[1].source <= end)
			second->span++;
		if (first->span < first->end && !first->span->is_verbatim &&
		    first->span->clean < end)
			end = first->span[1].clean;
		else if (second->span < second->end && !second->span->is_verbatim &&
			 second->span->source < end)
			end = second->span[1].source;
		else
			return end;
	}
}

static size_t source_at(const struct walk *first, size_t middle)
{
	if (first->span == first->end)
		return first->end->source;
	return first->span->source + (middle - first->span->clean);
}

static size_t clean_at(const struct walk *second, size_t middle)
{
	if (second->span == second->end)
		return second->end->clean;
	return second->span->clean + (middle - second->span->source);
}

static void compose_into(struct buffer *out, struct walk first, struct walk second)
{
	size_t middle = 0;
	bool is_last_verbatim = false;

	/* At the top of the loop both walks stand at a span's start or inside a verbatim one. */
	while (first.span < first.end || second.span < second.end) {
		bool first_same = first.span < first.end && first.span->is_verbatim;
		bool second_same = second.span < second.end && second.span->is_verbatim;
		size_t source = source_at(&first, middle);
		size_t clean = clean_at(&second, middle);
		size_t next;

		if (first_same && second_same) {
			size_t first_end = first.span[1].clean;
			size_t second_end = second.span[1].source;

			next = first_end < second_end ? first_end : second_end;
			add_composed(out, clean, source, true, &is_last_verbatim);
			first.span += first_end == next;
			second.span += second_end == next;
		} else {
			next = middle;
			if (first.span < first.end && !first_same)
				next = (first.span++)[1].clean;
			if (second.span < second.end && !second_same &&
			    second.span->source <= middle) {
				size_t second_end = (second.span++)[1].source;

				next = second_end > next ? second_end : next;
			}
			next = changed_until(&first, &second, next);
			add_composed(out, clean, source, false, &is_last_verbatim);
		}
		middle = next;
	}
	is_last_verbatim = false; /* the end mark is always there */
	add_composed(out, second.end->clean, first.end->source, true, &is_last_verbatim);
}

enum embed_status edits_compose(struct buffer *first, const struct buffer *second)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	if (first->len == 0)
		buffer_append(&out, second->bytes, second->len);
	else
		compose_into(&out, walk_of(first), walk_of(second));
	if (out.status != EMBED_OK) {
		enum embed_status status = out.status;

		buffer_fini(&out);
		return status;
	}
	buffer_fini(first);
	*first = out;
	return EMBED_OK;
}
