/* SPDX-License-Identifier: MIT */
/* /v1/batches (PROTOCOL 8.2). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/call.h"
#include "emulator/depot.h"
#include "emulator/list_query.h"

#define JSON_TYPE    "application/json"
#define LIST_DEFAULT 20
#define LIST_MAX     100
#define ENDPOINT     "/v1/embeddings"
#define METADATA_MAX 16
#define KEY_MAX      64
#define VALUE_MAX    512

/* ---- Creating -------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool metadata_is_good(const json_t *metadata)
{
	const char *key;
	json_t *value;

	if (!metadata || json_is_null(metadata))
		return true;
	if (!json_is_object(metadata) || json_object_size(metadata) > METADATA_MAX)
		return false;
	json_object_foreach(
	    (json_t *)metadata, key, value) if (strlen(key) > KEY_MAX || !json_is_string(value) ||
						json_string_length(value) > VALUE_MAX) return false;
	return true;
}

/* The first thing wrong with the order, its refusal written; NONE: nothing. */
static enum wire_refusal_id judge(struct call *call, const json_t *object)
{
	static const char *const required[] = {"input_file_id", "endpoint", "completion_window"};
	struct buffer *body = &call->delivery.body;

	if (!json_is_object(object)) {
		wire_refusal_write(body, WIRE_REFUSAL_NOT_JSON, NULL);
		return WIRE_REFUSAL_NOT_JSON;
	}
	for (size_t i = 0; i < 3; i++) {
		if (text_of(object, required[i]))
			continue;
		wire_refusal_write(
		    body, WIRE_REFUSAL_MISSING_FIELD, required[i], required[i], NULL);
		return WIRE_REFUSAL_MISSING_FIELD;
	}
	if (strcmp(text_of(object, "endpoint"), ENDPOINT) != 0) {
		wire_refusal_write(body, WIRE_REFUSAL_BAD_VALUE, "endpoint", "endpoint",
		    "only '" ENDPOINT "' exists here", NULL);
		return WIRE_REFUSAL_BAD_VALUE;
	}
	if (strcmp(text_of(object, "completion_window"), "24h") != 0) {
		wire_refusal_write(body, WIRE_REFUSAL_BAD_VALUE, "completion_window",
		    "completion_window", "must be '24h'", NULL);
		return WIRE_REFUSAL_BAD_VALUE;
	}
	if (!metadata_is_good(json_object_get(object, "metadata"))) {
		wire_refusal_write(body, WIRE_REFUSAL_BAD_VALUE, "metadata", "metadata",
		    "at most 16 pairs of strings, keys to 64 characters, values to 512", NULL);
		return WIRE_REFUSAL_BAD_VALUE;
	}
	return WIRE_REFUSAL_NONE;
}

/* With the lock held; the answer's body is written either way. */
static enum wire_refusal_id create(struct call *call, const json_t *object, int64_t now_s)
{
	struct depot *depot = call->emulator->depot;
	const char *input_id = text_of(object, "input_file_id");
	const struct depot_file *input = depot_find_file(depot, input_id);
	const json_t *metadata = json_object_get(object, "metadata");
	char *text = json_is_object(metadata) ? json_dumps(metadata, JSON_COMPACT) : NULL;
	const struct depot_order order = {.endpoint = text_of(object, "endpoint"),
	    .window = text_of(object, "completion_window"),
	    .key = call->key,
	    .metadata = text,
	    .output_ttl_s = json_integer_value(
		json_object_get(json_object_get(object, "output_expires_after"), "seconds"))};
	struct depot_batch *batch = input ? depot_add_batch(depot, input, &order, now_s) : NULL;
	enum wire_refusal_id id = WIRE_REFUSAL_NONE;

	free(text);
	if (batch) {
		batch_object_write(&call->delivery.body, &batch->object, 0);
		return id;
	}
	id = input ? WIRE_REFUSAL_FAULT : WIRE_REFUSAL_NO_SUCH_FILE;
	wire_refusal_write(&call->delivery.body, id, input_id, NULL);
	return id;
}

