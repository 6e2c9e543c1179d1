/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "wire/batch_file.h"
#include "wire/json_text.h"

/* Reads the value of the field `name`; *is_known says whether it was one of the line's. */
typedef bool field_fn(
    void *line, struct json_cursor *cursor, const struct wire_string *name, bool *is_known);

static bool is_named(const struct wire_string *name, const char *text)
{
	return name->len == strlen(text) && memcmp(name->bytes, text, name->len) == 0;
}

static bool read_string(struct json_cursor *cursor, struct wire_string *string)
{
	if (string->kind != WIRE_ABSENT)
		return json_fail(cursor, EMBED_BAD_FORMAT, "a field comes twice");
	if (json_kind_ahead(cursor) == WIRE_STRING)
		return json_read_string(cursor, string);
	return json_skip_value(cursor, 1, &string->kind);
}

/* Leaves the value as it is and says where it lies. */
static bool read_raw(
    struct json_cursor *cursor, char **value, size_t *value_len, enum wire_kind *kind)
{
	if (*value != NULL)
		return json_fail(cursor, EMBED_BAD_FORMAT, "a field comes twice");
	json_skip_blanks(cursor);
	*value = cursor->at;
	if (!json_skip_value(cursor, 1, kind))
		return false;
	*value_len = (size_t)(cursor->at - *value);
	return true;
}

static bool read_member(struct json_cursor *cursor, field_fn *read_field, void *line)
{
	struct wire_string name;
	enum wire_kind kind;
	bool is_known = true;

	if (json_peek(cursor) != '"')
		return json_fail(cursor, EMBED_BAD_FORMAT, "a field name was due");
	if (!json_read_string(cursor, &name))
		return false;
	if (!json_take(cursor, ':'))
		return json_fail(cursor, EMBED_BAD_FORMAT, "a colon was due");
	if (!read_field(line, cursor, &name, &is_known))
		return false;
	return is_known || json_skip_value(cursor, 1, &kind);
}

static bool read_object(struct json_cursor *cursor, field_fn *read_field, void *line)
{
	if (!json_take(cursor, '{'))
		return json_fail(cursor, EMBED_BAD_FORMAT, "a JSON object was due");
	if (json_take(cursor, '}'))
		return true;
	do {
		if (!read_member(cursor, read_field, line))
			return false;
	} while (json_take(cursor, ','));
	return json_take(cursor, '}') ||
	       json_fail(cursor, EMBED_BAD_FORMAT, "a comma or } was due");
}

static enum embed_status read_line(
    char *bytes, size_t len, field_fn *read_field, void *line, struct embed_error *error)
{
	struct json_cursor cursor = {.at = bytes, .end = bytes + len};

	if (read_object(&cursor, read_field, line)) {
		json_skip_blanks(&cursor);
		if (cursor.at == cursor.end)
			return EMBED_OK;
		json_fail(&cursor, EMBED_BAD_FORMAT, "something follows the object");
	}
	return json_error(&cursor, bytes, EMBED_NO_INDEX, "batch line", error);
}

/* ---- Input lines ---------------------------------------------------- */

static bool read_input_field(
    void *context, struct json_cursor *cursor, const struct wire_string *name, bool *is_known)
{
	struct batch_input_line *line = context;

	if (is_named(name, "custom_id"))
		return read_string(cursor, &line->custom_id);
	if (is_named(name, "method"))
		return read_string(cursor, &line->method);
	if (is_named(name, "url"))
		return read_string(cursor, &line->url);
	if (is_named(name, "body"))
		return read_raw(cursor, &line->body, &line->body_len, &line->body_kind);
	*is_known = false;
	return true;
}

enum embed_status batch_input_line_read(
    struct batch_input_line *line, char *bytes, size_t len, struct embed_error *error)
{
	memset(line, 0, sizeof(*line));
	return read_line(bytes, len, read_input_field, line, error);
}

