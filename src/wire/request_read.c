/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "wire/json_text.h"
#include "wire/request.h"

/* The fields that have a meaning; bits of `seen`. */
enum field {
	FIELD_MODEL,
	FIELD_INPUT,
	FIELD_ENCODING_FORMAT,
	FIELD_DIMENSIONS,
	FIELD_USER,
	FIELD_EXTRA
};

static const struct {
	const char *name;
	size_t len;
} fields[] = {
    [FIELD_MODEL] = {"model", 5},
    [FIELD_INPUT] = {"input", 5},
    [FIELD_ENCODING_FORMAT] = {"encoding_format", 15},
    [FIELD_DIMENSIONS] = {"dimensions", 10},
    [FIELD_USER] = {"user", 4},
};

/* One call of wire_request_read. */
struct reading {
	struct json_cursor cursor;
	struct wire_request *request;
	const char *begin;
	size_t max_inputs;
	bool is_in_input;
};

void wire_request_init(struct wire_request *request)
{
	memset(request, 0, sizeof(*request));
}

void wire_request_fini(struct wire_request *request)
{
	free(request->texts);
	free(request->extras);
	free(request->ids);
	wire_request_init(request);
}

/* ---- Growing arrays ------------------------------------------------- */

/* A larger array of at least one more element, or NULL; *cap is updated. */
static void *grown(void *array, size_t *cap, size_t element_bytes)
{
	size_t larger = *cap < 16 ? 16 : *cap * 2;
	void *moved;

	if (larger > SIZE_MAX / 2 / element_bytes)
		return NULL;
	moved = realloc(array, larger * element_bytes);
	if (moved != NULL)
		*cap = larger;
	return moved;
}

static bool out_of_memory(struct reading *reading)
{
	return json_fail(&reading->cursor, EMBED_NO_MEMORY, "out of memory");
}

static struct embed_text *new_text(struct reading *reading)
{
	struct wire_request *request = reading->request;

	if (reading->max_inputs != 0 && request->count >= reading->max_inputs) {
		json_fail(&reading->cursor, EMBED_TOO_LARGE, "more inputs than are taken");
		return NULL;
	}
	if (request->count == request->text_cap) {
		struct embed_text *texts =
		    grown(request->texts, &request->text_cap, sizeof(*texts));

		if (texts == NULL) {
			out_of_memory(reading);
			return NULL;
		}
		request->texts = texts;
	}
	return &request->texts[request->count];
}

static bool add_id(struct reading *reading, uint32_t id)
{
	struct wire_request *request = reading->request;

	if (request->id_count == request->id_cap) {
		uint32_t *ids = grown(request->ids, &request->id_cap, sizeof(*ids));

		if (ids == NULL)
			return out_of_memory(reading);
		request->ids = ids;
	}
	request->ids[request->id_count++] = id;
	return true;
}

static bool add_extra(
    struct reading *reading, const struct wire_string *name, const char *value, size_t value_len)
{
	struct wire_request *request = reading->request;

	if (request->extra_count == WIRE_MAX_EXTRAS)
		return json_fail(&reading->cursor, EMBED_BAD_FORMAT, "too many fields");
	if (request->extra_count == request->extra_cap) {
		struct wire_extra *extras =
		    grown(request->extras, &request->extra_cap, sizeof(*extras));

		if (extras == NULL)
			return out_of_memory(reading);
		request->extras = extras;
	}
	request->extras[request->extra_count++] =
	    (struct wire_extra){name->bytes, name->len, value, value_len};
	return true;
}

/* ---- Input ---------------------------------------------------------- */

static bool read_text(struct reading *reading)
{
	struct wire_string string;
	struct embed_text *text = new_text(reading);

	if (text == NULL || !json_read_string(&reading->cursor, &string))
		return false;
	*text = (struct embed_text){.bytes = string.bytes, .len = string.len};
	reading->request->count++;
	return true;
}

/* Not what the form asks for; the value is still checked as JSON.  Only the first is noted. */
static bool skip_bad_element(struct reading *reading, size_t index)
{
	struct wire_request *request = reading->request;
	enum wire_kind kind;

	json_skip_blanks(&reading->cursor);
	if (request->form != WIRE_INPUT_BAD) {
		request->form = WIRE_INPUT_BAD;
		request->bad_index = index;
		request->bad_offset = (size_t)(reading->cursor.at - reading->begin);
	}
	return json_skip_value(&reading->cursor, 2, &kind);
}

