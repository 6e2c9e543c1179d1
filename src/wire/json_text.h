/* SPDX-License-Identifier: MIT */
/*
 * JSON text: scanning and writing JSON strings and skipping values, strictly
 * (RFC 8259).  The inside of wire/request.h and wire/batch_file.h.
 *
 * Threads: any.
 */
#ifndef WIRE_JSON_TEXT_H
#define WIRE_JSON_TEXT_H

#include <embed.h>

#include "base/buffer.h"
#include "wire/request.h"

/* ---- Writing -------------------------------------------------------- */

/* The inside of a string.  The first copies bytes from 0x80 up as they are. */
void json_text_append(struct buffer *out, const char *bytes, size_t len);

/* The second writes U+FFFD for each byte that is not part of well-formed UTF-8. */
void json_text_append_repaired(struct buffer *out, const char *bytes, size_t len);

/* How many bytes json_text_append would write. */
size_t json_text_bytes(const char *bytes, size_t len);

/* ---- Reading -------------------------------------------------------- */

/* What is known of the bytes beyond ASCII from the cursor on. */
enum json_utf8 {
	JSON_UTF8_UNKNOWN, /* none was met yet */
	JSON_UTF8_GOOD,
	JSON_UTF8_BY_CHARACTER, /* not good, or not known quickly: each is looked at */
};

/*
 * A place in a body and what went wrong there.  Functions return false after
 * the first fault, with `at` on it; `status` and `problem` say what it is.
 */
struct json_cursor {
	char *at;
	char *end;
	enum json_utf8 utf8;
	enum embed_status status;
	const char *problem;
};

bool json_fail(struct json_cursor *cursor, enum embed_status status, const char *problem);

static inline void json_skip_blanks(struct json_cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\n' ||
					       *cursor->at == '\r' || *cursor->at == '\t'))
		cursor->at++;
}

/* The next byte after blanks, or '\0' at the end. */
static inline char json_peek(struct json_cursor *cursor)
{
	json_skip_blanks(cursor);
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

/* Takes the mark (after blanks) if it is there. */
static inline bool json_take(struct json_cursor *cursor, char mark)
{
	if (json_peek(cursor) != mark || cursor->at == cursor->end)
		return false;
	cursor->at++;
	return true;
}

/*
 * A string, its opening quote at `at`: unescaped in place and ended by a NUL
 * byte (which takes the closing quote's place, or an earlier one).
 */
bool json_read_string(struct json_cursor *cursor, struct wire_string *string);

/* Any value: checked, left as it is.  `depth`: brackets around it already. */
bool json_skip_value(struct json_cursor *cursor, unsigned depth, enum wire_kind *kind);

/* A number; *integer is set for WIRE_INTEGER. */
bool json_read_number(struct json_cursor *cursor, enum wire_kind *kind, int64_t *integer);

/* "true", "false" or "null". */
bool json_read_name(struct json_cursor *cursor, enum wire_kind *kind);

/* What the value at `at` (after blanks) will be, by its first byte; WIRE_ABSENT: none. */
enum wire_kind json_kind_ahead(struct json_cursor *cursor);

/* Fills `error` from a failed cursor. */
enum embed_status json_error(const struct json_cursor *cursor, const char *begin, size_t index,
    const char *what, struct embed_error *error);

#endif
