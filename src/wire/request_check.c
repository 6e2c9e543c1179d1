/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "wire/json_text.h"
#include "wire/reply.h"
#include "wire/request.h"

#define NUMBER_CAP 24

/* One call of wire_request_check. */
struct check {
	const struct wire_request *request;
	const struct wire_request_policy *policy;
	const struct embed_model *model;
	struct buffer *out;
	struct embed_error *error;
};

static const char *number(char text[NUMBER_CAP], long long value)
{
	snprintf(text, NUMBER_CAP, "%lld", value);
	return text;
}

static const char *kind_name(enum wire_kind kind)
{
	static const char *const names[] = {
	    [WIRE_ABSENT] = "nothing",
	    [WIRE_NULL] = "null",
	    [WIRE_BOOL] = "a boolean",
	    [WIRE_NUMBER] = "a decimal number",
	    [WIRE_INTEGER] = "an integer",
	    [WIRE_STRING] = "a string",
	    [WIRE_ARRAY] = "an array",
	    [WIRE_OBJECT] = "an object",
	};

	return names[kind];
}

static bool has_nul(const struct wire_string *string)
{
	return memchr(string->bytes, '\0', string->len) != NULL;
}

static bool is_given(enum wire_kind kind)
{
	return kind != WIRE_ABSENT && kind != WIRE_NULL;
}

static enum wire_refusal_id bad_type(
    const struct check *check, const char *field, enum wire_kind expected, enum wire_kind kind)
{
	char why[80];

	snprintf(why, sizeof(why), "expected %s, but got %s instead", kind_name(expected),
	    kind_name(kind));
	wire_refusal_write(check->out, WIRE_REFUSAL_BAD_FIELD, field, why, field, NULL);
	error_set(check->error, EMBED_BAD_FORMAT, "field '%s': %s", field, why);
	return WIRE_REFUSAL_BAD_FIELD;
}

static enum wire_refusal_id bad_value(
    const struct check *check, const char *field, const char *expected)
{
	wire_refusal_write(check->out, WIRE_REFUSAL_BAD_VALUE, field, expected, field, NULL);
	error_set(check->error, EMBED_BAD_FORMAT, "field '%s': %s", field, expected);
	return WIRE_REFUSAL_BAD_VALUE;
}

static enum wire_refusal_id check_model(const struct check *check)
{
	const struct wire_string *model = &check->request->model;

	if (is_given(model->kind) && model->kind != WIRE_STRING)
		return bad_type(check, "model", WIRE_STRING, model->kind);
	if (model->kind == WIRE_STRING && has_nul(model))
		return bad_value(check, "model", "it holds a NUL character");
	if (check->policy->needs_model && (model->kind != WIRE_STRING || model->len == 0)) {
		wire_refusal_write(check->out, WIRE_REFUSAL_NO_MODEL, NULL);
		error_set(check->error, EMBED_NO_MODEL,
		    "the request names no model: add a \"model\" field");
		return WIRE_REFUSAL_NO_MODEL;
	}
	return WIRE_REFUSAL_NONE;
}

static enum wire_refusal_id check_encoding_format(const struct check *check)
{
	const struct wire_string *format = &check->request->encoding_format;

	if (!is_given(format->kind))
		return WIRE_REFUSAL_NONE;
	if (format->kind != WIRE_STRING)
		return bad_type(check, "encoding_format", WIRE_STRING, format->kind);
	if ((format->len == 5 && memcmp(format->bytes, "float", 5) == 0) ||
	    (format->len == 6 && memcmp(format->bytes, "base64", 6) == 0))
		return WIRE_REFUSAL_NONE;
	return bad_value(check, "encoding_format", "expected one of 'float' or 'base64'");
}

static enum wire_refusal_id check_fields(const struct check *check)
{
	const struct wire_request *request = check->request;
	enum wire_refusal_id refusal;

