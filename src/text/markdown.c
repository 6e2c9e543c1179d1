/* SPDX-License-Identifier: MIT */
#include "text/markdown.h"

#include <string.h>

#include "text/clean_stage.h"
#include "text/utf8.h"

#define CODE_INDENT 4
#define TAB_WIDTH   4

void markdown_lines_init(
    struct markdown_lines *lines, const char *bytes, size_t len, bool is_markdown)
{
	*lines = (struct markdown_lines){
	    .bytes = bytes, .len = len, .is_markdown = is_markdown, .after_blank = true};
}

/* The line that starts at `start`, its kind not yet known. */
static struct markdown_line line_at(const struct markdown_lines *lines, size_t start)
{
	struct markdown_line line = {.start = start, .text_end = lines->len, .end = lines->len};
	const char *newline = memchr(lines->bytes + start, '\n', lines->len - start);

	if (newline == NULL)
		return line;
	line.text_end = (size_t)(newline - lines->bytes);
	line.end = line.text_end + 1;
	if (line.text_end > start && lines->bytes[line.text_end - 1] == '\r')
		line.text_end--;
	return line;
}

static bool is_blank(const struct markdown_lines *lines, const struct markdown_line *line)
{
	size_t at = line->start;

	while (at < line->text_end) {
		size_t size;

		if (!clean_is_blank(utf8_decode(lines->bytes + at, line->text_end - at, &size)))
			return false;
		at += size;
	}
	return true;
}

