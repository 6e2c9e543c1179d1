/* SPDX-License-Identifier: MIT */
/* The judging half of depot.h: what makes a batch fail before anything is run (PROTOCOL 8.4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "emulator/depot.h"

bool depot_next_line(const char *input, size_t len, size_t *next, struct depot_line *line)
{
	while (*next < len) {
		const char *stop = memchr(input + *next, '\n', len - *next);

		line->offset = *next;
		line->len = (stop ? (size_t)(stop - input) : len) - *next;
		*next += line->len + 1;
		if (line->len > 0 && input[line->offset + line->len - 1] == '\r')
			line->len--;
		if (line->len > 0)
			return true;
	}
	return false;
}

/* What is remembered of a line, to find custom_ids that come twice. */
struct seen_id {
	struct digest digest;
	size_t line;
};

struct validation {
	struct depot *depot;
	struct depot_batch *batch;
	struct seen_id *ids;
	size_t lines, inputs;
};

static void add_failure(struct depot_batch *batch, const char *code, size_t line,
    const char *message, const char *param)
{
	struct batch_failure *failure;

	if (batch->object.failure_count == DEPOT_FAILURES_MAX)
		return;
	failure = &batch->failures[batch->object.failure_count++];
	snprintf(failure->code, sizeof(failure->code), "%s", code);
	snprintf(failure->message, sizeof(failure->message), "%s", message);
	snprintf(failure->param, sizeof(failure->param), "%s", param);
	failure->line = (int64_t)line;
}

static bool is_text(struct wire_string string, const char *text)
{
	return string.kind == WIRE_STRING && string.len == strlen(text) &&
	       memcmp(string.bytes, text, string.len) == 0;
}

/* The model of the first line is the batch's; gives false where another line names another. */
static bool check_model(struct batch_object *object, const struct wire_request *request)
{
	if (request->model.kind != WIRE_STRING)
		return true;
	if (object->model[0] == '\0')
		snprintf(object->model, sizeof(object->model), "%s", request->model.bytes);
	return strcmp(object->model, request->model.bytes) == 0;
}

static void check_body(struct validation *validation, struct batch_input_line *line)
{
	struct depot_batch *batch = validation->batch;
	struct wire_request *request = &validation->depot->request;

	/* A body that is no embeddings request fails by itself when it is run. */
	if (wire_request_read(request, line->body, line->body_len, 0, NULL) != EMBED_OK)
		return;
	validation->inputs += request->count;
	if (!check_model(&batch->object, request))
		add_failure(batch, "model_mismatch", validation->lines,
		    "All lines of a batch must name the same model.", "body.model");
}

static void check_fields(struct validation *validation, struct batch_input_line *line)
{
	struct depot_batch *batch = validation->batch;
	size_t number = validation->lines;

	if (line->custom_id.kind != WIRE_STRING)
		add_failure(batch, "missing_required_parameter", number,
		    "Missing required parameter: 'custom_id'.", "custom_id");
	else if (line->method.kind != WIRE_STRING)
		add_failure(batch, "missing_required_parameter", number,
		    "Missing required parameter: 'method'.", "method");
	else if (!is_text(line->method, "POST"))
		add_failure(batch, "invalid_method", number, "The method must be POST.", "method");
	else if (line->url.kind != WIRE_STRING)
		add_failure(batch, "missing_required_parameter", number,
		    "Missing required parameter: 'url'.", "url");
	else if (!is_text(line->url, batch->object.endpoint))
		add_failure(batch, "url_mismatch", number,
		    "The url of the line is not the endpoint of the batch.", "url");
	else if (line->body_kind != WIRE_OBJECT)
		add_failure(batch, "missing_required_parameter", number,
		    "Missing required parameter: 'body'.", "body");
	else
		check_body(validation, line);
}

static void check_line(struct validation *validation, char *bytes, size_t len)
{
	struct batch_input_line line;

	validation->lines++;
	if (validation->lines > DEPOT_LINES_MAX)
		return;
	if (batch_input_line_read(&line, bytes, len, NULL) != EMBED_OK) {
		add_failure(validation->batch, "invalid_json_line", validation->lines,
		    "This line is not parseable as valid JSON.", "");
		return;
	}
	if (line.custom_id.kind == WIRE_STRING) {
		struct seen_id *id = &validation->ids[validation->lines - 1];
		const struct digest_part part = {line.custom_id.bytes, line.custom_id.len};

		id->line = validation->lines;
		digest_parts(&id->digest, &part, 1);
	}
	check_fields(validation, &line);
}

static int compare_ids(const void *a, const void *b)
{
	const struct seen_id *first = a, *second = b;
	int order = memcmp(&first->digest, &second->digest, sizeof(first->digest));

	if (order != 0)
		return order;
	return first->line < second->line ? -1 : first->line > second->line;
}

static void check_duplicates(struct validation *validation)
{
	size_t count = validation->lines < DEPOT_LINES_MAX ? validation->lines : DEPOT_LINES_MAX;

	qsort(validation->ids, count, sizeof(*validation->ids), compare_ids);
	for (size_t i = 1; i < count; i++)
		if (validation->ids[i].line > 0 &&
		    digest_equals(&validation->ids[i].digest, &validation->ids[i - 1].digest))
			add_failure(validation->batch, "duplicate_custom_id",
			    validation->ids[i].line, "The custom_id of this line was used before.",
			    "custom_id");
}

static void check_whole(const struct validation *validation)
{
	if (validation->lines == 0)
		add_failure(validation->batch, "empty_file", 0,
		    "The input file is empty. Please ensure that the batch contains at least one "
		    "request.",
		    "");
	if (validation->lines > DEPOT_LINES_MAX || validation->inputs > DEPOT_LINES_MAX)
		add_failure(validation->batch, "too_many_tasks", 0,
		    "The batch holds more than 50000 requests or inputs.", "");
}

bool depot_validate(struct depot *depot, struct depot_batch *batch)
{
	struct validation validation = {.depot = depot, .batch = batch};
	char *scratch = malloc(batch->input_len + 1);
	struct depot_line line;

	validation.ids = calloc(DEPOT_LINES_MAX, sizeof(*validation.ids));
	if (!scratch || !validation.ids) {
		add_failure(batch, "server_error", 0, "Out of memory.", "");
	} else {
		memcpy(scratch, batch->input, batch->input_len);
		for (size_t next = 0; depot_next_line(scratch, batch->input_len, &next, &line);)
			check_line(&validation, scratch + line.offset, line.len);
		check_duplicates(&validation);
		check_whole(&validation);
	}
	free(scratch);
	free(validation.ids);
	batch->object.failures = batch->failures;
	if (batch->object.failure_count > 0)
		return false;
	batch->object.total = (int64_t)validation.lines;
	return true;
}
