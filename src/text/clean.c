/* SPDX-License-Identifier: MIT */
#include "text/clean.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/error.h"
#include "text/clean_stage.h"
#include "text/utf8.h"

#define ALL_FLAGS   ((EMBED_CLEAN_MARKDOWN << 1) - 1)
#define NORMALISERS (EMBED_CLEAN_NFC | EMBED_CLEAN_NFKC)
#define CHARACTERS                                                                                 \
	(EMBED_CLEAN_BOM | EMBED_CLEAN_NEWLINES | EMBED_CLEAN_CONTROL | EMBED_CLEAN_ZERO_WIDTH |   \
	    EMBED_CLEAN_SOFT_HYPHEN | EMBED_CLEAN_LIGATURES | EMBED_CLEAN_QUOTES |                 \
	    EMBED_CLEAN_DASHES)

/* Normalising compatibility forms at most makes one character of 3 bytes into 33 (U+FDFA). */
#define MAX_GROWTH 12

struct embed_cleaned {
	const char *bytes; /* the caller's, or `owned` */
	size_t len;
	char *owned;
	struct buffer spans; /* struct embed_clean_span; empty: nothing changed */
	struct embed_clean_span untouched[2];
};

typedef enum embed_status stage_fn(struct edits *edits, uint32_t flags);

struct stage {
	uint32_t flags; /* runs when any of these is set; 0: always */
	stage_fn *fn;
	bool is_repair; /* only when a stage since the last normalising changed something */
};

static const struct stage stages[] = {
    {0, clean_utf8, false},
    {EMBED_CLEAN_HTML, clean_html, false},
    {NORMALISERS, clean_normalise, false},
    {CHARACTERS, clean_characters, false},
    {EMBED_CLEAN_HYPHENATION, clean_hyphens, false},
    {EMBED_CLEAN_BLANKS, clean_blanks, false},
    {NORMALISERS, clean_normalise, true},
    {EMBED_CLEAN_HTML, clean_html_escape, false},
};

#define STAGE_COUNT (sizeof(stages) / sizeof(stages[0]))

enum embed_status clean_utf8(struct edits *edits, uint32_t flags)
{
	while (edits->taken < edits->in_len) {
		const char *at = edits->in + edits->taken;
		size_t left = edits->in_len - edits->taken;
		size_t fault = utf8_first_fault(at, left);
		size_t size;

		edits_keep(edits, fault);
		if (fault == left)
			break;
		if (!(flags & EMBED_CLEAN_UTF8))
			return EMBED_BAD_UTF8;
		utf8_decode(at + fault, left - fault, &size);
		edits_replace(edits, size, UTF8_REPLACEMENT_BYTES, 3);
	}
	return edits_finish(edits);
}

/* Takes over what a stage made. */
static enum embed_status adopt(struct embed_cleaned *cleaned, struct edits *edits)
{
	enum embed_status status = edits_compose(&cleaned->spans, &edits->spans);
	char *bytes;
	size_t len;

	if (status != EMBED_OK)
		return status;
	bytes = buffer_take(&edits->out, &len);
	if (bytes == NULL)
		return EMBED_NO_MEMORY;
	free(cleaned->owned);
	cleaned->owned = bytes;
	cleaned->bytes = bytes;
	cleaned->len = len;
	return EMBED_OK;
}

static enum embed_status run_stage(struct embed_cleaned *cleaned, const struct stage *stage,
    uint32_t flags, bool *is_changed, struct embed_error *error)
{
	struct edits edits;
	enum embed_status status;

	edits_init(&edits, cleaned->bytes, cleaned->len, CLEAN_MAX_BYTES * MAX_GROWTH);
	status = stage->fn(&edits, flags);
	if (status == EMBED_OK && edits.is_changed)
		status = adopt(cleaned, &edits);
	*is_changed = edits.is_changed;
	if (status == EMBED_BAD_UTF8)
		error_set_at(error, status, EMBED_NO_INDEX, edits.taken,
		    "byte %zu is not UTF-8; clean with the utf8 option to replace such bytes, or "
		    "convert the text",
		    edits.taken);
	else if (status != EMBED_OK)
		error_set(error, status, "cleaning failed: %s", embed_status_meaning(status));
	edits_fini(&edits);
	return status;
}

