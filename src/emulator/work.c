/* SPDX-License-Identifier: MIT */
#include "emulator/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT    24
#define TEXT_BYTES_MAX 1048576 /* PROTOCOL 1.1: characters in one string */

const struct embed_model *work_find_model(const struct work_limits *limits, const char *name)
{
	bool exists = limits->model_count == 0;

	for (size_t i = 0; i < limits->model_count; i++)
		exists |= strcmp(limits->models[i], name) == 0;
	return exists ? embed_model_find(name) : NULL;
}

/* ---- Token ids ------------------------------------------------------- */

/* Gives one text of ids the bytes that they stand for, at the end of `decoded`. */
static enum wire_refusal_id decode_text(
    struct work *work, size_t index, struct buffer *decoded, struct buffer *refusal)
{
	struct embed_text *text = &work->request->texts[index];
	char number[NUMBER_TEXT];
	char *bytes;
	size_t len;

	if (embed_decode(work->model->encoding, text->ids, text->id_count, &bytes, &len) !=
	    EMBED_OK) {
		snprintf(number, sizeof(number), "%zu", index);
		wire_refusal_write(refusal, WIRE_REFUSAL_BAD_TOKEN_AT, number, "given", NULL);
		return WIRE_REFUSAL_BAD_TOKEN_AT;
	}
	buffer_append(decoded, bytes, len);
	text->len = len;
	embed_free(bytes);
	return WIRE_REFUSAL_NONE;
}

static enum wire_refusal_id decode_texts(struct work *work, struct buffer *refusal)
{
	struct wire_request *request = work->request;
	enum wire_refusal_id id = WIRE_REFUSAL_NONE;
	struct buffer decoded;
	size_t offset = 0;

	buffer_init(&decoded, (size_t)64 << 20);
	for (size_t i = 0; i < request->count && id == WIRE_REFUSAL_NONE; i++)
		id = decode_text(work, i, &decoded, refusal);
	if (id == WIRE_REFUSAL_NONE && decoded.status != EMBED_OK) {
		id = WIRE_REFUSAL_FAULT;
		wire_refusal_write(refusal, id, NULL);
	}
	if (id == WIRE_REFUSAL_NONE)
		work->decoded = buffer_take(&decoded, NULL);
	for (size_t i = 0; work->decoded && i < request->count; i++) {
		request->texts[i].bytes = work->decoded + offset;
		offset += request->texts[i].len;
	}
	buffer_fini(&decoded);
	return id;
}

/* ---- Judging --------------------------------------------------------- */

static enum wire_refusal_id refuse_number(
    struct buffer *refusal, enum wire_refusal_id id, size_t first, size_t second)
{
	char texts[2][NUMBER_TEXT];

	snprintf(texts[0], NUMBER_TEXT, "%zu", first);
	snprintf(texts[1], NUMBER_TEXT, "%zu", second);
	refusal->len = 0;
	wire_refusal_write(refusal, id, texts[0], texts[1], NULL);
	return id;
}

static size_t tokens_of(const struct work *work, const struct embed_text *text)
{
	size_t tokens = text->id_count;

	if (text->id_count == 0 &&
	    embed_count_tokens(work->model->encoding, text->bytes, text->len, &tokens) != EMBED_OK)
		tokens = SIZE_MAX / 4096;
	return tokens;
}

/* Per text, then the sum; fills in what is billed and what is charged. */
static enum wire_refusal_id check_tokens(
    struct work *work, const struct work_limits *limits, struct buffer *refusal)
{
	const struct wire_request *request = work->request;
	uint64_t bytes = 0, ids = 0;

	for (size_t i = 0; i < request->count; i++) {
		size_t tokens = tokens_of(work, &request->texts[i]);

		if (tokens > limits->text_tokens && request->form == WIRE_INPUT_TEXT)
			return refuse_number(
			    refusal, WIRE_REFUSAL_TEXT_TOO_LONG, limits->text_tokens, 0);
		if (tokens > limits->text_tokens)
			return refuse_number(
			    refusal, WIRE_REFUSAL_TEXT_TOO_LONG_AT, i, limits->text_tokens);
		work->tokens += tokens;
		ids += request->texts[i].id_count;
		bytes += request->texts[i].id_count ? 0 : request->texts[i].len;
	}
	if (work->tokens > limits->request_tokens)
		return refuse_number(
		    refusal, WIRE_REFUSAL_TOO_MANY_TOKENS, work->tokens, limits->request_tokens);
	work->charge = bytes / 4 + ids;
	return WIRE_REFUSAL_NONE;
}

static bool is_about_dimensions(enum wire_refusal_id id)
{
	return id == WIRE_REFUSAL_NO_DIMENSIONS || id == WIRE_REFUSAL_DIMENSIONS_TOO_LARGE ||
	       id == WIRE_REFUSAL_DIMENSIONS_TOO_SMALL;
}

/* Everything but JSON and the model's name. */
static enum wire_refusal_id judge(
    struct work *work, const struct work_limits *limits, bool needs_model, struct buffer *refusal)
{
	const struct wire_request_policy policy = {.refuse_unknown = true,
	    .needs_model = needs_model,
	    .max_inputs = limits->texts,
	    .max_text_bytes = TEXT_BYTES_MAX};
	enum wire_refusal_id id, tokens;

	id = wire_request_check(work->request, &policy, work->model, refusal, NULL);
	if (id != WIRE_REFUSAL_NONE && !is_about_dimensions(id))
		return id;
	tokens = check_tokens(work, limits, refusal);
	return tokens != WIRE_REFUSAL_NONE ? tokens : id;
}

static enum wire_refusal_id refuse_model(struct buffer *refusal, const char *name)
{
	wire_refusal_write(refusal, WIRE_REFUSAL_NO_SUCH_MODEL, name, NULL);
	return WIRE_REFUSAL_NO_SUCH_MODEL;
}

enum wire_refusal_id work_read(struct work *work, struct wire_request *request,
    const struct work_limits *limits, const struct embed_model *model, char *body, size_t len,
    struct buffer *refusal)
{
	bool needs_model = !model;
	enum wire_refusal_id id;

	*work = (struct work){.request = request, .model = model};
	if (wire_request_read(request, body, len, 0, NULL) != EMBED_OK) {
		wire_refusal_write(refusal, WIRE_REFUSAL_NOT_JSON, NULL);
		return WIRE_REFUSAL_NOT_JSON;
	}
	if (needs_model && request->model.kind == WIRE_STRING && request->model.len > 0) {
		work->model = work_find_model(limits, request->model.bytes);
		if (!work->model)
			return refuse_model(refusal, request->model.bytes);
	}
	id = judge(work, limits, needs_model, refusal);
	if (id == WIRE_REFUSAL_NONE &&
	    (request->form == WIRE_INPUT_IDS || request->form == WIRE_INPUT_IDS_LIST))
		id = decode_texts(work, refusal);
	if (id != WIRE_REFUSAL_NONE)
		return id;
	work->format = wire_request_format(request);
	work->dimensions = wire_request_dimensions(request);
	if (work->dimensions == 0)
		work->dimensions = work->model->dimensions;
	return WIRE_REFUSAL_NONE;
}

void work_fini(struct work *work)
{
	free(work->decoded);
	work->decoded = NULL;
}
