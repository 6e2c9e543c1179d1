/* SPDX-License-Identifier: MIT */
/*
 * Hyphenation at line ends: a letter, a hyphen, a line end and a lower-case
 * letter make one word.  An upper-case letter after the line end keeps the
 * hyphen ("Jean-\nPaul"), and so does code in markdown.
 */
#include <unicode/uchar.h>

#include "text/clean_stage.h"
#include "text/markdown.h"
#include "text/utf8.h"

static size_t skip_blanks(const struct edits *edits, size_t at)
{
	while (at < edits->in_len) {
		size_t size;

		if (!clean_is_blank(utf8_decode(edits->in + at, edits->in_len - at, &size)))
			break;
		at += size;
	}
	return at;
}

/* Where the word goes on after a hyphen that ends at `at`, or 0. */
static size_t word_goes_on(const struct edits *edits, size_t at)
{
	size_t size;

	at = skip_blanks(edits, at);
	if (at < edits->in_len && edits->in[at] == '\r')
		at++;
	if (at >= edits->in_len || edits->in[at] != '\n')
		return 0;
	at = skip_blanks(edits, at + 1);
	if (at >= edits->in_len)
		return 0;
	return u_charType((UChar32)utf8_decode(edits->in + at, edits->in_len - at, &size)) ==
		       U_LOWERCASE_LETTER
		   ? at
		   : 0;
}

static bool follows_letter(const struct edits *edits, size_t at)
{
	size_t size;
	size_t start;

	if (at == 0)
		return false;
	start = utf8_floor(edits->in, at, at - 1);
	return U_GET_GC_MASK((UChar32)utf8_decode(edits->in + start, at - start, &size)) &
	       (U_GC_L_MASK | U_GC_M_MASK);
}

/* Bytes of the hyphen at `at`: "-" or U+2010; 0: none. */
static size_t hyphen_len(const struct edits *edits, size_t at)
{
	const char *in = edits->in + at;

	if (in[0] == '-')
		return 1;
	if (edits->in_len - at >= 3 && in[0] == '\xe2' && in[1] == '\x80' && in[2] == '\x90')
		return 3;
	return 0;
}

/* The hyphens of [start, end), which lies in one line. */
static void join_words(struct edits *edits, size_t start, size_t end)
{
	for (size_t at = start; at < end; at++) {
		size_t len = hyphen_len(edits, at);
		size_t next;

		if (len == 0 || !follows_letter(edits, at))
			continue;
		next = word_goes_on(edits, at + len);
		if (next == 0)
			continue;
		edits_keep(edits, at - edits->taken);
		edits_drop(edits, next - at);
		return;
	}
}

enum embed_status clean_hyphens(struct edits *edits, uint32_t flags)
{
	struct markdown_lines lines;
	struct markdown_line line;

	markdown_lines_init(&lines, edits->in, edits->in_len, (flags & EMBED_CLEAN_MARKDOWN) != 0);
	while (markdown_next_line(&lines, &line))
		if (line.kind == MARKDOWN_TEXT)
			join_words(edits, line.start, line.text_end);
	return edits_finish(edits);
}