	if (check->policy->refuse_unknown && request->extra_count > 0) {
		const char *name = request->extras[0].name;

		wire_refusal_write(check->out, WIRE_REFUSAL_UNKNOWN_FIELD, name, name, NULL);
		error_set(check->error, EMBED_BAD_FORMAT, "field '%s' is not known", name);
		return WIRE_REFUSAL_UNKNOWN_FIELD;
	}
	refusal = check_encoding_format(check);
	if (refusal != WIRE_REFUSAL_NONE)
		return refusal;
	if (is_given(request->user.kind) && request->user.kind != WIRE_STRING)
		return bad_type(check, "user", WIRE_STRING, request->user.kind);
	if (request->user.kind == WIRE_STRING && has_nul(&request->user))
		return bad_value(check, "user", "it holds a NUL character");
	if (is_given(request->dimensions_kind) && request->dimensions_kind != WIRE_INTEGER)
		return bad_type(check, "dimensions", WIRE_INTEGER, request->dimensions_kind);
	return WIRE_REFUSAL_NONE;
}

static enum wire_refusal_id bad_input(const struct check *check, enum wire_refusal_id refusal)
{
	const struct wire_request *request = check->request;

	if (refusal == WIRE_REFUSAL_MISSING_FIELD)
		wire_refusal_write(check->out, refusal, "input", "input", NULL);
	else
		wire_refusal_write(check->out, refusal, NULL);
	error_set_at(check->error, EMBED_BAD_FORMAT, request->bad_index,
	    request->form == WIRE_INPUT_BAD ? request->bad_offset : EMBED_NO_INDEX,
	    "field 'input' must be a text, a list of texts, or token ids as a list or lists");
	return refusal;
}

static enum wire_refusal_id check_shape(const struct check *check)
{
	switch (check->request->form) {
	case WIRE_INPUT_NONE:
		return bad_input(check, WIRE_REFUSAL_MISSING_FIELD);
	case WIRE_INPUT_BAD:
		return bad_input(check, WIRE_REFUSAL_BAD_INPUT);
	case WIRE_INPUT_EMPTY:
		return bad_input(check, WIRE_REFUSAL_EMPTY_INPUT);
	default:
		return WIRE_REFUSAL_NONE;
	}
}

static enum wire_refusal_id empty_text(const struct check *check, size_t index)
{
	enum wire_input_form form = check->request->form;
	enum wire_refusal_id refusal = form == WIRE_INPUT_TEXT       ? WIRE_REFUSAL_EMPTY_TEXT
				       : form == WIRE_INPUT_IDS_LIST ? WIRE_REFUSAL_EMPTY_IDS_AT
								     : WIRE_REFUSAL_EMPTY_TEXT_AT;
	char text[NUMBER_CAP];

	wire_refusal_write(check->out, refusal, number(text, (long long)index), NULL);
	error_set_at(check->error, EMBED_EMPTY_TEXT, index, EMBED_NO_INDEX,
	    "input %zu is empty: leave it out", index);
	return refusal;
}

static enum wire_refusal_id check_empty(const struct check *check)
{
	for (size_t i = 0; i < check->request->count; i++) {
		const struct embed_text *text = &check->request->texts[i];

		if (text->len == 0 && text->id_count == 0)
			return empty_text(check, i);
	}
	return WIRE_REFUSAL_NONE;
}

static enum wire_refusal_id check_sizes(const struct check *check)
{
	const struct wire_request_policy *policy = check->policy;
	const struct wire_request *request = check->request;
	char index[NUMBER_CAP], max[NUMBER_CAP];

	if (policy->max_inputs != 0 && request->count > policy->max_inputs) {
		wire_refusal_write(check->out, WIRE_REFUSAL_TOO_MANY_INPUTS,
		    number(max, (long long)policy->max_inputs), NULL);
		error_set(check->error, EMBED_TOO_LARGE, "%zu inputs: at most %zu are taken",
		    request->count, policy->max_inputs);
		return WIRE_REFUSAL_TOO_MANY_INPUTS;
	}
	for (size_t i = 0; i < request->count && policy->max_text_bytes != 0; i++) {
		if (request->texts[i].len <= policy->max_text_bytes)
			continue;
		wire_refusal_write(check->out, WIRE_REFUSAL_TEXT_TOO_MANY_BYTES_AT,
		    number(index, (long long)i), number(max, (long long)policy->max_text_bytes),
		    NULL);
		error_set_at(check->error, EMBED_TEXT_TOO_LONG, i, EMBED_NO_INDEX,
		    "input %zu has %zu bytes: at most %zu are taken", i, request->texts[i].len,
		    policy->max_text_bytes);
		return WIRE_REFUSAL_TEXT_TOO_MANY_BYTES_AT;
	}
	return WIRE_REFUSAL_NONE;
}

