/* SPDX-License-Identifier: MIT */
/*
 * Markdown: sections first, the larger the better, then blocks (paragraphs,
 * lists, tables, code), then list items, then rows and lines of code.  What
 * looks like a heading inside code is none.  Chunks know their heading path.
 */
#include "text/markdown.h"

#include <string.h>

#include "chunk/outline.h"

enum level {
	LEVEL_HEADING = 0, /* and the five below it */
	LEVEL_BLOCK = 6,
	LEVEL_ITEM,
	LEVEL_LINE,
};

struct reader {
	struct chunker *chunker;
	struct outline outline;
	bool in_block;          /* the line before was text or code */
	bool was_code;          /* ... was code */
	size_t paragraph;       /* where the current paragraph began */
	size_t paragraph_marks; /* how many marks there were before it */
	bool after_heading;     /* nothing but blank lines since one */
	bool is_paragraph;      /* the block is a paragraph, which "===" would make a heading */
};

static void enter(struct reader *reader, size_t offset, unsigned level, size_t start, size_t end)
{
	outline_enter(&reader->outline, reader->chunker, offset, level,
	    reader->chunker->bytes + start, end - start);
}

/* "===" below a paragraph: it was a heading, so its mark is of another level. */
static bool read_underline(struct reader *reader, const struct markdown_line *line)
{
	struct chunker *chunker = reader->chunker;
	unsigned level = markdown_underline(chunker->bytes, line->start, line->text_end);
	size_t title_end = line->start;

	if (!reader->is_paragraph || level == 0)
		return false;
	while (title_end > reader->paragraph &&
	       strchr(" \t\r\n", chunker->bytes[title_end - 1]) != NULL)
		title_end--;
	chunker->marks.len = reader->paragraph_marks * sizeof(struct mark);
	packer_add_mark(chunker, reader->paragraph, LEVEL_HEADING + level - 1);
	enter(reader, reader->paragraph, level, reader->paragraph, title_end);
	reader->in_block = false;
	reader->after_heading = true;
	return true;
}

/*
 * A heading is not left alone at the end of a chunk; only for code and tables,
 * which are worth more whole.
 */
static void mark_block(struct reader *reader, const struct markdown_line *line, bool is_solid)
{
	if (!reader->after_heading)
		packer_add_mark(reader->chunker, line->start, LEVEL_BLOCK);
	else if (is_solid)
		packer_add_mark(reader->chunker, line->start, LEVEL_ITEM);
	reader->after_heading = false;
}

static void begin_block(struct reader *reader, const struct markdown_line *line, bool is_row)
{
	struct chunker *chunker = reader->chunker;

	reader->paragraph = line->start;
	reader->paragraph_marks = chunker->marks.len / sizeof(struct mark);
	mark_block(reader, line, is_row);
}

static void read_text(struct reader *reader, const struct markdown_line *line)
{
	struct chunker *chunker = reader->chunker;
	const char *bytes = chunker->bytes;
	size_t title_start, title_end;
	unsigned level =
	    markdown_heading(bytes, line->start, line->text_end, &title_start, &title_end);
	bool is_item = markdown_is_item(bytes, line->start, line->text_end);
	bool is_row = markdown_is_row(bytes, line->start, line->text_end);
	bool is_first = !reader->in_block || reader->was_code;

	if (level > 0) {
		packer_add_mark(chunker, line->start, LEVEL_HEADING + level - 1);
		enter(reader, line->start, level, title_start, title_end);
		reader->in_block = reader->is_paragraph = false;
		reader->after_heading = true;
		return;
	}
	if (!is_first && read_underline(reader, line))
		return;
	if (is_first)
		begin_block(reader, line, is_row);
	else if (is_item)
		packer_add_mark(chunker, line->start, LEVEL_ITEM);
	else if (is_row)
		packer_add_mark(chunker, line->start, LEVEL_LINE);
	reader->is_paragraph = (is_first || reader->is_paragraph) && !is_item && !is_row;
	reader->in_block = true;
}

static void read_line(struct reader *reader, const struct markdown_line *line)
{
	if (line->kind == MARKDOWN_CODE) {
		packer_add_mark(
		    reader->chunker, line->start, line->is_block_start ? LEVEL_BLOCK : LEVEL_LINE);
		reader->in_block = true;
		reader->is_paragraph = false;
	} else if (line->kind == MARKDOWN_BLANK) {
		reader->in_block = reader->is_paragraph = false;
	} else {
		read_text(reader, line);
	}
	reader->was_code = line->kind == MARKDOWN_CODE;
}

static enum embed_status prepare(struct chunker *chunker)
{
	struct reader reader = {.chunker = chunker};
	struct markdown_lines lines;
	struct markdown_line line;

	markdown_lines_init(&lines, chunker->bytes, chunker->len, true);
	while (markdown_next_line(&lines, &line))
		read_line(&reader, &line);
	return EMBED_OK;
}

static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t found = packer_best_mark(chunker, floor, reach);

	return found != 0 ? found : packer_cut_sentence(chunker, floor, reach);
}

const struct strategy strategy_markdown = {
    .prepare = prepare, .cut = cut, .overlap = packer_overlap_word};