void emulate_batch_create(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	json_t *object = json_loadb(request->body ? request->body : "", request->body_len, 0, NULL);
	int64_t now_s = emulator_unix_s(call->emulator);
	enum wire_refusal_id id = judge(call, object);

	if (id == WIRE_REFUSAL_NONE && !emulator_enter(call, FAULT_ON_BATCHES)) {
		json_decref(object);
		return;
	}
	if (id == WIRE_REFUSAL_NONE) {
		id = create(call, object, now_s);
		emulator_leave(call);
	}
	json_decref(object);
	if (id == WIRE_REFUSAL_NONE)
		answer_json(call, "\n");
	else
		answer_refusal(call, id);
}

/* ---- Looking and cancelling ------------------------------------------ */

static void refuse_batch(struct call *call)
{
	emulator_leave(call);
	wire_refusal_write(&call->delivery.body, WIRE_REFUSAL_NO_SUCH_BATCH, call->name, NULL);
	answer_refusal(call, WIRE_REFUSAL_NO_SUCH_BATCH);
}

void emulate_batch(struct call *call)
{
	struct depot_batch *batch;

	if (!emulator_enter(call, FAULT_ON_BATCHES))
		return;
	batch = depot_find_batch(call->emulator->depot, call->name);
	if (!batch) {
		refuse_batch(call);
		return;
	}
	batch_object_write(&call->delivery.body, &batch->object, 0);
	emulator_leave(call);
	answer_json(call, "\n");
}

void emulate_batch_cancel(struct call *call)
{
	int64_t now_s = emulator_unix_s(call->emulator);
	struct depot_batch *batch;
	char message[160];
	bool is_cancelled;

	if (!emulator_enter(call, FAULT_ON_BATCHES))
		return;
	batch = depot_find_batch(call->emulator->depot, call->name);
	if (!batch) {
		refuse_batch(call);
		return;
	}
	is_cancelled = depot_cancel(call->emulator->depot, batch, now_s);
	snprintf(message, sizeof(message), "Cannot cancel a batch with status '%s'.",
	    batch_status_name(batch->object.status));
	if (is_cancelled)
		batch_object_write(&call->delivery.body, &batch->object, 0);
	else
		wire_error_write(
		    &call->delivery.body, message, "invalid_request_error", NULL, NULL);
	emulator_leave(call);
	answer_with(call, is_cancelled ? 200 : 409, JSON_TYPE);
}

static void write_ids(struct buffer *body, const char *first, const char *last)
{
	if (first)
		buffer_printf(
		    body, "\n  ],\n  \"first_id\": \"%s\",\n  \"last_id\": \"%s\",\n", first, last);
	else
		buffer_append_text(body, "],\n  \"first_id\": null,\n  \"last_id\": null,\n");
}

void emulate_batches_list(struct call *call)
{
	struct buffer *body = &call->delivery.body;
	struct depot *depot = call->emulator->depot;
	const char *first = NULL, *last = NULL;
	struct list_query list;

	list_query_read(
	    &list, http_exchange_request(call->exchange)->query, LIST_DEFAULT, LIST_MAX);
	if (!emulator_enter(call, FAULT_ON_BATCHES))
		return;
	buffer_append_text(body, "{\n  \"object\": \"list\",\n  \"data\": [");
	for (size_t i = depot->batch_count; i-- > 0;) {
		const struct batch_object *object = &depot->batches[i]->object;

		if (!list_query_takes(&list, object->id))
			continue;
		buffer_append_text(body, first ? ",\n    " : "\n    ");
		batch_object_write(body, object, 2);
		first = first ? first : object->id;
		last = object->id;
	}
	write_ids(body, first, last);
	emulator_leave(call);
	buffer_printf(body, "  \"has_more\": %s\n}\n", list.has_more ? "true" : "false");
	answer_with(call, 200, JSON_TYPE);
}
