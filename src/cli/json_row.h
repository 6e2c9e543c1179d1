/* SPDX-License-Identifier: MIT */
/*
 * JSON row: takes two members out of one JSON object, strictly and without
 * building a document (RFC 8259; duplicate members that matter are refused, nesting is
 * bounded).  Pure.
 *
 * Lone surrogates are refused: they have no UTF-8, and replacing them would
 * give one key to two texts.  Ill-formed UTF-8 inside strings is left for the
 * library to find.
 */
#ifndef CLI_JSON_ROW_H
#define CLI_JSON_ROW_H

#include "cli/item.h"

struct json_row_fields {
	const char *text; /* name of the member that holds the text */
	const char *id;   /* and of the one that holds the id */
};

struct json_row {
	bool has_text, has_id;
	struct span text; /* unescaped, in the buffer */
	struct span id;   /* as it stands, with quotes, in the buffer */
	const char *why;  /* what is wrong, on failure */
	size_t offset;    /* and where in the line */
};

/* EMBED_OK, EMBED_BAD_FORMAT, EMBED_BAD_UTF8 (lone surrogate). */
enum embed_status json_row_read(const char *line, size_t len, const struct json_row_fields *fields,
    struct buffer *buffer, struct json_row *row);

/* Appends `bytes` as a JSON string with quotes; ill-formed UTF-8 becomes U+FFFD. */
void json_append_string(struct buffer *out, const char *bytes, size_t len);

/* Appends JSON text as it stands, but for ill-formed UTF-8, which becomes U+FFFD. */
void json_append_sanitized(struct buffer *out, const char *bytes, size_t len);

#endif
