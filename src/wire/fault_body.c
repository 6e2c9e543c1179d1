/* SPDX-License-Identifier: MIT */
#include "wire/fault_body.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "wire/utf8.h"

/* Copies text for people: well-formed, on one line, cut at a character. */
static void copy_text(char *out, size_t cap, const char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len && used + 1 < cap; i++) {
		size_t char_len = 1;

		if ((signed char)text[i] < 0)
			char_len = utf8_char_len(text + i, len - i);
		if (used + char_len >= cap)
			break;
		if (char_len > 1) {
			memcpy(out + used, text + i, char_len);
			i += char_len - 1;
			used += char_len;
		} else if (char_len == 0) {
			out[used++] = '?';
		} else {
			out[used++] = text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
		}
	}
	out[used] = '\0';
}

static void copy_value(char *out, size_t cap, const json_t *value)
{
	if (json_is_string(value))
		copy_text(out, cap, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		snprintf(out, cap, "%lld", (long long)json_integer_value(value));
}

/* FastAPI's `detail`: a sentence, or a list of {"msg": ..}. */
static void copy_detail(struct fault_body *body, const json_t *detail)
{
	if (json_is_array(detail))
		detail = json_array_get(detail, 0);
	if (json_is_object(detail))
		detail = json_object_get(detail, "msg");
	copy_value(body->message, sizeof(body->message), detail);
}

static void copy_object(struct fault_body *body, const json_t *object)
{
	static const char *const message_keys[] = {"message", "msg", "error_description"};

	for (size_t i = 0; i < sizeof(message_keys) / sizeof(message_keys[0]); i++) {
		if (body->message[0] == '\0')
			copy_value(body->message, sizeof(body->message),
			    json_object_get(object, message_keys[i]));
	}
	if (body->message[0] == '\0')
		copy_detail(body, json_object_get(object, "detail"));
	copy_value(body->type, sizeof(body->type), json_object_get(object, "type"));
	/* Gemini's name for it. */
	if (body->type[0] == '\0')
		copy_value(body->type, sizeof(body->type), json_object_get(object, "status"));
	copy_value(body->param, sizeof(body->param), json_object_get(object, "param"));
	copy_value(body->code, sizeof(body->code), json_object_get(object, "code"));
}

static void copy_json(struct fault_body *body, const json_t *root)
{
	const json_t *error;

	if (json_is_array(root))
		root = json_array_get(root, 0);
	error = json_object_get(root, "error");
	if (json_is_object(error)) {
		copy_object(body, error);
		return;
	}
	copy_object(body, root);
	if (json_is_string(error))
		copy_value(body->message, sizeof(body->message), error);
}

/* A page's title says more than its first bytes. */
static void copy_page(struct fault_body *body, const char *bytes, size_t len)
{
	const char *title = memmem(bytes, len, "<title>", 7);
	const char *end;

	if (title != NULL) {
		title += 7;
		end = memmem(title, len - (size_t)(title - bytes), "</title>", 8);
		if (end != NULL) {
			bytes = title;
			len = (size_t)(end - title);
		}
	}
	copy_text(body->message, sizeof(body->message), bytes, len);
}

void fault_body_read(struct fault_body *body, const char *bytes, size_t len)
{
	json_t *root;

	memset(body, 0, sizeof(*body));
	if (len == 0)
		return;
	root = json_loadb(bytes, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (json_is_object(root) || json_is_array(root))
		copy_json(body, root);
	else if (json_is_string(root))
		copy_value(body->message, sizeof(body->message), root);
	else
		copy_page(body, bytes, len);
	json_decref(root);
}
