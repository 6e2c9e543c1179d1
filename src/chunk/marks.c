/* SPDX-License-Identifier: MIT */
/* Places to cut that several strategies share. */
#include <stdlib.h>
#include <string.h>

#include "chunk/packer.h"
#include "text/utf8.h"

void packer_add_mark(struct chunker *chunker, size_t offset, unsigned level)
{
	struct mark mark = {.offset = offset, .level = level};

	if (offset > 0 && offset < chunker->len)
		buffer_append(&chunker->marks, &mark, sizeof(mark));
}

/* Index of the first mark above `offset`. */
static size_t mark_above(const struct mark *marks, size_t count, size_t offset)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (marks[middle].offset <= offset)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

size_t packer_best_mark(const struct chunker *chunker, size_t floor, size_t reach)
{
	const struct mark *marks = (const void *)chunker->marks.bytes;
	size_t count = chunker->marks.len / sizeof(*marks);
	unsigned best = UINT8_MAX + 1;
	size_t found = 0;

	for (size_t i = mark_above(marks, count, floor); i < count && marks[i].offset <= reach; i++)
		if (marks[i].level <= best) {
			best = marks[i].level;
			found = marks[i].offset;
		}
	return found;
}

size_t packer_first_mark(const struct chunker *chunker, size_t floor, size_t reach, unsigned level)
{
	const struct mark *marks = (const void *)chunker->marks.bytes;
	size_t count = chunker->marks.len / sizeof(*marks);

	for (size_t i = mark_above(marks, count, floor); i < count && marks[i].offset <= reach; i++)
		if (marks[i].level < level)
			return marks[i].offset;
	return 0;
}

size_t packer_last_mark(const struct chunker *chunker, size_t offset, unsigned level)
{
	const struct mark *marks = (const void *)chunker->marks.bytes;
	size_t i =
	    mark_above(marks, chunker->marks.len / sizeof(*marks), offset > 0 ? offset - 1 : 0);

	while (i > 0 && marks[i - 1].level != level)
		i--;
	return i > 0 ? marks[i - 1].offset : 0;
}

void packer_add_heading(struct chunker *chunker, size_t offset, char *path)
{
	struct heading heading = {offset, path};

	buffer_append(&chunker->headings, &heading, sizeof(heading));
	if (chunker->headings.status != EMBED_OK)
		free(path);
}

/* ---- Lines ------------------------------------------------------------------ */

size_t packer_cut_line(struct chunker *chunker, size_t floor, size_t reach)
{
	const char *newline = memrchr(chunker->bytes + floor, '\n', reach - floor);

	return newline == NULL ? 0 : (size_t)(newline - chunker->bytes) + 1;
}

/* The line that ends at `end`, after its line end, begins here. */
static size_t line_start(const struct chunker *chunker, size_t end)
{
	const char *newline = end < 2 ? NULL : memrchr(chunker->bytes, '\n', end - 1);

	return newline == NULL ? 0 : (size_t)(newline - chunker->bytes) + 1;
}

size_t packer_cut_paragraph(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t line = packer_cut_line(chunker, floor, reach);

	while (line > floor) {
		size_t start = line_start(chunker, line);

		if (boundary_is_blank_line(chunker->bytes, start, line))
			return line;
		line = start;
	}
	return 0;
}

size_t packer_overlap_line(struct chunker *chunker, size_t from, size_t end)
{
	size_t next;

	if (from == 0 || chunker->bytes[from - 1] == '\n')
		return from;
	next = boundary_line_end(chunker->bytes, end, from);
	return next < end ? next : packer_overlap_word(chunker, from, end);
}

/* ---- Sentences and words ---------------------------------------------------------- */

size_t packer_cut_sentence(struct chunker *chunker, size_t floor, size_t reach)
{
	struct boundary *finder = packer_finder(chunker, BOUNDARY_SENTENCE);
	size_t found = 0;
	size_t next = floor;

	while (finder != NULL && next < chunker->len) {
		next = boundary_after_until(finder, next, reach);
		if (next > reach)
			break;
		found = next;
	}
	return found;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

size_t packer_overlap_any(struct chunker *chunker, size_t from, size_t end)
{
	(void)chunker;
	(void)end;
	return from;
}

/* In scripts without blanks every character may start an overlap. */
static bool is_wide(const char *bytes)
{
	return (unsigned char)bytes[0] >= 0xe0;
}

size_t packer_overlap_word(struct chunker *chunker, size_t from, size_t end)
{
	const char *bytes = chunker->bytes;

	if (from == 0)
		return from;
	while (from < end && !is_wide(bytes + from) && !is_blank(bytes[from - 1]) &&
	       !is_blank(bytes[from]))
		from++;
	while (from < end && is_blank(bytes[from]))
		from++;
	return from;
}
