/* SPDX-License-Identifier: MIT */
#include "wire/refusal.h"

#include <stdarg.h>
#include <string.h>

#include "wire/json_text.h"

static const struct wire_refusal rows[] = {
    {"NONE", 200, NULL, NULL, NULL, NULL},
#define REFUSAL(name, http_status, type, param, code, message)                                     \
	{#name, http_status, type, param, code, message},
#include "wire/refusals.def"
#undef REFUSAL
};

const struct wire_refusal *wire_refusal_row(enum wire_refusal_id id)
{
	return &rows[id];
}

enum wire_refusal_id wire_refusal_find(const char *name)
{
	for (int id = 1; id < WIRE_REFUSAL_COUNT; id++) {
		if (strcmp(rows[id].name, name) == 0)
			return (enum wire_refusal_id)id;
	}
	return WIRE_REFUSAL_NONE;
}

void wire_json_string(struct buffer *out, const char *bytes, size_t len)
{
	buffer_append_char(out, '"');
	json_text_append_repaired(out, bytes, len);
	buffer_append_char(out, '"');
}

static void append_or_null(struct buffer *out, const char *key, const char *value)
{
	buffer_append_text(out, key);
	if (value == NULL)
		buffer_append_text(out, "null");
	else
		wire_json_string(out, value, strlen(value));
}

void wire_error_write(
    struct buffer *out, const char *message, const char *type, const char *param, const char *code)
{
	append_or_null(out, "{\n  \"error\": {\n    \"message\": ", message);
	append_or_null(out, ",\n    \"type\": ", type);
	append_or_null(out, ",\n    \"param\": ", param);
	append_or_null(out, ",\n    \"code\": ", code);
	buffer_append_text(out, "\n  }\n}\n");
}

/* A template with each {} replaced by the next argument; *args is NULL once they are used up. */
static void append_filled(
    struct buffer *out, const char *key, const char *template, va_list *args, bool *has_more)
{
	buffer_append_text(out, key);
	if (template == NULL) {
		buffer_append_text(out, "null");
		return;
	}
	buffer_append_char(out, '"');
	for (const char *hole; (hole = strstr(template, "{}")) != NULL; template = hole + 2) {
		const char *value = *has_more ? va_arg(*args, const char *) : NULL;

		json_text_append_repaired(out, template, (size_t)(hole - template));
		*has_more = value != NULL;
		if (value != NULL)
			json_text_append_repaired(out, value, strlen(value));
	}
	json_text_append_repaired(out, template, strlen(template));
	buffer_append_char(out, '"');
}

void wire_refusal_write(struct buffer *out, enum wire_refusal_id id, ...)
{
	const struct wire_refusal *row = wire_refusal_row(id);
	bool has_more = true;
	va_list args;

	va_start(args, id);
	append_filled(out, "{\n  \"error\": {\n    \"message\": ", row->message, &args, &has_more);
	append_filled(out, ",\n    \"type\": ", row->type, &args, &has_more);
	append_filled(out, ",\n    \"param\": ", row->param, &args, &has_more);
	append_filled(out, ",\n    \"code\": ", row->code, &args, &has_more);
	buffer_append_text(out, "\n  }\n}\n");
	va_end(args);
}
