/* SPDX-License-Identifier: MIT */
#include "emulator/refusal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MODEL_MARK "{model}"

enum form { OPENAI, NUMBER, AZURE, CF, FLAT, TEXT, HTML, EMPTY };

struct variant {
	const char *name;
	int http;
	enum form form;
	const char *type, *param, *code, *message;
};

static const struct variant variants[] = {
#define VARIANT(name, http, form, type, param, code, message)                                      \
	{#name, http, form, type, param, code, message},
#include "emulator/variants.def"
};

/* What the {} of a wire row become when nothing real is at hand. */
static const struct example {
	enum wire_refusal_id id;
	const char *words[6];
} examples[] = {
    {WIRE_REFUSAL_UNKNOWN_FIELD, {"colour", "colour"}},
    {WIRE_REFUSAL_MISSING_FIELD, {"input", "input"}},
    {WIRE_REFUSAL_BAD_FIELD, {"user", "user", "expected a string"}},
    {WIRE_REFUSAL_BAD_VALUE, {"user", "user", "expected a string"}},
    {WIRE_REFUSAL_EMPTY_TEXT_AT, {"0"}},
    {WIRE_REFUSAL_EMPTY_IDS_AT, {"0"}},
    {WIRE_REFUSAL_TEXT_TOO_LONG, {"8192"}},
    {WIRE_REFUSAL_TEXT_TOO_LONG_AT, {"0", "8192"}},
    {WIRE_REFUSAL_TEXT_TOO_MANY_BYTES_AT, {"0", "1048576"}},
    {WIRE_REFUSAL_BAD_TOKEN_AT, {"0", "100300"}},
    {WIRE_REFUSAL_TOO_MANY_INPUTS, {"2048"}},
    {WIRE_REFUSAL_TOO_MANY_TOKENS, {"302822", "300000"}},
    {WIRE_REFUSAL_DIMENSIONS_TOO_LARGE, {"1537", "1536"}},
    {WIRE_REFUSAL_DIMENSIONS_TOO_SMALL, {"0"}},
    {WIRE_REFUSAL_KEY_WRONG, {"sk-wrong****-key"}},
    {WIRE_REFUSAL_NO_SUCH_MODEL, {MODEL_MARK}},
    {WIRE_REFUSAL_NO_SUCH_PATH, {"POST", "/v1/x"}},
    {WIRE_REFUSAL_BAD_METHOD, {"GET", "/v1/embeddings"}},
    {WIRE_REFUSAL_BODY_TOO_LARGE, {"8388608"}},
    {WIRE_REFUSAL_RATE_TOKENS,
	{MODEL_MARK, "org-emulator", "1000000", "976163", "70716", "2.812s"}},
    {WIRE_REFUSAL_RATE_REQUESTS, {MODEL_MARK, "org-emulator", "3000", "3000", "1", "20ms"}},
    {WIRE_REFUSAL_RATE_TOO_LARGE, {MODEL_MARK, "org-emulator", "40000", "70716"}},
    {WIRE_REFUSAL_NO_CREDIT,
	{"credit_balance_exhausted", "Your credit balance is exhausted. Add credits to go on."}},
    {WIRE_REFUSAL_BAD_GATEWAY, {"Bad gateway."}},
    {WIRE_REFUSAL_GATEWAY_TIMEOUT, {"Gateway timeout."}},
    {WIRE_REFUSAL_NO_SUCH_FILE, {"file-none"}},
    {WIRE_REFUSAL_NO_SUCH_BATCH, {"batch_none"}},
};

static const struct variant *variant_of(enum refusal refusal)
{
	return refusal > REFUSAL_LAST_OF_WIRE ? &variants[refusal - REFUSAL_LAST_OF_WIRE - 1]
					      : NULL;
}

enum refusal refusal_find(const char *name, size_t len)
{
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		const char *known = refusal_name((enum refusal)i);

		if (strlen(known) == len && strncasecmp(known, name, len) == 0)
			return (enum refusal)i;
	}
	return REFUSAL_NONE;
}

const char *refusal_name(enum refusal refusal)
{
	const struct variant *variant = variant_of(refusal);

	return variant ? variant->name : wire_refusal_row((enum wire_refusal_id)refusal)->name;
}