/* Plain digits up to 32 bits, nothing that makes them a fraction. */
static bool read_id(struct reading *reading, uint32_t *id)
{
	struct json_cursor *cursor = &reading->cursor;
	const char *at = cursor->at;
	uint64_t value = 0;

	if (at == cursor->end ||
	    (*at == '0' && at + 1 < cursor->end && at[1] >= '0' && at[1] <= '9'))
		return false;
	while (at < cursor->end && *at >= '0' && *at <= '9' && value <= UINT32_MAX)
		value = value * 10 + (uint64_t)(*at++ - '0');
	if (at == cursor->at || value > UINT32_MAX || at == cursor->end || *at == '.' ||
	    (*at | 0x20) == 'e')
		return false;
	cursor->at += at - cursor->at;
	*id = (uint32_t)value;
	return true;
}

/* The rest of a list of ids after its bracket; gives their count. */
static bool read_ids(struct reading *reading, size_t index, size_t *count)
{
	size_t before = reading->request->id_count;
	uint32_t id;

	*count = 0;
	if (json_take(&reading->cursor, ']'))
		return true;
	do {
		json_skip_blanks(&reading->cursor);
		if (!read_id(reading, &id)) {
			size_t at = index == EMBED_NO_INDEX ? reading->request->id_count : index;

			if (!skip_bad_element(reading, at))
				return false;
		} else if (!add_id(reading, id)) {
			return false;
		}
	} while (json_take(&reading->cursor, ','));
	*count = reading->request->id_count - before;
	return json_take(&reading->cursor, ']') ||
	       json_fail(&reading->cursor, EMBED_BAD_FORMAT, "a comma or ] was due");
}

static bool read_one_list_of_ids(struct reading *reading)
{
	struct embed_text *text = new_text(reading);
	size_t count;

	if (text == NULL || !read_ids(reading, EMBED_NO_INDEX, &count))
		return false;
	*text = (struct embed_text){.id_count = count};
	reading->request->count++;
	return true;
}

static bool read_inner_list(struct reading *reading)
{
	struct embed_text *text = new_text(reading);
	size_t count;

	if (text == NULL)
		return false;
	reading->cursor.at++;
	if (!read_ids(reading, reading->request->count, &count))
		return false;
	*text = (struct embed_text){.id_count = count};
	reading->request->count++;
	return true;
}

/* The rest of a list of texts, or of lists of ids, after its bracket. */
static bool read_list(struct reading *reading, enum wire_kind element)
{
	size_t index = 0;

	do {
		bool is_good = json_kind_ahead(&reading->cursor) == element;

		if (!(!is_good                   ? skip_bad_element(reading, index)
			: element == WIRE_STRING ? read_text(reading)
						 : read_inner_list(reading)))
			return false;
		index++;
	} while (json_take(&reading->cursor, ','));
	return json_take(&reading->cursor, ']') ||
	       json_fail(&reading->cursor, EMBED_BAD_FORMAT, "a comma or ] was due");
}

/* Ids lie in one array that may have moved while it grew: only now they have addresses. */
static void place_ids(struct wire_request *request)
{
	const uint32_t *ids = request->ids;

	if (ids == NULL)
		return; /* all lists are empty */
	for (size_t i = 0; i < request->count; i++) {
		request->texts[i].ids = ids;
		ids += request->texts[i].id_count;
	}
}

static bool read_input_list(struct reading *reading)
{
	struct wire_request *request = reading->request;

	reading->cursor.at++;
	switch (json_kind_ahead(&reading->cursor)) {
	case WIRE_STRING:
		request->form = WIRE_INPUT_TEXTS;
		return read_list(reading, WIRE_STRING);
	case WIRE_ARRAY:
		request->form = WIRE_INPUT_IDS_LIST;
		return read_list(reading, WIRE_ARRAY);
	case WIRE_NUMBER:
		request->form = WIRE_INPUT_IDS;
		return read_one_list_of_ids(reading);
	default:
		request->form = WIRE_INPUT_EMPTY;
		return json_take(&reading->cursor, ']') || read_list(reading, WIRE_STRING);
	}
}

static bool read_input(struct reading *reading)
{
	struct wire_request *request = reading->request;
	enum wire_kind kind = json_kind_ahead(&reading->cursor);

	if (kind == WIRE_STRING) {
		request->form = WIRE_INPUT_TEXT;
		return read_text(reading);
	}
	if (kind == WIRE_NULL)
		return json_read_name(&reading->cursor, &kind);
	if (kind != WIRE_ARRAY)
		return skip_bad_element(reading, EMBED_NO_INDEX);
	if (!read_input_list(reading))
		return false;
	if (request->form == WIRE_INPUT_IDS || request->form == WIRE_INPUT_IDS_LIST)
		place_ids(request);
	return true;
}

