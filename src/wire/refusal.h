/* SPDX-License-Identifier: MIT */
/*
 * Refusal: what a server says when it does not answer with vectors, in
 * OpenAI's words and shape (PROTOCOL.md 3).  Every refusal is a row of
 * refusals.def; gateway and emulator write them, wire/fault.h reads them.
 *
 * Threads: any.
 */
#ifndef WIRE_REFUSAL_H
#define WIRE_REFUSAL_H

#include <embed.h>

#include "base/buffer.h"

enum wire_refusal_id {
	WIRE_REFUSAL_NONE,
#define REFUSAL(name, http_status, type, param, code, message) WIRE_REFUSAL_##name,
#include "wire/refusals.def"
#undef REFUSAL
	WIRE_REFUSAL_COUNT
};

struct wire_refusal {
	const char *name; /* "TOO_MANY_INPUTS": for logs, and to choose one by name */
	int http_status;
	const char *type;
	const char *param; /* NULL: null on the wire */
	const char *code;  /* NULL: null on the wire */
	const char *message;
};

/* The row; `id` is not WIRE_REFUSAL_NONE. */
const struct wire_refusal *wire_refusal_row(enum wire_refusal_id id);

/* By row name; WIRE_REFUSAL_NONE when there is none. */
enum wire_refusal_id wire_refusal_find(const char *name);

/*
 * Appends {"error":{...}} and a newline, indented by 2.  One `const char *`
 * for each {} of the row, message first, then param, then code; then NULL.
 * A missing argument leaves its {} empty.
 */
void wire_refusal_write(struct buffer *out, enum wire_refusal_id id, ...) __attribute__((sentinel));

/* The same shape with values of the caller's; param and code may be NULL. */
void wire_error_write(
    struct buffer *out, const char *message, const char *type, const char *param, const char *code);

/*
 * A JSON string with quotes; ill-formed UTF-8 becomes U+FFFD, so that whatever
 * is echoed, what comes out is JSON.
 */
void wire_json_string(struct buffer *out, const char *bytes, size_t len);

#endif