static enum wire_refusal_id bad_dimensions(
    const struct check *check, enum wire_refusal_id refusal, int64_t max)
{
	char asked_text[NUMBER_CAP], max_text[NUMBER_CAP];

	wire_refusal_write(check->out, refusal,
	    number(asked_text, (long long)check->request->dimensions),
	    number(max_text, (long long)max), NULL);
	if (refusal == WIRE_REFUSAL_NO_DIMENSIONS)
		error_set(check->error, EMBED_BAD_DIMENSIONS,
		    "model %s gives %u dimensions only: leave `dimensions` out", check->model->name,
		    (unsigned)check->model->dimensions);
	else
		error_set(check->error, EMBED_BAD_DIMENSIONS, "dimensions must be 1 to %lld",
		    (long long)max);
	return refusal;
}

static enum wire_refusal_id check_dimensions(const struct check *check)
{
	const struct embed_model *model = check->model;
	int64_t max = model == NULL ? WIRE_MAX_DIMENSIONS : (int64_t)model->dimensions;

	if (check->request->dimensions_kind != WIRE_INTEGER)
		return WIRE_REFUSAL_NONE;
	if (model != NULL && !model->can_shorten)
		return bad_dimensions(check, WIRE_REFUSAL_NO_DIMENSIONS, max);
	if (check->request->dimensions < 1)
		return bad_dimensions(check, WIRE_REFUSAL_DIMENSIONS_TOO_SMALL, max);
	if (check->request->dimensions > max)
		return bad_dimensions(check, WIRE_REFUSAL_DIMENSIONS_TOO_LARGE, max);
	return WIRE_REFUSAL_NONE;
}

enum wire_refusal_id wire_request_check(const struct wire_request *request,
    const struct wire_request_policy *policy, const struct embed_model *model, struct buffer *out,
    struct embed_error *error)
{
	static enum wire_refusal_id (*const steps[])(const struct check *) = {
	    check_model, check_fields, check_shape, check_empty, check_sizes, check_dimensions};
	struct check check = {request, policy, model, out, error};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum wire_refusal_id refusal = steps[i](&check);

		if (refusal != WIRE_REFUSAL_NONE)
			return refusal;
	}
	return WIRE_REFUSAL_NONE;
}

enum wire_format wire_request_format(const struct wire_request *request)
{
	return request->encoding_format.kind == WIRE_STRING && request->encoding_format.len == 6
		   ? WIRE_FORMAT_BASE64
		   : WIRE_FORMAT_FLOAT;
}

uint32_t wire_request_dimensions(const struct wire_request *request)
{
	return request->dimensions_kind == WIRE_INTEGER ? (uint32_t)request->dimensions : 0;
}

static int compare_extras(const void *a_, const void *b_)
{
	const struct wire_extra *a = a_, *b = b_;
	int order = memcmp(a->name, b->name, a->name_len < b->name_len ? a->name_len : b->name_len);

	if (order != 0)
		return order;
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return a->value < b->value ? -1 : 1;
}

void wire_request_write_extras(struct wire_request *request, struct buffer *out)
{
	if (request->extra_count > 1)
		qsort(request->extras, request->extra_count, sizeof(*request->extras),
		    compare_extras);
	for (size_t i = 0; i < request->extra_count; i++) {
		const struct wire_extra *extra = &request->extras[i];

		if (i > 0)
			buffer_append_char(out, ',');
		wire_json_string(out, extra->name, extra->name_len);
		buffer_append_char(out, ':');
		buffer_append(out, extra->value, extra->value_len);
	}
}
