/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <string.h>

#include "wire/base64.h"
#include "wire/float_text.h"
#include "wire/reply.h"

/* Floats that become little-endian bytes at a time; a multiple of 3, so that base64 needs no padding between. */
#define CHUNK_FLOATS 768

/* What surrounds a value, by layout. */
struct frame {
	const char *begin;
	const char *first_item; /* before an item */
	const char *next_item;
	const char *index_before; /* "" or up to the index's number */
	const char *value;        /* up to the vector */
	const char *list_open, *list_comma, *list_close;
	const char *index_after; /* "" or up to the index's number */
	const char *item_end;
	const char *data_end; /* up to the model's name */
	const char *usage;
	const char *total;
	const char *end;
};

static const struct frame frames[] = {
    [WIRE_LAYOUT_INDENTED] =
	{
	    .begin = "{\n  \"object\": \"list\",\n  \"data\": [",
	    .first_item = "\n    {\n      \"object\": \"embedding\",\n",
	    .next_item = ",\n    {\n      \"object\": \"embedding\",\n",
	    .index_before = "      \"index\": ",
	    .value = ",\n      \"embedding\": ",
	    .list_open = "[\n        ",
	    .list_comma = ",\n        ",
	    .list_close = "\n      ]",
	    .index_after = "",
	    .item_end = "\n    }",
	    .data_end = "\n  ],\n  \"model\": ",
	    .usage = ",\n  \"usage\": {\n    \"prompt_tokens\": ",
	    .total = ",\n    \"total_tokens\": ",
	    .end = "\n  }\n}\n",
	},
    [WIRE_LAYOUT_COMPACT] =
	{
	    .begin = "{\"object\":\"list\",\"data\":[",
	    .first_item = "{\"object\":\"embedding\"",
	    .next_item = ",{\"object\":\"embedding\"",
	    .index_before = "",
	    .value = ",\"embedding\":",
	    .list_open = "[",
	    .list_comma = ",",
	    .list_close = "]",
	    .index_after = ",\"index\":",
	    .item_end = "}",
	    .data_end = "],\"model\":",
	    .usage = ",\"usage\":{\"prompt_tokens\":",
	    .total = ",\"total_tokens\":",
	    .end = "}}",
	},
};

/* The longest decimal of a vector's number: "-1.1754944e-38", or as a double "-8.761882781982422e-6". */
#define NUMBER_BYTES 24
#define ITEM_BYTES   128
#define REPLY_BYTES  512

static void append_count(struct buffer *out, uint64_t value)
{
	char digits[20];
	char *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buffer_append(out, at, (size_t)(digits + sizeof(digits) - at));
}

size_t wire_reply_bytes(
    enum wire_layout layout, enum wire_format format, size_t count, uint32_t dimensions)
{
	size_t number = NUMBER_BYTES + strlen(frames[layout].list_comma);
	size_t item = ITEM_BYTES;

	if (format == WIRE_FORMAT_BASE64)
		item += base64_encoded_len(sizeof(float) * dimensions);
	else
		item += number * dimensions;
	return REPLY_BYTES + count * item;
}

void wire_reply_begin(struct wire_reply_writer *writer, struct buffer *out, enum wire_layout layout,
    enum wire_format format)
{
	*writer = (struct wire_reply_writer){out, layout, format, 0};
	buffer_append_text(out, frames[layout].begin);
}

static void append_base64(struct buffer *out, const float *vector, uint32_t dimensions)
{
	uint32_t bits[CHUNK_FLOATS];
	char *text = buffer_reserve(out, base64_encoded_len(sizeof(float) * dimensions) + 2);
	char *at = text;

	if (text == NULL)
		return;
	*at++ = '"';
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
		at += base64_encode(at, vector, sizeof(float) * dimensions);
	} else {
		for (uint32_t done = 0, count; done < dimensions; done += count) {
			count = dimensions - done < CHUNK_FLOATS ? dimensions - done : CHUNK_FLOATS;
			memcpy(bits, vector + done, count * sizeof(float));
			for (uint32_t i = 0; i < count; i++)
				bits[i] = htole32(bits[i]);
			at += base64_encode(at, bits, count * sizeof(float));
		}
	}
	*at++ = '"';
	out->len += (size_t)(at - text);
}

static void append_floats(
    struct buffer *out, enum wire_layout layout, const float *vector, uint32_t dimensions)
{
	const struct frame *frame = &frames[layout];
	size_t comma_len = strlen(frame->list_comma);
	char *text;
	char *at;

	buffer_append_text(out, frame->list_open);
	text = buffer_reserve(out, (FLOAT_TEXT_CAP + comma_len) * (size_t)dimensions);
	at = text;
	if (text == NULL)
		return;
	for (uint32_t i = 0; i < dimensions; i++) {
		if (i > 0) {
			memcpy(at, frame->list_comma, comma_len);
			at += comma_len;
		}
		at += layout == WIRE_LAYOUT_COMPACT ? float_text_write_half(at, vector[i])
						    : float_text_write(at, vector[i], FLOAT_PLAIN);
	}
	out->len += (size_t)(at - text);
	buffer_append_text(out, frame->list_close);
}

void wire_reply_vector_text(struct buffer *out, enum wire_layout layout, enum wire_format format,
    const float *vector, uint32_t dimensions)
{
	if (format == WIRE_FORMAT_BASE64)
		append_base64(out, vector, dimensions);
	else
		append_floats(out, layout, vector, dimensions);
}

void wire_reply_begin_item(struct wire_reply_writer *writer, size_t index)
{
	const struct frame *frame = &frames[writer->layout];

	buffer_append_text(
	    writer->out, writer->count++ == 0 ? frame->first_item : frame->next_item);
	if (frame->index_before[0] != '\0') {
		buffer_append_text(writer->out, frame->index_before);
		append_count(writer->out, index);
	}
	buffer_append_text(writer->out, frame->value);
}

void wire_reply_end_item(struct wire_reply_writer *writer, size_t index)
{
	const struct frame *frame = &frames[writer->layout];

	if (frame->index_after[0] != '\0') {
		buffer_append_text(writer->out, frame->index_after);
		append_count(writer->out, index);
	}
	buffer_append_text(writer->out, frame->item_end);
}

void wire_reply_add(
    struct wire_reply_writer *writer, size_t index, const float *vector, uint32_t dimensions)
{
	wire_reply_begin_item(writer, index);
	wire_reply_vector_text(writer->out, writer->layout, writer->format, vector, dimensions);
	wire_reply_end_item(writer, index);
}

void wire_reply_add_text(
    struct wire_reply_writer *writer, size_t index, const char *value, size_t len)
{
	wire_reply_begin_item(writer, index);
	buffer_append(writer->out, value, len);
	wire_reply_end_item(writer, index);
}

enum embed_status wire_reply_finish(
    struct wire_reply_writer *writer, const char *model, uint64_t prompt_tokens)
{
	const struct frame *frame = &frames[writer->layout];

	buffer_append_text(writer->out, frame->data_end);
	wire_json_string(writer->out, model, strlen(model));
	buffer_append_text(writer->out, frame->usage);
	append_count(writer->out, prompt_tokens);
	buffer_append_text(writer->out, frame->total);
	append_count(writer->out, prompt_tokens);
	buffer_append_text(writer->out, frame->end);
	return writer->out->status;
}