/* ---- Fields --------------------------------------------------------- */

static enum field find_field(const struct wire_string *name)
{
	for (int i = 0; i < FIELD_EXTRA; i++) {
		if (name->len == fields[i].len &&
		    memcmp(name->bytes, fields[i].name, name->len) == 0)
			return (enum field)i;
	}
	return FIELD_EXTRA;
}

static bool read_string_field(struct reading *reading, struct wire_string *string)
{
	if (json_kind_ahead(&reading->cursor) == WIRE_STRING)
		return json_read_string(&reading->cursor, string);
	return json_skip_value(&reading->cursor, 1, &string->kind);
}

static bool read_dimensions(struct reading *reading)
{
	struct wire_request *request = reading->request;

	if (json_kind_ahead(&reading->cursor) == WIRE_NUMBER)
		return json_read_number(
		    &reading->cursor, &request->dimensions_kind, &request->dimensions);
	return json_skip_value(&reading->cursor, 1, &request->dimensions_kind);
}

static bool read_extra(struct reading *reading, const struct wire_string *name)
{
	enum wire_kind kind;
	const char *value;

	json_skip_blanks(&reading->cursor);
	value = reading->cursor.at;
	if (!json_skip_value(&reading->cursor, 1, &kind))
		return false;
	return add_extra(reading, name, value, (size_t)(reading->cursor.at - value));
}

static bool read_value(struct reading *reading, enum field field, const struct wire_string *name)
{
	bool is_read;

	switch (field) {
	case FIELD_MODEL:
		return read_string_field(reading, &reading->request->model);
	case FIELD_ENCODING_FORMAT:
		return read_string_field(reading, &reading->request->encoding_format);
	case FIELD_USER:
		return read_string_field(reading, &reading->request->user);
	case FIELD_DIMENSIONS:
		return read_dimensions(reading);
	case FIELD_INPUT:
		reading->is_in_input = true;
		is_read = read_input(reading);
		reading->is_in_input = !is_read;
		return is_read;
	default:
		return read_extra(reading, name);
	}
}

static bool read_field(struct reading *reading, unsigned *seen)
{
	struct json_cursor *cursor = &reading->cursor;
	struct wire_string name;
	enum field field;

	if (json_peek(cursor) != '"')
		return json_fail(cursor, EMBED_BAD_FORMAT, "a field name was due");
	if (!json_read_string(cursor, &name))
		return false;
	field = find_field(&name);
	if (field != FIELD_EXTRA && (*seen & 1u << field) != 0)
		return json_fail(cursor, EMBED_BAD_FORMAT, "a field comes twice");
	*seen |= 1u << field;
	if (!json_take(cursor, ':'))
		return json_fail(cursor, EMBED_BAD_FORMAT, "a colon was due");
	return read_value(reading, field, &name);
}

static bool read_body(struct reading *reading)
{
	struct json_cursor *cursor = &reading->cursor;
	unsigned seen = 0;

	if (!json_take(cursor, '{'))
		return json_fail(cursor, EMBED_BAD_FORMAT, "the body must be a JSON object");
	if (!json_take(cursor, '}')) {
		do {
			if (!read_field(reading, &seen))
				return false;
		} while (json_take(cursor, ','));
		if (!json_take(cursor, '}'))
			return json_fail(cursor, EMBED_BAD_FORMAT, "a comma or } was due");
	}
	json_skip_blanks(cursor);
	if (cursor->at != cursor->end)
		return json_fail(cursor, EMBED_BAD_FORMAT, "something follows the object");
	return true;
}

static void forget(struct wire_request *request)
{
	request->model.kind = WIRE_ABSENT;
	request->user.kind = WIRE_ABSENT;
	request->encoding_format.kind = WIRE_ABSENT;
	request->dimensions_kind = WIRE_ABSENT;
	request->form = WIRE_INPUT_NONE;
	request->count = 0;
	request->bad_index = EMBED_NO_INDEX;
	request->extra_count = 0;
	request->id_count = 0;
}

enum embed_status wire_request_read(struct wire_request *request, char *body, size_t len,
    size_t max_inputs, struct embed_error *error)
{
	struct reading reading = {
	    .cursor = {.at = body, .end = body + len},
	    .request = request,
	    .begin = body,
	    .max_inputs = max_inputs,
	};

	forget(request);
	if (read_body(&reading))
		return EMBED_OK;
	return json_error(&reading.cursor, body,
	    reading.is_in_input ? request->count : EMBED_NO_INDEX, "request body", error);
}
