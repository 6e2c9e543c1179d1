/* SPDX-License-Identifier: MIT */
/*
 * Markdown: which lines are code, which are headings, tables, lists.
 *
 * A line reader after CommonMark's rules for blocks, as far as cutting and
 * cleaning need them: code fences (inside quotes and lists too), indented
 * code, ATX and setext headings, tables, list items, quotes.  Inline markup is
 * not looked at.  With `is_markdown` false the same reader gives the lines of
 * plain text, which are TEXT or BLANK only.
 *
 * Lines end with LF or CR LF.  Pure; linear; any thread.
 */
#ifndef TEXT_MARKDOWN_H
#define TEXT_MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum markdown_kind {
	MARKDOWN_TEXT,
	MARKDOWN_BLANK, /* nothing but blanks */
	MARKDOWN_CODE,  /* of a fenced or indented block, its fences included */
};

struct markdown_line {
	size_t start;    /* of the line */
	size_t text_end; /* before its line end */
	size_t end;      /* after it */
	enum markdown_kind kind;
	bool is_block_start; /* CODE: the block's first line */
};

struct markdown_lines {
	const char *bytes;
	size_t len;
	size_t at;
	bool is_markdown;
	char fence; /* '`' or '~' while inside a fence, else 0 */
	size_t fence_len;
	bool is_indented;   /* the last line was indented code */
	bool after_blank;   /* ... or blank, or there was none */
	size_t blank_until; /* blank lines before this offset were looked at: */
	bool blank_is_code; /* ... and belong to indented code or not */
};

void markdown_lines_init(
    struct markdown_lines *lines, const char *bytes, size_t len, bool is_markdown);

/* False at the end of the text. */
bool markdown_next_line(struct markdown_lines *lines, struct markdown_line *line);

/* ---- What a TEXT line is; all take its [start, text_end) ---------------- */

/* 1 to 6 for "# Title", 0 for no heading; the title without its marks. */
unsigned markdown_heading(
    const char *bytes, size_t start, size_t end, size_t *title_start, size_t *title_end);

/* 1 for a line of "=", 2 for one of "-" (which makes the paragraph above a heading), else 0. */
unsigned markdown_underline(const char *bytes, size_t start, size_t end);

/* Begins with "- ", "* ", "+ ", "1. " or "1) ". */
bool markdown_is_item(const char *bytes, size_t start, size_t end);

/* A row of a table: begins with "|". */
bool markdown_is_row(const char *bytes, size_t start, size_t end);

#endif
