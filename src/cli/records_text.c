/* SPDX-License-Identifier: MIT */
#include "cli/records_text.h"

#include <string.h>

#include "cli/csv.h"
#include "cli/json_row.h"
#include "wire/base64.h"
#include "wire/float_text.h"

void records_append_floats(struct buffer *out, const float *vector, uint32_t dimensions)
{
	char *start = buffer_reserve(out, (size_t)dimensions * (FLOAT_TEXT_CAP + 1) + 2),
	     *at = start;

	if (start == NULL)
		return;
	*at++ = '[';
	for (uint32_t i = 0; i < dimensions; i++) {
		if (i > 0)
			*at++ = ',';
		at += float_text_write(at, vector[i], FLOAT_PLAIN);
	}
	*at++ = ']';
	out->len += (size_t)(at - start);
}

/* Little-endian float32, as OpenAI's base64. */
static void append_base64(struct buffer *out, const float *vector, uint32_t dimensions)
{
	size_t len = (size_t)dimensions * sizeof(*vector);
	char *start = buffer_reserve(out, base64_encoded_len(len));

	if (start != NULL)
		out->len += base64_encode(start, vector, len);
}

/* ---- JSONL ------------------------------------------------------------ */

static void append_error(struct buffer *out, const struct record *record)
{
	buffer_printf(
	    out, ",\"error\":{\"code\":\"%s\",\"message\":", embed_status_code(record->status));
	json_append_string(out, record->message, strlen(record->message));
	buffer_append_text(out, "}");
}

static void append_vector(
    struct buffer *out, const struct record *record, enum records_embedding embedding)
{
	if (embedding == RECORDS_NONE)
		return;
	buffer_append_text(out, ",\"embedding\":");
	if (embedding == RECORDS_FLOAT) {
		records_append_floats(out, record->vector, record->dimensions);
		return;
	}
	buffer_append_char(out, '"');
	append_base64(out, record->vector, record->dimensions);
	buffer_append_char(out, '"');
}

static void append_place(struct buffer *out, const struct record *record)
{
	const struct item *item = record->item;

	buffer_append_text(out, ",\"source\":");
	json_append_string(out, item_bytes(record->group, item->source), item->source.len);
	if (!item->is_whole_source)
		buffer_printf(out, ",\"chunk\":%llu,\"start\":%llu,\"end\":%llu",
		    (unsigned long long)item->chunk, (unsigned long long)item->start,
		    (unsigned long long)item->end);
}

void records_json_append(struct buffer *out, const struct record *record,
    enum records_embedding embedding, bool has_documents)
{
	const struct item *item = record->item;

	buffer_append_text(out, "{\"id\":");
	json_append_sanitized(out, item_bytes(record->group, item->id), item->id.len);
	if (has_documents)
		append_place(out, record);
	if (!item->is_whole_source)
		buffer_printf(out, ",\"tokens\":%u", record->tokens);
	if (has_documents && !item->is_whole_source) {
		buffer_append_text(out, ",\"text\":");
		json_append_string(out, item_bytes(record->group, item->text), item->text.len);
	}
	if (record->status != EMBED_OK)
		append_error(out, record);
	else
		append_vector(out, record, embedding);
	buffer_append_text(out, "}\n");
}

/* ---- CSV -------------------------------------------------------------- */

void records_csv_append_names(
    struct buffer *out, enum records_embedding embedding, bool has_documents)
{
	buffer_append_text(
	    out, has_documents ? "id,source,chunk,start,end,tokens,text" : "id,tokens");
	if (embedding != RECORDS_NONE)
		buffer_append_text(out, ",embedding");
	buffer_append_text(out, ",error_code,error_message\r\n");
}

static void append_csv_place(struct buffer *out, const struct record *record)
{
	const struct item *item = record->item;

	buffer_append_char(out, ',');
	csv_append(out, item_bytes(record->group, item->source), item->source.len);
	if (item->is_whole_source)
		buffer_append_text(out, ",,,");
	else
		buffer_printf(out, ",%llu,%llu,%llu", (unsigned long long)item->chunk,
		    (unsigned long long)item->start, (unsigned long long)item->end);
}

static void append_csv_vector(
    struct buffer *out, const struct record *record, enum records_embedding embedding)
{
	if (embedding == RECORDS_NONE)
		return;
	buffer_append_char(out, ',');
	if (record->vector == NULL)
		return;
	if (embedding == RECORDS_BASE64) {
		append_base64(out, record->vector, record->dimensions);
		return;
	}
	buffer_append_char(out, '"');
	records_append_floats(out, record->vector, record->dimensions);
	buffer_append_char(out, '"');
}

static void append_csv_id(struct buffer *out, const struct record *record)
{
	const char *id = item_bytes(record->group, record->item->id);
	size_t len = record->item->id.len;
	bool is_simple_string = len >= 2 && id[0] == '"' && memchr(id, '\\', len) == NULL;

	if (is_simple_string)
		csv_append(out, id + 1, len - 2);
	else
		csv_append(out, id, len);
}

void records_csv_append(struct buffer *out, const struct record *record,
    enum records_embedding embedding, bool has_documents)
{
	const struct item *item = record->item;

	append_csv_id(out, record);
	if (has_documents)
		append_csv_place(out, record);
	buffer_printf(out, ",%u", record->tokens);
	if (has_documents) {
		buffer_append_char(out, ',');
		csv_append(out, item_bytes(record->group, item->text), item->text.len);
	}
	append_csv_vector(out, record, embedding);
	if (record->status == EMBED_OK) {
		buffer_append_text(out, ",,\r\n");
		return;
	}
	buffer_printf(out, ",%s,", embed_status_code(record->status));
	csv_append(out, record->message, strlen(record->message));
	buffer_append_text(out, "\r\n");
}
