/* SPDX-License-Identifier: MIT */
/*
 * Boundaries: where a text may be cut without hurting a reader.
 *
 * Paragraphs and lines are found by bytes.  Graphemes, words and sentences
 * follow UAX 29 through ICU (UText over the UTF-8 bytes, dictionaries for
 * Thai, Khmer, Lao, Burmese, Chinese and Japanese words), with two additions
 * for sentences: a full stop after a known abbreviation or an initial ends
 * none, and a blank between Thai letters does, since Thai writes no stops.
 *
 * ICU is asked about windows of at most BOUNDARY_WINDOW bytes, so that time
 * stays linear however long a text runs on without a boundary.
 *
 * Ownership: a finder is its creator's; the text is borrowed until the next
 * boundary_set_text or the end.  Threads: one at a time per finder.
 */
#ifndef TEXT_BOUNDARY_H
#define TEXT_BOUNDARY_H

#include <stdbool.h>

#include <embed.h>

#define BOUNDARY_WINDOW ((size_t)16 << 10)

enum boundary_kind {
	BOUNDARY_GRAPHEME,
	BOUNDARY_WORD, /* at a word's start and end, blanks between */
	BOUNDARY_SENTENCE,
};

struct boundary;

/* `locale` ("de", "pt_BR"; NULL is root) tailors word and sentence rules.  EMBED_BAD_OPTION: ICU has no rules for it. */
enum embed_status boundary_create(
    struct boundary **out, enum boundary_kind kind, const char *locale, struct embed_error *error);
void boundary_destroy(struct boundary *boundary);

/* The text to look at; costs little. */
void boundary_set_text(struct boundary *boundary, const char *bytes, size_t len);

/* First boundary after `offset`; `len` at the latest.  offset < len. */
size_t boundary_after(struct boundary *boundary, size_t offset);

/*
 * The same for who has no use for a boundary above `until`: when there is none
 * up to it, any place above it may be told.  A window is then looked through
 * once, however many places in it are asked about.  offset <= until <= len.
 */
size_t boundary_after_until(struct boundary *boundary, size_t offset, size_t until);

/*
 * Last boundary at or before `offset` that is above `floor`, or `floor` when
 * there is none.  floor <= offset <= len.
 */
size_t boundary_before(struct boundary *boundary, size_t floor, size_t offset);

/*
 * EMBED_NO_MEMORY once a look failed for want of it: what was told since may be no boundary.  What ICU
 * runs out of inside a look it does not tell; then a boundary may be another than with memory.
 */
enum embed_status boundary_status(const struct boundary *boundary);

/* ---- By bytes -------------------------------------------------------- */

/* The offset after the next line end (LF, CR LF), or `len`. */
size_t boundary_line_end(const char *bytes, size_t len, size_t offset);

/* Only blanks and a line end. */
bool boundary_is_blank_line(const char *bytes, size_t start, size_t end);

#endif
