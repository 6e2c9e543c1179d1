/* SPDX-License-Identifier: MIT */
/*
 * Code, of any language: what programmers do for readers shows where the parts
 * are.  A line that follows an empty one and is not indented begins a part of
 * the file; the deeper a line is indented (or, in code without indentation,
 * the more brackets are open), the worse a place it is.  A line that only
 * closes or opens something belongs to the line above.
 */
#include <string.h>

#include "chunk/packer.h"

#define TAB_WIDTH         4
#define MAX_DEPTH         15
#define ATTACHED          (2 * MAX_DEPTH + 2) /* level of lines that belong to the one above */
#define COLUMNS_PER_DEPTH 2

struct line {
	size_t start, text, end; /* `text`: its first byte that is no blank */
};

static struct line line_at(const struct chunker *chunker, size_t start)
{
	struct line line = {.start = start, .text = start};

	line.end = boundary_line_end(chunker->bytes, chunker->len, start);
	while (line.text < line.end && strchr(" \t\r\n", chunker->bytes[line.text]) != NULL &&
	       chunker->bytes[line.text] != '\0')
		line.text++;
	return line;
}

static unsigned columns_of(const struct chunker *chunker, const struct line *line)
{
	unsigned columns = 0;

	for (size_t at = line->start; at < line->text && columns < MAX_DEPTH * 4; at++)
		columns += chunker->bytes[at] == '\t' ? TAB_WIDTH : 1;
	return columns;
}

/* Offset after a string that opens at `at`, or the line's end. */
static size_t skip_string(const struct chunker *chunker, size_t at, size_t end)
{
	char quote = chunker->bytes[at++];

	while (at < end && chunker->bytes[at] != quote)
		at += chunker->bytes[at] == '\\' ? 2 : 1;
	return at < end ? at + 1 : end;
}

/* Brackets that the line leaves open, less those that it closes. */
static int balance_of(const struct chunker *chunker, const struct line *line)
{
	int balance = 0;
	size_t at = line->text;

	while (at < line->end) {
		switch (chunker->bytes[at]) {
		case '{':
		case '[':
		case '(':
			balance++;
			break;
		case '}':
		case ']':
		case ')':
			balance--;
			break;
		case '"':
			at = skip_string(chunker, at, line->end);
			continue;
		default:
			break;
		}
		at++;
	}
	return balance;
}

static bool belongs_above(const struct chunker *chunker, const struct line *line)
{
	static const char *const words[] = {
	    "end", "else", "elif", "except", "finally", "catch", "fi", "done", "esac"};
	const char *text = chunker->bytes + line->text;
	size_t len = line->end - line->text;

	if (len > 0 && memchr("}]){(", text[0], 5) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t word = strlen(words[i]);

		if (len >= word && memcmp(text, words[i], word) == 0 &&
		    (len == word || strchr(" \t\r\n:;({", text[word]) != NULL))
			return true;
	}
	return false;
}

static unsigned level_of(
    const struct chunker *chunker, const struct line *line, bool after_blank, int open)
{
	unsigned depth = columns_of(chunker, line) / COLUMNS_PER_DEPTH;

	if (belongs_above(chunker, line))
		return ATTACHED;
	if (line->text == line->start && open > 0)
		depth = (unsigned)open;
	if (depth > MAX_DEPTH)
		depth = MAX_DEPTH;
	return 2 * depth + !after_blank;
}

static enum embed_status prepare(struct chunker *chunker)
{
	bool after_blank = false;
	int open = 0;
	size_t at = 0;

	while (at < chunker->len) {
		struct line line = line_at(chunker, at);

		if (line.text == line.end) {
			after_blank = true;
		} else {
			packer_add_mark(chunker, at, level_of(chunker, &line, after_blank, open));
			open += balance_of(chunker, &line);
			if (open < 0)
				open = 0;
			after_blank = false;
		}
		at = line.end;
	}
	return EMBED_OK;
}

static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	return packer_best_mark(chunker, floor, reach);
}

const struct strategy strategy_code = {
    .prepare = prepare, .cut = cut, .overlap = packer_overlap_line};
