/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "wire/json_text.h"
#include "wire/request.h"

/* Digits of a 32-bit number and a comma. */
#define ID_BYTES 11

void wire_request_begin(struct wire_request_writer *writer, struct buffer *out, const char *model)
{
	*writer = (struct wire_request_writer){out, 0};
	buffer_append_char(out, '{');
	if (model != NULL) {
		buffer_append_text(out, "\"model\":\"");
		json_text_append(out, model, strlen(model));
		buffer_append_text(out, "\",");
	}
	buffer_append_text(out, "\"input\":[");
}

static void begin_input(struct wire_request_writer *writer, char mark)
{
	if (writer->count++ > 0)
		buffer_append_char(writer->out, ',');
	buffer_append_char(writer->out, mark);
}

void wire_request_add_text(struct wire_request_writer *writer, const char *bytes, size_t len)
{
	begin_input(writer, '"');
	json_text_append(writer->out, bytes, len);
	buffer_append_char(writer->out, '"');
}

static char *put_id(char *at, uint32_t id)
{
	char digits[10];
	size_t len = 0;

	do {
		digits[sizeof(digits) - ++len] = (char)('0' + id % 10);
		id /= 10;
	} while (id > 0);
	memcpy(at, digits + sizeof(digits) - len, len);
	return at + len;
}

void wire_request_add_ids(struct wire_request_writer *writer, const uint32_t *ids, size_t count)
{
	char *text;
	char *at;

	begin_input(writer, '[');
	/* Ids are in memory, so their count is far below SIZE_MAX / ID_BYTES. */
	text = buffer_reserve(writer->out, count * ID_BYTES + 1);
	if (text == NULL)
		return;
	at = text;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ',';
		at = put_id(at, ids[i]);
	}
	*at++ = ']';
	writer->out->len += (size_t)(at - text);
}

enum embed_status wire_request_end(
    struct wire_request_writer *writer, const struct wire_request_tail *tail)
{
	struct buffer *out = writer->out;

	buffer_append_char(out, ']');
	if (tail->format == WIRE_FORMAT_BASE64)
		buffer_append_text(out, ",\"encoding_format\":\"base64\"");
	if (tail->dimensions != 0)
		buffer_printf(out, ",\"dimensions\":%u", (unsigned)tail->dimensions);
	if (tail->user != NULL) {
		buffer_append_text(out, ",\"user\":\"");
		json_text_append(out, tail->user, strlen(tail->user));
		buffer_append_char(out, '"');
	}
	if (tail->extra != NULL && tail->extra_len > 0) {
		buffer_append_char(out, ',');
		buffer_append(out, tail->extra, tail->extra_len);
	}
	buffer_append_char(out, '}');
	return out->status;
}

size_t wire_request_text_bytes(const char *bytes, size_t len)
{
	return json_text_bytes(bytes, len) + 3;
}

size_t wire_request_ids_bytes(const uint32_t *ids, size_t count)
{
	size_t total = 3;
	char digits[ID_BYTES];

	for (size_t i = 0; i < count; i++)
		total += (size_t)(put_id(digits, ids[i]) - digits) + 1;
	return total - (count > 0);
}
