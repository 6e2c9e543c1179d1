/* SPDX-License-Identifier: MIT */
/*
 * HTML: finding tags and reading character references, tolerantly.
 *
 * This is a scanner, not a parser: it knows where markup begins and ends and
 * what a tag is called, which is all that text extraction and chunking need,
 * and it keeps byte offsets, which the libraries at hand do not.  Any bytes
 * are input; time is linear over a whole document.
 *
 * What is not closed is text: a `<b` without any `>` after it stays as it is.
 *
 * Pure; any thread.
 */
#ifndef TEXT_HTML_H
#define TEXT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a tag means for the text around it. */
enum html_role {
	HTML_INLINE,    /* nothing: <b>, <a>, unknown ones, comments */
	HTML_LINE,      /* a new line: <br>, <li>, <tr>, <div> */
	HTML_PARAGRAPH, /* an empty line: <p>, <h1>, <table>, <pre> */
	HTML_CELL,      /* a tab: <td>, <th> */
	HTML_RAW,       /* its contents are no text: <script>, <style>, <template> */
};

struct html_tag {
	size_t start, end; /* from '<' to after '>' */
	enum html_role role;
	bool is_closing;
	bool is_preformatted; /* <pre>, <textarea> */
	uint8_t heading;      /* 1 to 6 for <h1> to <h6>, else 0 */
};

/* Walks the markup of one document. */
struct html_scanner {
	const char *bytes;
	size_t len;
	bool has_no_more;     /* the rest is text */
	bool has_no_quote[2]; /* no further " or ' */
};

void html_scanner_init(struct html_scanner *scanner, const char *bytes, size_t len);

/*
 * The first tag, comment or declaration at or after `offset`; false when none
 * is left.  Offsets of successive calls must not go down.  An opening RAW tag
 * reaches to the end of its element, so its contents are never seen.
 */
bool html_next(struct html_scanner *scanner, size_t offset, struct html_tag *tag);

/*
 * Reads the character reference at the start of `bytes` ("&amp;", "&#233;"):
 * returns its length and writes 1 to 6 bytes of UTF-8, or returns 0 when
 * there is none.  Looks at most HTML_REFERENCE_MAX bytes far.
 */
#define HTML_REFERENCE_MAX 34
size_t html_reference(const char *bytes, size_t len, char out[6], size_t *out_len);

/* Could a `<` followed by this byte begin markup? */
bool html_is_markup_start(char next);

/* Blank, tab, LF, CR, FF: what HTML folds. */
bool html_is_space(char byte);

#endif
