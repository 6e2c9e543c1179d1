/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "wire/batch_file.h"
#include "wire/refusal.h"

static const char *const status_names[] = {
    [BATCH_VALIDATING] = "validating",
    [BATCH_FAILED] = "failed",
    [BATCH_IN_PROGRESS] = "in_progress",
    [BATCH_FINALIZING] = "finalizing",
    [BATCH_COMPLETED] = "completed",
    [BATCH_EXPIRED] = "expired",
    [BATCH_CANCELLING] = "cancelling",
    [BATCH_CANCELLED] = "cancelled",
};

const char *batch_status_name(enum batch_status status)
{
	return status_names[status];
}

/* ---- Writing -------------------------------------------------------- */

/* An indented object being written. */
struct object_writer {
	struct buffer *out;
	int indent; /* of its members, in steps of two blanks */
	bool has_members;
};

static void begin(struct object_writer *writer, struct buffer *out, int indent)
{
	*writer = (struct object_writer){out, indent + 1, false};
	buffer_append_char(out, '{');
}

static void end(struct object_writer *writer)
{
	buffer_printf(writer->out, "\n%*s}", 2 * (writer->indent - 1), "");
}

static void key(struct object_writer *writer, const char *name)
{
	buffer_printf(writer->out, "%s\n%*s\"%s\": ", writer->has_members ? "," : "",
	    2 * writer->indent, "", name);
	writer->has_members = true;
}

static void text(struct object_writer *writer, const char *name, const char *value)
{
	key(writer, name);
	wire_json_string(writer->out, value, strlen(value));
}

static void text_or_null(struct object_writer *writer, const char *name, const char *value)
{
	if (value[0] != '\0') {
		text(writer, name, value);
		return;
	}
	key(writer, name);
	buffer_append_text(writer->out, "null");
}

static void count(struct object_writer *writer, const char *name, int64_t value)
{
	key(writer, name);
	buffer_printf(writer->out, "%" PRId64, value);
}

static void time_or_null(struct object_writer *writer, const char *name, int64_t value)
{
	if (value != 0) {
		count(writer, name, value);
		return;
	}
	key(writer, name);
	buffer_append_text(writer->out, "null");
}

void batch_file_object_write(struct buffer *out, const struct batch_file_object *file, int indent)
{
	struct object_writer writer;

	begin(&writer, out, indent);
	text(&writer, "object", "file");
	text(&writer, "id", file->id);
	text(&writer, "purpose", file->purpose);
	text(&writer, "filename", file->filename);
	count(&writer, "bytes", file->bytes);
	count(&writer, "created_at", file->created_s);
	time_or_null(&writer, "expires_at", file->expires_s);
	text(&writer, "status", file->status);
	text_or_null(&writer, "status_details", "");
	end(&writer);
}

static void write_failure(struct buffer *out, const struct batch_failure *failure, int indent)
{
	struct object_writer writer;

	begin(&writer, out, indent);
	text(&writer, "code", failure->code);
	time_or_null(&writer, "line", failure->line);
	text(&writer, "message", failure->message);
	text_or_null(&writer, "param", failure->param);
	end(&writer);
}

static void write_failures(struct object_writer *parent, const struct batch_object *batch)
{
	struct object_writer writer;

	if (batch->failure_count == 0) {
		text_or_null(parent, "errors", "");
		return;
	}
	key(parent, "errors");
	begin(&writer, parent->out, parent->indent);
	text(&writer, "object", "list");
	key(&writer, "data");
	buffer_append_char(writer.out, '[');
	for (size_t i = 0; i < batch->failure_count; i++) {
		buffer_printf(writer.out, "%s\n%*s", i > 0 ? "," : "", 2 * (writer.indent + 1), "");
		write_failure(writer.out, &batch->failures[i], writer.indent + 1);
	}
	buffer_printf(writer.out, "\n%*s]", 2 * writer.indent, "");
	end(&writer);
}

