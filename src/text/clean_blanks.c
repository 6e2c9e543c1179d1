/* SPDX-License-Identifier: MIT */
/*
 * Folding blanks, line by line.  In markdown a line's indentation stays, since
 * it means something, and code stays as it is.
 */
#include "text/clean_stage.h"
#include "text/markdown.h"
#include "text/utf8.h"

#define MAX_NEWLINES 2

bool clean_is_blank(uint32_t code)
{
	return code == ' ' || code == '\t' || code == 0xa0 || code == 0x1680 ||
	       (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
	       code == 0x3000;
}

/* Bytes of the blanks at `at`, up to `end`. */
static size_t blanks_len(const struct edits *edits, size_t at, size_t end)
{
	size_t start = at;

	while (at < end) {
		size_t size;

		if (!clean_is_blank(utf8_decode(edits->in + at, end - at, &size)))
			break;
		at += size;
	}
	return at - start;
}

/* Can a blank begin with this byte? */
static bool may_be_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\xc2' || byte == '\xe1' || byte == '\xe2' ||
	       byte == '\xe3';
}

/*
 * A blank between a bare CR and LF must stay: without it the two would become
 * one line end, and a second cleaning would see another text.
 */
static bool is_needed_at_end(const struct edits *edits, size_t at)
{
	return at > 0 && edits->in[at - 1] == '\r';
}

static void fold_line(struct edits *edits, size_t end)
{
	size_t at = edits->taken;

	while (at < end) {
		size_t len;

		if (!may_be_blank(edits->in[at])) {
			at++;
			continue;
		}
		len = blanks_len(edits, at, end);
		if (len == 0 || (len == 1 && edits->in[at] == ' ' && at + 1 < end)) {
			at++;
			continue;
		}
		edits_keep(edits, at - edits->taken);
		if (at + len < end || is_needed_at_end(edits, at))
			edits_replace(edits, len, " ", 1);
		else
			edits_drop(edits, len);
		at += len;
	}
	edits_keep(edits, end - edits->taken);
}

enum embed_status clean_blanks(struct edits *edits, uint32_t flags)
{
	bool is_markdown = (flags & EMBED_CLEAN_MARKDOWN) != 0;
	struct markdown_lines lines;
	struct markdown_line line;
	int newlines = 0; /* at the end of what was written */

	markdown_lines_init(&lines, edits->in, edits->in_len, is_markdown);
	while (markdown_next_line(&lines, &line)) {
		if (line.kind == MARKDOWN_CODE) {
			edits_keep(edits, line.end - edits->taken);
			newlines = 1;
			continue;
		}
		if (line.kind == MARKDOWN_BLANK && newlines == MAX_NEWLINES) {
			edits_drop(edits, line.end - edits->taken);
			continue;
		}
		if (line.kind == MARKDOWN_TEXT)
			newlines = 0;
		if (line.kind == MARKDOWN_TEXT && is_markdown)
			edits_keep(edits, blanks_len(edits, line.start, line.text_end));
		fold_line(edits, line.text_end);
		edits_keep(edits, line.end - edits->taken);
		newlines += line.end > line.text_end;
	}
	return edits_finish(edits);
}
