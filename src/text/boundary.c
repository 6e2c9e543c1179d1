/* SPDX-License-Identifier: MIT */
#include "text/boundary.h"

#include <stdlib.h>
#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/utext.h>

#include "base/error.h"
#include "text/sentence.h"
#include "text/utf8.h"

/* ICU looks this far past a place to be sure of it; windows reach that much further. */
#define MARGIN ((size_t)512)

struct boundary {
	enum boundary_kind kind;
	UBreakIterator *icu;
	UText window;
	const char *bytes;
	size_t len;
	size_t start, end; /* of the window; equal: none is set */
	enum embed_status status;
};

static const UBreakIteratorType types[] = {
    [BOUNDARY_GRAPHEME] = UBRK_CHARACTER,
    [BOUNDARY_WORD] = UBRK_WORD,
    [BOUNDARY_SENTENCE] = UBRK_SENTENCE,
};

static bool is_known_locale(const char *locale)
{
	return locale[0] == '\0' || strcmp(locale, "root") == 0 ||
	       uloc_getISO3Language(locale)[0] != '\0';
}

enum embed_status boundary_create(
    struct boundary **out, enum boundary_kind kind, const char *locale, struct embed_error *error)
{
	struct boundary *boundary;
	UErrorCode code = U_ZERO_ERROR;

	if (locale == NULL)
		locale = "";
	if (!is_known_locale(locale))
		return error_set(error, EMBED_BAD_OPTION,
		    "no language is known as '%s'; use a locale such as en, de or pt_BR", locale);
	boundary = calloc(1, sizeof(*boundary));
	if (boundary == NULL)
		return error_set(error, EMBED_NO_MEMORY, "no memory for boundary rules");
	boundary->kind = kind;
	boundary->window = (UText)UTEXT_INITIALIZER;
	boundary->icu = ubrk_open(types[kind], locale, NULL, 0, &code);
	if (U_FAILURE(code)) {
		boundary_destroy(boundary);
		if (code == U_MEMORY_ALLOCATION_ERROR)
			return error_set(error, EMBED_NO_MEMORY, "no memory for boundary rules");
		return error_set(error, EMBED_BAD_OPTION,
		    "ICU has no boundary rules for locale '%s' (%s)", locale, u_errorName(code));
	}
	*out = boundary;
	return EMBED_OK;
}

void boundary_destroy(struct boundary *boundary)
{
	if (boundary == NULL)
		return;
	if (boundary->icu != NULL)
		ubrk_close(boundary->icu);
	utext_close(&boundary->window);
	free(boundary);
}

void boundary_set_text(struct boundary *boundary, const char *bytes, size_t len)
{
	boundary->bytes = bytes;
	boundary->len = len;
	boundary->start = boundary->end = 0;
}

/* Lets ICU see [start, end).  On failure (memory) there is no window, and every place is a boundary. */
static void open_window(struct boundary *boundary, size_t start, size_t end)
{
	UErrorCode code = U_ZERO_ERROR;

	boundary->start = boundary->end = 0;
	utext_openUTF8(&boundary->window, boundary->bytes + start, (int64_t)(end - start), &code);
	ubrk_setUText(boundary->icu, &boundary->window, &code);
	if (U_FAILURE(code)) {
		boundary->status = EMBED_NO_MEMORY;
		return;
	}
	boundary->start = start;
	boundary->end = end;
}

enum embed_status boundary_status(const struct boundary *boundary)
{
	return boundary->status;
}

static size_t window_end(const struct boundary *boundary, size_t start, size_t want)
{
	size_t left = boundary->len - start;

	return left <= want ? boundary->len
			    : utf8_floor(boundary->bytes, boundary->len, start + want);
}

/* ---- Forwards --------------------------------------------------------------- */

/* ICU's next boundary in the window; its end when there is none. */
static size_t next_in_window(struct boundary *boundary, size_t offset)
{
	int32_t found = ubrk_following(boundary->icu, (int32_t)(offset - boundary->start));

	return found == UBRK_DONE ? boundary->end : boundary->start + (size_t)found;
}

/* Is a boundary found here what ICU would find with the whole text before it? */
static bool is_sure(const struct boundary *boundary, size_t found)
{
	return boundary->end == boundary->len || found + MARGIN <= boundary->end;
}