static void write_counts(struct object_writer *parent, const struct batch_object *batch)
{
	struct object_writer writer;

	key(parent, "request_counts");
	begin(&writer, parent->out, parent->indent);
	count(&writer, "total", batch->total);
	count(&writer, "completed", batch->completed);
	count(&writer, "failed", batch->failed);
	end(&writer);
}

static void write_detail(struct object_writer *parent, const char *name, const char *detail)
{
	struct object_writer writer;

	key(parent, name);
	begin(&writer, parent->out, parent->indent);
	count(&writer, detail, 0);
	end(&writer);
}

static void write_usage(struct object_writer *parent, const struct batch_object *batch)
{
	struct object_writer writer;

	key(parent, "usage");
	begin(&writer, parent->out, parent->indent);
	count(&writer, "input_tokens", batch->input_tokens);
	count(&writer, "output_tokens", 0);
	count(&writer, "total_tokens", batch->input_tokens);
	write_detail(&writer, "input_tokens_details", "cached_tokens");
	write_detail(&writer, "output_tokens_details", "reasoning_tokens");
	end(&writer);
}

/* The times, in the order of the wire. */
static const struct {
	const char *name;
	size_t field;
} times[] = {
    {"in_progress_at", offsetof(struct batch_object, in_progress_s)},
    {"expires_at", offsetof(struct batch_object, expires_s)},
    {"finalizing_at", offsetof(struct batch_object, finalizing_s)},
    {"completed_at", offsetof(struct batch_object, completed_s)},
    {"failed_at", offsetof(struct batch_object, failed_s)},
    {"expired_at", offsetof(struct batch_object, expired_s)},
    {"cancelling_at", offsetof(struct batch_object, cancelling_s)},
    {"cancelled_at", offsetof(struct batch_object, cancelled_s)},
};

void batch_object_write(struct buffer *out, const struct batch_object *batch, int indent)
{
	struct object_writer writer;

	begin(&writer, out, indent);
	text(&writer, "id", batch->id);
	text(&writer, "object", "batch");
	text(&writer, "endpoint", batch->endpoint);
	text_or_null(&writer, "model", batch->model);
	write_failures(&writer, batch);
	text(&writer, "input_file_id", batch->input_file_id);
	text(&writer, "completion_window", batch->completion_window);
	text(&writer, "status", batch_status_name(batch->status));
	text_or_null(&writer, "output_file_id", batch->output_file_id);
	text_or_null(&writer, "error_file_id", batch->error_file_id);
	count(&writer, "created_at", batch->created_s);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		time_or_null(&writer, times[i].name,
		    *(const int64_t *)(const void *)((const char *)batch + times[i].field));
	write_counts(&writer, batch);
	write_usage(&writer, batch);
	key(&writer, "metadata");
	buffer_append_text(out, batch->metadata == NULL ? "null" : batch->metadata);
	end(&writer);
}

/* ---- Reading -------------------------------------------------------- */

/* False when it is there and does not fit or is not text. */
static bool take_text(const json_t *object, const char *name, char *out, size_t cap)
{
	const json_t *value = json_object_get(object, name);

	out[0] = '\0';
	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_string(value) || json_string_length(value) >= cap)
		return false;
	memcpy(out, json_string_value(value), json_string_length(value) + 1);
	return true;
}

/* Words for people: cut where they do not fit. */
static void take_words(const json_t *object, const char *name, char *out, size_t cap)
{
	const char *value = json_string_value(json_object_get(object, name));

	snprintf(out, cap, "%s", value == NULL ? "" : value);
}

static int64_t take_count(const json_t *object, const char *name)
{
	int64_t value = json_integer_value(json_object_get(object, name));

	return value < 0 ? 0 : value;
}

