/* SPDX-License-Identifier: MIT */
/* The second half of work.h: writing the answer, right or wrong on purpose. */
#include "emulator/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/pseudo.h"

#define ADA_ANSWERS "text-embedding-ada-002-v2" /* PROTOCOL 1.2 */

enum wire_layout work_layout_of(const struct work *work, enum work_layout wanted)
{
	if (wanted == WORK_LAYOUT_AUTO)
		return work->model->can_shorten ? WIRE_LAYOUT_COMPACT : WIRE_LAYOUT_INDENTED;
	return wanted == WORK_LAYOUT_A ? WIRE_LAYOUT_INDENTED : WIRE_LAYOUT_COMPACT;
}

static const char *model_answered(const struct work *work, enum fault fault)
{
	if (fault == FAULT_changed_model)
		return "text-embedding-of-another-name";
	return work->model->can_shorten ? work->model->name : ADA_ANSWERS;
}

/* ---- One vector ------------------------------------------------------ */

static void make_vector(const struct work *work, const struct work_style *style,
    enum wire_layout layout, size_t index, float *vector)
{
	const struct embed_text *text = &work->request->texts[index];
	const struct pseudo_shape shape = {
	    work->model->name, work->model->dimensions, work->dimensions};

	pseudo_vector(&shape, text->bytes, text->len, vector);
	if (style->noise_seed)
		pseudo_noise(vector, work->dimensions, style->noise_seed + index);
	if (layout == WIRE_LAYOUT_COMPACT)
		pseudo_round_to_half(vector, work->dimensions);
}

/* Vectors that are wrong on purpose; gives the length that is written. */
static uint32_t spoil_vector(const struct work *work, enum fault fault, bool is_last, float *vector)
{
	uint32_t dimensions = work->dimensions;

	switch (fault) {
	case FAULT_nan:
		vector[dimensions / 2] = NAN;
		return dimensions;
	case FAULT_infinity:
		vector[dimensions / 2] = INFINITY;
		return dimensions;
	case FAULT_zero_vector:
		memset(vector, 0, dimensions * sizeof(float));
		return dimensions;
	case FAULT_short_vector:
		return is_last ? dimensions - 1 : dimensions;
	case FAULT_long_vector:
		vector[dimensions] = 0.5F;
		return is_last ? dimensions + 1 : dimensions;
	default:
		return dimensions;
	}
}

static size_t index_written(enum fault fault, size_t index, size_t count)
{
	if (index == count - 1 && fault == FAULT_duplicate_index)
		return 0;
	if (index == count - 1 && fault == FAULT_index_too_large)
		return count;
	return index;
}

/* ---- The whole ------------------------------------------------------- */

static void add_bad_base64(
    struct wire_reply_writer *writer, size_t index, const float *vector, uint32_t dimensions)
{
	struct buffer text;

	buffer_init(&text, (size_t)1 << 20);
	wire_reply_vector_text(&text, writer->layout, writer->format, vector, dimensions);
	if (text.status == EMBED_OK && text.len > 8)
		text.bytes[text.len / 2] = '!';
	wire_reply_add_text(writer, index, text.bytes, text.len);
	buffer_fini(&text);
}

/* Not-a-number has no JSON text: floats get what sloppy servers write. */
static void add_unwritable(struct wire_reply_writer *writer, size_t index, enum fault fault)
{
	const char *text = fault == FAULT_nan ? "[0.5,NaN,0.25]" : "[0.5,Infinity,0.25]";

	wire_reply_add_text(writer, index, text, strlen(text));
}

static void add_item(struct wire_reply_writer *writer, const struct work *work,
    const struct work_style *style, size_t index)
{
	float vector[PSEUDO_DIMENSIONS_MAX + 1];
	size_t count = work->request->count;
	size_t written = index_written(style->fault, index, count);
	uint32_t dimensions;

	make_vector(work, style, writer->layout, index, vector);
	dimensions = spoil_vector(work, style->fault, index == count - 1, vector);
	if (style->fault == FAULT_bad_base64)
		add_bad_base64(writer, written, vector, dimensions);
	else if (writer->format == WIRE_FORMAT_FLOAT &&
		 (style->fault == FAULT_nan || style->fault == FAULT_infinity))
		add_unwritable(writer, written, style->fault);
	else
		wire_reply_add(writer, written, vector, dimensions);
}

/* Replaces what lies between `from` and the next `until` (exclusive) by `with`. */
static void replace_in(struct buffer *body, const char *from, const char *until, const char *with)
{
	char *start = body->bytes ? memmem(body->bytes, body->len, from, strlen(from)) : NULL;
	struct buffer changed;
	const char *end, *stop;

	if (!start)
		return;
	stop = body->bytes + body->len;
	end = memmem(start, (size_t)(stop - start), until, strlen(until));
	if (!end)
		return;
	buffer_init(&changed, body->max_bytes);
	buffer_append(&changed, body->bytes, (size_t)(start - body->bytes));
	buffer_append_text(&changed, with);
	buffer_append(&changed, end, (size_t)(stop - end));
	buffer_fini(body);
	*body = changed;
}

/* The word `index` everywhere becomes one that nobody looks for. */
static void rename_indexes(struct buffer *body)
{
	char *at = body->bytes, *end = at + body->len;

	while (at && (at = memmem(at, (size_t)(end - at), "\"index\"", 7)))
		memcpy(at, "\"place\"", 7);
}

/* Faults that are easier to put into the finished text. */
static void spoil_body(struct buffer *body, enum fault fault)
{
	switch (fault) {
	case FAULT_missing_index:
		rename_indexes(body);
		break;
	case FAULT_no_usage:
		replace_in(body, "\"usage\"", "{", "\"meta\":");
		replace_in(body, "\"prompt_tokens\"", "}", "\"nothing\":0");
		break;
	case FAULT_extra_keys:
		replace_in(body, "\"usage\"", "\"usage\"",
		    "\"extra\":{\"data\":[{\"index\":7,\"embedding\":[1,[2,{\"a\":null}]]}],"
		    "\"e\":\"\\u00e9\\ud83d\\ude00\"},");
		break;
	case FAULT_cut_json:
		body->len -= body->len / 3;
		break;
	case FAULT_empty_body:
		body->len = 0;
		break;
	case FAULT_html_200:
		body->len = 0;
		buffer_append_text(body, "<!DOCTYPE html>\n<html><body>Welcome</body></html>\n");
		break;
	default:
		break;
	}
}

enum embed_status work_write(
    const struct work *work, const struct work_style *style, struct buffer *body)
{
	enum wire_layout layout = work_layout_of(work, style->layout);
	enum wire_format format = style->fault == FAULT_floats ? WIRE_FORMAT_FLOAT : work->format;
	size_t count = work->request->count;
	struct wire_reply_writer writer;

	buffer_reserve(body, wire_reply_bytes(layout, format, count, work->dimensions));
	wire_reply_begin(&writer, body, layout, format);
	for (size_t i = 0; i < count; i++) {
		if (style->fault == FAULT_missing_item && i == count - 1)
			continue;
		add_item(
		    &writer, work, style, style->fault == FAULT_out_of_order ? count - 1 - i : i);
	}
	wire_reply_finish(&writer, model_answered(work, style->fault), work->tokens);
	if (body->status == EMBED_OK)
		spoil_body(body, style->fault);
	return body->status;
}