static size_t raw_after(struct boundary *boundary, size_t offset, size_t until)
{
	size_t found;

	if (offset >= boundary->start && offset < boundary->end) {
		found = next_in_window(boundary, offset);
		if (is_sure(boundary, found) || (found > until && is_sure(boundary, until)))
			return found;
	}
	open_window(boundary, offset, window_end(boundary, offset, BOUNDARY_WINDOW));
	if (boundary->end == 0)
		return utf8_ceil(boundary->bytes, boundary->len, offset + 1);
	found = next_in_window(boundary, offset);
	if (found >= boundary->end && boundary->end < boundary->len)
		found = sentence_forced_end(boundary->bytes, offset, boundary->end);
	return found;
}

static size_t sentence_after(struct boundary *boundary, size_t offset, size_t until)
{
	const char *bytes = boundary->bytes;
	size_t found = raw_after(boundary, offset, until);
	size_t end, clause;

	while (found < boundary->len && found <= until && found - offset < BOUNDARY_WINDOW &&
	       (sentence_goes_on(bytes, boundary->len, offset, found) ||
		   sentence_without_opening(bytes, offset, found) == offset))
		found = raw_after(boundary, found, until);
	end = found < boundary->len ? sentence_without_opening(bytes, offset, found) : found;
	if (end == offset)
		end = found;
	clause = sentence_thai_clause(bytes, offset, end);
	return clause != 0 ? clause : end;
}

size_t boundary_after_until(struct boundary *boundary, size_t offset, size_t until)
{
	if (boundary->kind == BOUNDARY_SENTENCE)
		return sentence_after(boundary, offset, until);
	return raw_after(boundary, offset, until);
}

size_t boundary_after(struct boundary *boundary, size_t offset)
{
	return boundary_after_until(boundary, offset, boundary->len);
}

/* ---- Backwards ---------------------------------------------------------------- */

/* Between two such characters there is always a grapheme boundary, whatever is around them (GB999). */
static bool are_plain(struct boundary *boundary, size_t offset)
{
	const char *bytes = boundary->bytes;
	size_t before = utf8_floor(bytes, offset, offset - 1);
	size_t size;
	UChar32 left, right;

	if (utf8_floor(bytes, boundary->len, offset) != offset)
		return false;
	left = (UChar32)utf8_decode(bytes + before, offset - before, &size);
	right = (UChar32)utf8_decode(bytes + offset, boundary->len - offset, &size);
	if (left < 0x80 && right < 0x80)
		return !(left == '\r' && right == '\n');
	return u_getIntPropertyValue(left, UCHAR_GRAPHEME_CLUSTER_BREAK) == U_GCB_OTHER &&
	       u_getIntPropertyValue(right, UCHAR_GRAPHEME_CLUSTER_BREAK) == U_GCB_OTHER;
}

/* Where to begin looking, so that the look stays short and begins at a word if it can. */
static size_t look_from(const struct boundary *boundary, size_t floor, size_t offset)
{
	const char *blank;
	size_t from;

	if (offset - floor <= 2 * MARGIN)
		return floor;
	from = utf8_floor(boundary->bytes, boundary->len, offset - 2 * MARGIN);
	if (boundary->kind == BOUNDARY_GRAPHEME)
		return floor;
	blank = memchr(boundary->bytes + from, ' ', MARGIN);
	return blank == NULL ? from : (size_t)(blank - boundary->bytes);
}

size_t boundary_before(struct boundary *boundary, size_t floor, size_t offset)
{
	size_t from;
	int32_t found;

	if (offset >= boundary->len)
		return boundary->len;
	if (offset <= floor)
		return floor;
	if (boundary->kind == BOUNDARY_GRAPHEME && are_plain(boundary, offset))
		return offset;
	from = look_from(boundary, floor, offset);
	open_window(boundary, from, window_end(boundary, offset, MARGIN));
	if (boundary->end == 0)
		return utf8_floor(boundary->bytes, boundary->len, offset);
	if (ubrk_isBoundary(boundary->icu, (int32_t)(offset - from)))
		return offset;
	found = ubrk_preceding(boundary->icu, (int32_t)(offset - from));
	return found == UBRK_DONE || found == 0 ? floor : from + (size_t)found;
}

/* ---- By bytes ------------------------------------------------------------------ */

size_t boundary_line_end(const char *bytes, size_t len, size_t offset)
{
	const char *newline = offset < len ? memchr(bytes + offset, '\n', len - offset) : NULL;

	return newline == NULL ? len : (size_t)(newline - bytes) + 1;
}

bool boundary_is_blank_line(const char *bytes, size_t start, size_t end)
{
	while (start < end && (bytes[start] == ' ' || bytes[start] == '\t' ||
				  bytes[start] == '\r' || bytes[start] == '\n'))
		start++;
	return start == end;
}