/* The object, if that is what the bytes are; the caller lets go of it. */
static json_t *load(
    const char *bytes, size_t len, const char *kind, const char *what, struct embed_error *error)
{
	json_error_t problem;
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &problem);
	const char *object = json_string_value(json_object_get(root, "object"));

	if (object != NULL && strcmp(object, kind) == 0)
		return root;
	error_set(error, EMBED_BAD_FORMAT, "upstream's answer is not a %s: %s", what,
	    root == NULL ? problem.text : "its \"object\" says otherwise");
	json_decref(root);
	return NULL;
}

static enum embed_status finish(
    json_t *root, bool is_good, const char *what, struct embed_error *error)
{
	json_decref(root);
	if (is_good)
		return EMBED_OK;
	return error_set(error, EMBED_BAD_FORMAT,
	    "upstream's %s lacks a field, or one has a value that cannot be", what);
}

#define TAKE(object, name, field) take_text(object, name, field, sizeof(field))

enum embed_status batch_file_object_read(
    struct batch_file_object *file, const char *bytes, size_t len, struct embed_error *error)
{
	json_t *root = load(bytes, len, "file", "file object", error);
	bool is_good;

	if (root == NULL)
		return EMBED_BAD_FORMAT;
	memset(file, 0, sizeof(*file));
	is_good = TAKE(root, "id", file->id) && file->id[0] != '\0' &&
		  TAKE(root, "purpose", file->purpose) && TAKE(root, "filename", file->filename) &&
		  TAKE(root, "status", file->status);
	file->bytes = take_count(root, "bytes");
	file->created_s = take_count(root, "created_at");
	file->expires_s = take_count(root, "expires_at");
	return finish(root, is_good, "file object", error);
}

static bool take_status(const json_t *root, enum batch_status *status)
{
	const char *name = json_string_value(json_object_get(root, "status"));

	for (int i = 0; name != NULL && i < BATCH_STATUS_COUNT; i++) {
		if (strcmp(status_names[i], name) == 0) {
			*status = (enum batch_status)i;
			return true;
		}
	}
	return false;
}

static void take_first_failure(const json_t *root, struct batch_object *batch)
{
	const json_t *list = json_object_get(json_object_get(root, "errors"), "data");
	const json_t *first = json_array_get(list, 0);

	batch->failure_count = json_array_size(list);
	batch->first_failure.line = take_count(first, "line");
	take_words(first, "code", batch->first_failure.code, sizeof(batch->first_failure.code));
	take_words(
	    first, "message", batch->first_failure.message, sizeof(batch->first_failure.message));
	take_words(first, "param", batch->first_failure.param, sizeof(batch->first_failure.param));
}

static void take_counts(const json_t *root, struct batch_object *batch)
{
	const json_t *counts = json_object_get(root, "request_counts");

	batch->total = take_count(counts, "total");
	batch->completed = take_count(counts, "completed");
	batch->failed = take_count(counts, "failed");
	batch->input_tokens = take_count(json_object_get(root, "usage"), "input_tokens");
	batch->created_s = take_count(root, "created_at");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		*(int64_t *)(void *)((char *)batch + times[i].field) =
		    take_count(root, times[i].name);
}

enum embed_status batch_object_read(
    struct batch_object *batch, const char *bytes, size_t len, struct embed_error *error)
{
	json_t *root = load(bytes, len, "batch", "batch object", error);
	bool is_good;

	if (root == NULL)
		return EMBED_BAD_FORMAT;
	memset(batch, 0, sizeof(*batch));
	is_good = TAKE(root, "id", batch->id) && batch->id[0] != '\0' &&
		  take_status(root, &batch->status) && TAKE(root, "endpoint", batch->endpoint) &&
		  TAKE(root, "model", batch->model) &&
		  TAKE(root, "input_file_id", batch->input_file_id) &&
		  TAKE(root, "completion_window", batch->completion_window) &&
		  TAKE(root, "output_file_id", batch->output_file_id) &&
		  TAKE(root, "error_file_id", batch->error_file_id);
	take_first_failure(root, batch);
	take_counts(root, batch);
	return finish(root, is_good, "batch object", error);
}