void batch_input_line_begin(struct wire_request_writer *writer, struct buffer *out,
    const char *custom_id, const char *model)
{
	buffer_append_text(out, "{\"custom_id\":");
	wire_json_string(out, custom_id, strlen(custom_id));
	buffer_append_text(out, ",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":");
	wire_request_begin(writer, out, model);
}

enum embed_status batch_input_line_end(
    struct wire_request_writer *writer, const struct wire_request_tail *tail)
{
	(void)wire_request_end(writer, tail);
	buffer_append_text(writer->out, "}\n");
	return writer->out->status;
}

/* ---- Output lines --------------------------------------------------- */

static bool read_response_field(
    void *context, struct json_cursor *cursor, const struct wire_string *name, bool *is_known)
{
	struct batch_output_line *line = context;
	enum wire_kind kind;

	if (is_named(name, "status_code")) {
		if (json_kind_ahead(cursor) != WIRE_NUMBER)
			return json_fail(cursor, EMBED_BAD_FORMAT, "status_code is not a number");
		return json_read_number(cursor, &kind, &line->status_code);
	}
	if (is_named(name, "request_id"))
		return read_string(cursor, &line->request_id);
	if (is_named(name, "body"))
		return read_raw(cursor, &line->body, &line->body_len, &kind);
	*is_known = false;
	return true;
}

static bool read_error_field(
    void *context, struct json_cursor *cursor, const struct wire_string *name, bool *is_known)
{
	struct batch_output_line *line = context;

	if (is_named(name, "code"))
		return read_string(cursor, &line->error_code);
	if (is_named(name, "message"))
		return read_string(cursor, &line->error_message);
	*is_known = false;
	return true;
}

/* An object with fields of its own, or null. */
static bool read_part(struct json_cursor *cursor, field_fn *read_field,
    struct batch_output_line *line, bool *is_there)
{
	enum wire_kind kind;

	*is_there = json_kind_ahead(cursor) == WIRE_OBJECT;
	if (*is_there)
		return read_object(cursor, read_field, line);
	return json_skip_value(cursor, 1, &kind);
}

static bool read_output_field(
    void *context, struct json_cursor *cursor, const struct wire_string *name, bool *is_known)
{
	struct batch_output_line *line = context;
	bool is_there;

	if (is_named(name, "id"))
		return read_string(cursor, &line->id);
	if (is_named(name, "custom_id"))
		return read_string(cursor, &line->custom_id);
	if (is_named(name, "response"))
		return read_part(cursor, read_response_field, line, &line->has_response);
	if (is_named(name, "error"))
		return read_part(cursor, read_error_field, line, &is_there);
	*is_known = false;
	return true;
}

enum embed_status batch_output_line_read(
    struct batch_output_line *line, char *bytes, size_t len, struct embed_error *error)
{
	memset(line, 0, sizeof(*line));
	return read_line(bytes, len, read_output_field, line, error);
}

static void begin_output(struct buffer *out, const char *id, const char *custom_id)
{
	buffer_append_text(out, "{\"id\": ");
	wire_json_string(out, id, strlen(id));
	buffer_append_text(out, ", \"custom_id\": ");
	wire_json_string(out, custom_id, strlen(custom_id));
}

void batch_output_line_write(struct buffer *out, const char *id, const char *custom_id,
    int status_code, const char *request_id, const char *body, size_t body_len)
{
	begin_output(out, id, custom_id);
	buffer_printf(out, ", \"response\": {\"status_code\": %d, \"request_id\": ", status_code);
	wire_json_string(out, request_id, strlen(request_id));
	buffer_append_text(out, ", \"body\": ");
	buffer_append(out, body, body_len);
	buffer_append_text(out, "}, \"error\": null}\n");
}

void batch_output_line_write_error(struct buffer *out, const char *id, const char *custom_id,
    const char *code, const char *message)
{
	begin_output(out, id, custom_id);
	buffer_append_text(out, ", \"response\": null, \"error\": {\"code\": ");
	wire_json_string(out, code, strlen(code));
	buffer_append_text(out, ", \"message\": ");
	wire_json_string(out, message, strlen(message));
	buffer_append_text(out, "}}\n");
}