static bool is_indented(const struct markdown_lines *lines, const struct markdown_line *line)
{
	size_t columns = 0;

	for (size_t at = line->start; at < line->text_end && columns < CODE_INDENT; at++) {
		if (lines->bytes[at] == '\t')
			columns += TAB_WIDTH - columns % TAB_WIDTH;
		else if (lines->bytes[at] == ' ')
			columns++;
		else
			break;
	}
	return columns >= CODE_INDENT;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Skips indentation and quote marks. */
static size_t skip_quote(const struct markdown_lines *lines, const struct markdown_line *line)
{
	size_t at = line->start;

	while (at < line->text_end && (is_space(lines->bytes[at]) || lines->bytes[at] == '>'))
		at++;
	return at;
}

/* Skips "- ", "* ", "+ ", "1. ", "1) " if there. */
static size_t skip_item(const char *bytes, size_t at, size_t end)
{
	size_t mark = at;

	while (mark < end && bytes[mark] >= '0' && bytes[mark] <= '9')
		mark++;
	if (mark >= end || strchr(mark > at ? ".)" : "-*+", bytes[mark]) == NULL ||
	    bytes[mark] == '\0')
		return at;
	mark++;
	if (mark >= end || !is_space(bytes[mark]))
		return at;
	while (mark < end && is_space(bytes[mark]))
		mark++;
	return mark;
}

/* How many times `mark` stands at `at`. */
static size_t count_marks(const struct markdown_lines *lines, size_t at, size_t end, char mark)
{
	size_t start = at;

	while (at < end && lines->bytes[at] == mark)
		at++;
	return at - start;
}

static bool opens_fence(struct markdown_lines *lines, const struct markdown_line *line)
{
	size_t at = skip_item(lines->bytes, skip_quote(lines, line), line->text_end);
	char mark = at < line->text_end ? lines->bytes[at] : '\0';
	size_t count;

	if (mark != '`' && mark != '~')
		return false;
	count = count_marks(lines, at, line->text_end, mark);
	if (count < 3)
		return false;
	at += count;
	/* "```x```" is inline code. */
	if (mark == '`' && memchr(lines->bytes + at, '`', line->text_end - at) != NULL)
		return false;
	lines->fence = mark;
	lines->fence_len = count;
	return true;
}

static bool closes_fence(const struct markdown_lines *lines, const struct markdown_line *line)
{
	size_t at = skip_quote(lines, line);
	size_t count = count_marks(lines, at, line->text_end, lines->fence);

	if (count < lines->fence_len)
		return false;
	for (at += count; at < line->text_end; at++)
		if (!is_space(lines->bytes[at]))
			return false;
	return true;
}

/* Do the blank lines from here on end in more indented code? */
static bool blank_is_code(struct markdown_lines *lines, size_t at)
{
	if (at < lines->blank_until)
		return lines->blank_is_code;
	lines->blank_is_code = false;
	while (at < lines->len) {
		struct markdown_line line = line_at(lines, at);

		if (!is_blank(lines, &line)) {
			lines->blank_is_code = is_indented(lines, &line);
			break;
		}
		at = line.end;
	}
	lines->blank_until = at;
	return lines->blank_is_code;
}

static enum markdown_kind kind_of(struct markdown_lines *lines, struct markdown_line *line)
{
	bool is_empty;

	if (lines->is_markdown && lines->fence != 0) {
		if (closes_fence(lines, line))
			lines->fence = 0;
		return MARKDOWN_CODE;
	}
	is_empty = is_blank(lines, line);
	if (!lines->is_markdown)
		return is_empty ? MARKDOWN_BLANK : MARKDOWN_TEXT;
	if (is_empty)
		return lines->is_indented && blank_is_code(lines, line->start) ? MARKDOWN_CODE
									       : MARKDOWN_BLANK;
	if ((lines->is_indented || lines->after_blank) && is_indented(lines, line)) {
		line->is_block_start = !lines->is_indented;
		return MARKDOWN_CODE;
	}
	if (opens_fence(lines, line)) {
		line->is_block_start = true;
		return MARKDOWN_CODE;
	}
	return MARKDOWN_TEXT;
}

bool markdown_next_line(struct markdown_lines *lines, struct markdown_line *line)
{
	bool was_fenced = lines->fence != 0;

	if (lines->at >= lines->len)
		return false;
	*line = line_at(lines, lines->at);
	line->kind = kind_of(lines, line);
	lines->at = line->end;
	lines->after_blank = line->kind == MARKDOWN_BLANK;
	lines->is_indented = line->kind == MARKDOWN_CODE && !was_fenced && lines->fence == 0;
	return true;
}

/* ---- What a TEXT line is ------------------------------------------------ */

static size_t skip_spaces(const char *bytes, size_t at, size_t end)
{
	while (at < end && is_space(bytes[at]))
		at++;
	return at;
}

static size_t trim_end(const char *bytes, size_t start, size_t end)
{
	while (end > start && is_space(bytes[end - 1]))
		end--;
	return end;
}

unsigned markdown_heading(
    const char *bytes, size_t start, size_t end, size_t *title_start, size_t *title_end)
{
	size_t at = skip_spaces(bytes, start, end);
	unsigned level = 0;

	while (at < end && bytes[at] == '#' && level < 7) {
		at++;
		level++;
	}
	if (level == 0 || level > 6 || (at < end && !is_space(bytes[at])))
		return 0;
	at = skip_spaces(bytes, at, end);
	end = trim_end(bytes, at, end);
	while (end > at && bytes[end - 1] == '#')
		end--;
	*title_start = at;
	*title_end = trim_end(bytes, at, end);
	return level;
}

unsigned markdown_underline(const char *bytes, size_t start, size_t end)
{
	size_t at = skip_spaces(bytes, start, end);
	size_t last = trim_end(bytes, at, end);
	char mark = at < last ? bytes[at] : '\0';

	if (mark != '=' && mark != '-')
		return 0;
	while (at < last && bytes[at] == mark)
		at++;
	if (at < last)
		return 0;
	return mark == '=' ? 1 : 2;
}

bool markdown_is_item(const char *bytes, size_t start, size_t end)
{
	size_t at = skip_spaces(bytes, start, end);

	return skip_item(bytes, at, end) > at;
}

bool markdown_is_row(const char *bytes, size_t start, size_t end)
{
	size_t at = skip_spaces(bytes, start, end);

	return at < end && bytes[at] == '|';
}