int refusal_http_status(enum refusal refusal)
{
	const struct variant *variant = variant_of(refusal);

	return variant ? variant->http
		       : wire_refusal_row((enum wire_refusal_id)refusal)->http_status;
}

const char *refusal_content_type(enum refusal refusal)
{
	const struct variant *variant = variant_of(refusal);

	if (variant && variant->form == EMPTY)
		return NULL;
	if (variant && variant->form == HTML)
		return "text/html; charset=UTF-8";
	return "application/json; charset=utf-8";
}

/* ---- Wire's rows ----------------------------------------------------- */

static void write_example(struct buffer *body, enum wire_refusal_id id, const char *model)
{
	static const struct example nothing = {.id = WIRE_REFUSAL_NONE};
	const struct example *example = &nothing;
	const char *words[6];

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (examples[i].id == id)
			example = &examples[i];
	for (size_t i = 0; i < 6; i++) {
		words[i] = example->words[i];
		if (words[i] && strcmp(words[i], MODEL_MARK) == 0)
			words[i] = model;
	}
	wire_refusal_write(
	    body, id, words[0], words[1], words[2], words[3], words[4], words[5], NULL);
}

/* ---- Variants -------------------------------------------------------- */

/* The message as a JSON string. */
static void write_message(struct buffer *body, const char *message, const char *model)
{
	const char *mark = strstr(message, MODEL_MARK);
	struct buffer text;

	buffer_init(&text, 64 << 10);
	if (mark) {
		buffer_append(&text, message, (size_t)(mark - message));
		buffer_append_text(&text, model);
		message = mark + strlen(MODEL_MARK);
	}
	buffer_append_text(&text, message);
	if (text.status == EMBED_OK)
		wire_json_string(body, text.bytes, text.len);
	else
		buffer_append_text(body, "\"\"");
	buffer_fini(&text);
}

static void write_string_or_null(struct buffer *body, const char *text)
{
	if (text)
		wire_json_string(body, text, strlen(text));
	else
		buffer_append_text(body, "null");
}

/* `"message":M,"type":T,"param":P,"code":C`, the code as it stands. */
static void write_members(struct buffer *body, const struct variant *variant, const char *model)
{
	buffer_append_text(body, "\"message\":");
	write_message(body, variant->message, model);
	buffer_append_text(body, ",\"type\":");
	write_string_or_null(body, variant->type);
	buffer_append_text(body, ",\"param\":");
	write_string_or_null(body, variant->param);
	buffer_append_text(body, ",\"code\":");
	if (variant->form == OPENAI)
		write_string_or_null(body, variant->code);
	else
		buffer_append_text(body, variant->code);
}

static void write_variant(struct buffer *body, const struct variant *variant, const char *model)
{
	switch (variant->form) {
	case OPENAI:
	case NUMBER:
		buffer_append_text(body, "{\"error\":{");
		write_members(body, variant, model);
		buffer_append_text(body, "}}");
		break;
	case FLAT:
		buffer_append_text(body, "{");
		write_members(body, variant, model);
		buffer_append_text(body, "}");
		break;
	case CF:
		buffer_printf(body,
		    "{\"error\":{\"code\":%s,\"message\":\"%s\",\"param\":null,\"type\":\"%s\"}}",
		    variant->code, variant->message, variant->type);
		break;
	case AZURE:
		buffer_printf(body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
		    variant->code, variant->message);
		break;
	case TEXT:
		buffer_printf(body, "{\"error\":\"%s\"}", variant->message);
		break;
	case HTML:
		buffer_printf(body,
		    "<!DOCTYPE html>\n<html><head><title>api.openai.com | %d: %s</title></head>\n"
		    "<body><h1>Error %d</h1><p>%s</p></body></html>\n",
		    variant->http, variant->message, variant->http, variant->message);
		break;
	case EMPTY:
		break;
	}
}

void refusal_write(struct buffer *body, enum refusal refusal, const char *model)
{
	const struct variant *variant = variant_of(refusal);

	if (!model)
		model = "text-embedding-3-small";
	if (variant)
		write_variant(body, variant, model);
	else
		write_example(body, (enum wire_refusal_id)refusal, model);
}
