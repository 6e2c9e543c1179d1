/* SPDX-License-Identifier: MIT */
/*
 * HTML, cut as it stands, tags and all: before headings, then between blocks,
 * then between lines and cells, then between words.  A tag is cut only when it
 * does not fit by itself.  Chunks know their heading path.
 */
#include "text/html.h"

#include <stdlib.h>

#include "chunk/outline.h"

enum level {
	LEVEL_HEADING = 0, /* and the five below it */
	LEVEL_BLOCK = 6,
	LEVEL_LINE,
	LEVEL_CELL,
	LEVEL_TAG_START, /* these two only tell where tags are */
	LEVEL_TAG_END,
};

struct reader {
	struct chunker *chunker;
	struct outline outline;
	unsigned heading; /* level of the one that is open; 0: none */
	size_t heading_start;
	size_t heading_end; /* of the last one and the blanks after it; 0: none */
	struct buffer title;
};

/* A heading is not left alone at the end of a chunk. */
static bool is_after_heading(struct reader *reader, const struct html_tag *tag)
{
	if (reader->heading_end == 0)
		return false;
	while (reader->heading_end < tag->start &&
	       html_is_space(reader->chunker->bytes[reader->heading_end]))
		reader->heading_end++;
	return reader->heading_end == tag->start;
}

static void mark_tag(struct reader *reader, const struct html_tag *tag)
{
	static const unsigned levels[] = {[HTML_LINE] = LEVEL_LINE,
	    [HTML_PARAGRAPH] = LEVEL_BLOCK,
	    [HTML_CELL] = LEVEL_CELL,
	    [HTML_RAW] = LEVEL_BLOCK};
	unsigned level = levels[tag->role];

	if (tag->heading > 0 && !tag->is_closing)
		level = LEVEL_HEADING + tag->heading - 1;
	if (tag->role != HTML_INLINE && !tag->is_closing && !is_after_heading(reader, tag))
		packer_add_mark(reader->chunker, tag->start, level);
	packer_add_mark(reader->chunker, tag->start, LEVEL_TAG_START);
	packer_add_mark(reader->chunker, tag->end, LEVEL_TAG_END);
	if (tag->heading > 0 && tag->is_closing)
		reader->heading_end = tag->end;
	else if (tag->role != HTML_INLINE && tag->is_closing)
		packer_add_mark(reader->chunker, tag->end, level);
}

/* The text of an open heading, blanks folded and references read. */
static void add_title(struct reader *reader, size_t at, size_t end)
{
	const char *bytes = reader->chunker->bytes;
	struct buffer *title = &reader->title;

	while (at < end && title->len < OUTLINE_TITLE_BYTES) {
		char text[6];
		size_t text_len;
		size_t len = html_reference(bytes + at, end - at, text, &text_len);

		if (len > 0)
			buffer_append(title, text, text_len);
		else if (!html_is_space(bytes[at]))
			buffer_append_char(title, bytes[at]);
		else if (title->len > 0 && title->bytes[title->len - 1] != ' ')
			buffer_append_char(title, ' ');
		at += len > 0 ? len : 1;
	}
	if (title->status == EMBED_NO_MEMORY)
		reader->chunker->status = EMBED_NO_MEMORY;
}

static void read_heading(struct reader *reader, const struct html_tag *tag)
{
	if (reader->heading > 0 && tag->role != HTML_INLINE) {
		if (reader->title.len > 0)
			outline_enter(&reader->outline, reader->chunker, reader->heading_start,
			    reader->heading, reader->title.bytes, reader->title.len);
		reader->heading = 0;
	}
	if (tag->heading > 0 && !tag->is_closing) {
		reader->heading = tag->heading;
		reader->heading_start = tag->start;
		buffer_reset(&reader->title);
	}
}

static enum embed_status prepare(struct chunker *chunker)
{
	struct reader reader = {.chunker = chunker};
	struct html_scanner scanner;
	struct html_tag tag;
	size_t at = 0;

	buffer_init(&reader.title, 2 * OUTLINE_TITLE_BYTES);
	html_scanner_init(&scanner, chunker->bytes, chunker->len);
	while (html_next(&scanner, at, &tag)) {
		if (reader.heading > 0)
			add_title(&reader, at, tag.start);
		mark_tag(&reader, &tag);
		read_heading(&reader, &tag);
		at = tag.end;
	}
	buffer_fini(&reader.title);
	return EMBED_OK;
}

/* The start of the tag that `offset` lies inside of, or `offset`. */
static size_t outside_tag(const struct chunker *chunker, size_t offset)
{
	size_t start = packer_last_mark(chunker, offset, LEVEL_TAG_START);
	size_t end = packer_last_mark(chunker, offset, LEVEL_TAG_END);

	return start > end || (start != 0 && start == end) ? start : offset;
}

static bool is_after_space(const struct chunker *chunker, size_t offset)
{
	return html_is_space(chunker->bytes[offset - 1]) && offset < chunker->len &&
	       !html_is_space(chunker->bytes[offset]);
}

/* The last word's start that is in no tag, else the last tag's start. */
static size_t cut_text(const struct chunker *chunker, size_t floor, size_t reach)
{
	size_t last = outside_tag(chunker, reach);
	size_t at = last;

	while (at > floor) {
		if (outside_tag(chunker, at) < at) {
			at = outside_tag(chunker, at);
			continue;
		}
		if (is_after_space(chunker, at))
			return at;
		at--;
	}
	return last > floor ? last : 0;
}

static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t found = packer_best_mark(chunker, floor, reach);

	if (found != 0 && packer_first_mark(chunker, found - 1, found, LEVEL_TAG_START) != 0)
		return found;
	return cut_text(chunker, floor, reach);
}

/* A word's start in the text, not inside a tag. */
static size_t overlap(struct chunker *chunker, size_t from, size_t end)
{
	size_t next = packer_overlap_word(chunker, from, end);

	while (next < end && outside_tag(chunker, next) < next)
		next = packer_overlap_word(chunker, next + 1, end);
	return next;
}

const struct strategy strategy_html = {.prepare = prepare, .cut = cut, .overlap = overlap};
