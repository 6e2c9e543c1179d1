/* SPDX-License-Identifier: MIT */
/*
 * HTML to text.  Between two words there is a gap of blanks and tags; how the
 * gap looks in the text depends on the strongest thing in it.
 */
#include <string.h>

#include "text/clean_stage.h"
#include "text/html.h"

struct gap {
	size_t len; /* input bytes in it */
	bool has_space, has_cell;
	uint8_t newlines;
};

struct reader {
	struct edits *edits;
	struct html_scanner scanner;
	struct gap gap;
	size_t preformatted; /* depth of <pre> */
};

static void close_gap(struct reader *reader, bool is_end)
{
	static const char *const newlines[] = {"", "\n", "\n\n"};
	const struct gap *gap = &reader->gap;
	const char *with = "";

	if (is_end || edits_is_at_start(reader->edits))
		with = "";
	else if (gap->newlines > 0)
		with = newlines[gap->newlines];
	else if (gap->has_cell)
		with = "\t";
	else if (gap->has_space)
		with = " ";
	if (gap->len > 0)
		edits_replace(reader->edits, gap->len, with, strlen(with));
	reader->gap = (struct gap){0};
}

static void add_tag(struct reader *reader, const struct html_tag *tag)
{
	struct gap *gap = &reader->gap;

	gap->len += tag->end - tag->start;
	if (tag->role == HTML_PARAGRAPH)
		gap->newlines = 2;
	else if (tag->role == HTML_LINE && gap->newlines == 0)
		gap->newlines = 1;
	else if (tag->role == HTML_CELL && tag->is_closing)
		gap->has_cell = true;
	if (tag->is_preformatted && !tag->is_closing)
		reader->preformatted++;
	else if (tag->is_preformatted && reader->preformatted > 0)
		reader->preformatted--;
}

static bool is_folded(const struct reader *reader, char byte)
{
	return reader->preformatted == 0 && html_is_space(byte);
}

/* Bytes from `at` that are neither blank to fold nor a reference. */
static size_t plain_len(const struct reader *reader, size_t at, size_t end)
{
	const char *in = reader->edits->in;
	size_t start = at;

	while (at < end && in[at] != '&' && !is_folded(reader, in[at]))
		at++;
	return at - start;
}

/* The text between two tags. */
static void add_text(struct reader *reader, size_t at, size_t end)
{
	const char *in = reader->edits->in;

	while (at < end) {
		char with[6];
		size_t with_len;
		size_t len;

		if (is_folded(reader, in[at])) {
			reader->gap.len++;
			reader->gap.has_space = true;
			at++;
			continue;
		}
		close_gap(reader, false);
		len = html_reference(in + at, end - at, with, &with_len);
		if (len > 0) {
			edits_replace(reader->edits, len, with, with_len);
		} else {
			len = in[at] == '&' ? 1 : plain_len(reader, at, end);
			edits_keep(reader->edits, len);
		}
		at += len;
	}
}

/* Without any tag the text is plain: its lines and blanks stay, only references are read. */
static void decode_references(struct edits *edits)
{
	while (edits->taken < edits->in_len) {
		const char *at = edits->in + edits->taken;
		size_t left = edits->in_len - edits->taken;
		const char *found = memchr(at, '&', left);
		char with[6];
		size_t with_len, len;

		if (found == NULL)
			break;
		edits_keep(edits, (size_t)(found - at));
		left -= (size_t)(found - at);
		len = html_reference(found, left, with, &with_len);
		if (len > 0)
			edits_replace(edits, len, with, with_len);
		else
			edits_keep(edits, 1);
	}
}

enum embed_status clean_html(struct edits *edits, uint32_t flags)
{
	struct reader reader = {.edits = edits};
	struct html_tag tag;
	size_t at = 0;

	(void)flags;
	html_scanner_init(&reader.scanner, edits->in, edits->in_len);
	if (!html_next(&reader.scanner, 0, &tag)) {
		decode_references(edits);
		return edits_finish(edits);
	}
	do {
		add_text(&reader, at, tag.start);
		add_tag(&reader, &tag);
		at = tag.end;
	} while (html_next(&reader.scanner, at, &tag));
	add_text(&reader, at, edits->in_len);
	close_gap(&reader, true);
	return edits_finish(edits);
}

static bool would_be_markup(const struct edits *edits, size_t at, size_t last_close)
{
	return edits->in[at] == '<' && at + 1 < last_close &&
	       html_is_markup_start(edits->in[at + 1]);
}

enum embed_status clean_html_escape(struct edits *edits, uint32_t flags)
{
	const char *close = edits->in_len == 0 ? NULL : memrchr(edits->in, '>', edits->in_len);
	size_t last_close = close == NULL ? 0 : (size_t)(close - edits->in);

	(void)flags;
	for (size_t at = 0; at < edits->in_len; at++) {
		char out[6];
		size_t out_len;

		if (edits->in[at] != '<' && edits->in[at] != '&')
			continue;
		edits_keep(edits, at - edits->taken);
		if (would_be_markup(edits, at, last_close))
			edits_replace(edits, 1, "&lt;", 4);
		else if (html_reference(edits->in + at, edits->in_len - at, out, &out_len) > 0)
			edits_replace(edits, 1, "&amp;", 5);
	}
	return edits_finish(edits);
}
