/* SPDX-License-Identifier: MIT */
/*
 * Batch file: the lines and objects of OpenAI's Batch API (PROTOCOL.md 8).
 *
 * Lines are read in place: strings are unescaped where they lie and `body` is
 * left as raw JSON, to be given to wire/request.h, wire/reply.h or
 * wire/fault.h.  Objects are small and read with jansson into plain structs.
 *
 * Threads: none; one owner each.
 */
#ifndef WIRE_BATCH_FILE_H
#define WIRE_BATCH_FILE_H

#include <embed.h>

#include "base/buffer.h"
#include "wire/request.h"

/* ---- Lines ---------------------------------------------------------- */

/* One line of an input file; pointers into the line. */
struct batch_input_line {
	struct wire_string custom_id;
	struct wire_string method;
	struct wire_string url;
	enum wire_kind body_kind; /* WIRE_OBJECT when it is fit to be read */
	char *body;
	size_t body_len;
};

/*
 * Reads a line (without its line end), changing it.  EMBED_OK: it is a JSON
 * object, whatever the fields hold; else EMBED_BAD_FORMAT, EMBED_BAD_UTF8 or
 * EMBED_TOO_LARGE with the byte in error->offset.
 */
enum embed_status batch_input_line_read(
    struct batch_input_line *line, char *bytes, size_t len, struct embed_error *error);

/*
 * Writes a line with its newline: begin, inputs through `writer`, end.
 * wire_request_add_text and _add_ids go between the two.
 */
void batch_input_line_begin(struct wire_request_writer *writer, struct buffer *out,
    const char *custom_id, const char *model);
enum embed_status batch_input_line_end(
    struct wire_request_writer *writer, const struct wire_request_tail *tail);

/* One line of an output or error file; pointers into the line. */
struct batch_output_line {
	struct wire_string id;
	struct wire_string custom_id;
	bool has_response; /* false: `response` is null, see the error */
	int64_t status_code;
	struct wire_string request_id;
	char *body;
	size_t body_len;
	struct wire_string error_code;
	struct wire_string error_message;
};

enum embed_status batch_output_line_read(
    struct batch_output_line *line, char *bytes, size_t len, struct embed_error *error);

/* An answered or refused request; `body` is JSON without newlines.  Ends with a newline. */
void batch_output_line_write(struct buffer *out, const char *id, const char *custom_id,
    int status_code, const char *request_id, const char *body, size_t body_len);

/* One that was not run: response null, error {code, message}. */
void batch_output_line_write_error(struct buffer *out, const char *id, const char *custom_id,
    const char *code, const char *message);

/* ---- Objects -------------------------------------------------------- */

/* Times are seconds since 1970; 0 is null on the wire, and "" too. */
struct batch_file_object {
	char id[96];
	char purpose[32];
	char filename[256];
	char status[32];
	int64_t bytes;
	int64_t created_s;
	int64_t expires_s;
};

enum batch_status {
	BATCH_VALIDATING,
	BATCH_FAILED,
	BATCH_IN_PROGRESS,
	BATCH_FINALIZING,
	BATCH_COMPLETED,
	BATCH_EXPIRED,
	BATCH_CANCELLING,
	BATCH_CANCELLED,
	BATCH_STATUS_COUNT,
};

const char *batch_status_name(enum batch_status status);

struct batch_failure {
	char code[64];
	int64_t line; /* from 1; 0: null */
	char message[256];
	char param[64]; /* "": null */
};

struct batch_object {
	char id[96];
	char endpoint[64];
	char model[128];
	char input_file_id[96];
	char completion_window[16];
	enum batch_status status;
	char output_file_id[96];
	char error_file_id[96];
	int64_t created_s;
	int64_t in_progress_s;
	int64_t expires_s;
	int64_t finalizing_s;
	int64_t completed_s;
	int64_t failed_s;
	int64_t expired_s;
	int64_t cancelling_s;
	int64_t cancelled_s;
	int64_t total;
	int64_t completed;
	int64_t failed;
	int64_t input_tokens;
	/* For the writer all failures; the reader gives their count and the first. */
	const struct batch_failure *failures;
	size_t failure_count;
	struct batch_failure first_failure;
	const char *metadata; /* writer only: JSON object text, or NULL */
};

/* Indented by 2 at `indent` levels, no newline at the end (so that lists can hold them). */
void batch_file_object_write(struct buffer *out, const struct batch_file_object *file, int indent);
void batch_object_write(struct buffer *out, const struct batch_object *batch, int indent);

/* EMBED_BAD_FORMAT when it is not such an object; unknown keys are ignored. */
enum embed_status batch_file_object_read(
    struct batch_file_object *file, const char *bytes, size_t len, struct embed_error *error);
enum embed_status batch_object_read(
    struct batch_object *batch, const char *bytes, size_t len, struct embed_error *error);

#endif