static enum embed_status run_stages(
    struct embed_cleaned *cleaned, uint32_t flags, struct embed_error *error)
{
	bool is_denormal = false;

	for (size_t i = 0; i < STAGE_COUNT; i++) {
		const struct stage *stage = &stages[i];
		enum embed_status status;
		bool is_changed;

		if (stage->flags != 0 && !(flags & stage->flags))
			continue;
		if (stage->is_repair && !is_denormal)
			continue;
		status = run_stage(cleaned, stage, flags, &is_changed, error);
		if (status != EMBED_OK)
			return status;
		is_denormal = stage->flags != NORMALISERS && (is_denormal || is_changed);
	}
	return EMBED_OK;
}

enum embed_status clean_text(
    const char *bytes, size_t len, uint32_t flags, embed_cleaned **out, struct embed_error *error)
{
	struct embed_cleaned *cleaned;
	enum embed_status status = EMBED_OK;

	if (flags & ~(uint32_t)ALL_FLAGS)
		return error_set(error, EMBED_BAD_OPTION, "unknown cleaning flags 0x%x",
		    flags & ~(uint32_t)ALL_FLAGS);
	if (len > CLEAN_MAX_BYTES)
		return error_set(error, EMBED_TOO_LARGE,
		    "a text of %zu bytes cannot be cleaned at once; the most is %zu", len,
		    CLEAN_MAX_BYTES);
	cleaned = calloc(1, sizeof(*cleaned));
	if (cleaned == NULL)
		return error_set(error, EMBED_NO_MEMORY, "no memory to clean a text");
	cleaned->bytes = bytes;
	cleaned->len = len;
	cleaned->untouched[0].is_verbatim = true;
	cleaned->untouched[1] = (struct embed_clean_span){len, len, true};
	buffer_init(&cleaned->spans, SIZE_MAX);
	if (!clean_is_untouched(bytes, len, flags))
		status = run_stages(cleaned, flags, error);
	if (status != EMBED_OK) {
		clean_destroy(cleaned);
		return status;
	}
	*out = cleaned;
	return EMBED_OK;
}

void clean_destroy(embed_cleaned *cleaned)
{
	if (cleaned == NULL)
		return;
	free(cleaned->owned);
	buffer_fini(&cleaned->spans);
	free(cleaned);
}

const char *clean_bytes(const embed_cleaned *cleaned, size_t *len)
{
	*len = cleaned->len;
	return cleaned->bytes;
}

const struct embed_clean_span *clean_spans(const embed_cleaned *cleaned, size_t *count)
{
	if (cleaned->spans.len == 0) {
		*count = cleaned->len == 0 ? 1 : 2;
		return cleaned->untouched + (cleaned->len == 0);
	}
	*count = cleaned->spans.len / sizeof(struct embed_clean_span);
	return (const struct embed_clean_span *)(const void *)cleaned->spans.bytes;
}

/* The last span that begins at or before `clean`; with deletions in between, the one after them. */
static size_t span_at(const struct embed_clean_span *spans, size_t count, size_t clean)
{
	size_t low = 0;
	size_t high = count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (spans[middle].clean <= clean)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void clean_source_range(const embed_cleaned *cleaned, size_t start, size_t end,
    size_t *source_start, size_t *source_end)
{
	size_t count;
	const struct embed_clean_span *spans = clean_spans(cleaned, &count);
	size_t first = span_at(spans, count, start);
	size_t last = end > start ? span_at(spans, count, end - 1) : first;

	*source_start = spans[first].source;
	if (spans[first].is_verbatim)
		*source_start += start - spans[first].clean;
	if (end <= start)
		*source_end = *source_start;
	else if (spans[last].is_verbatim)
		*source_end = spans[last].source + (end - spans[last].clean);
	else
		*source_end = spans[last + 1].source;
}
