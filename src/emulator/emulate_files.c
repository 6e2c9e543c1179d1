/* SPDX-License-Identifier: MIT */
/* /v1/files (PROTOCOL 8.1). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/call.h"
#include "emulator/depot.h"
#include "emulator/list_query.h"
#include "emulator/multipart.h"

#define JSON_TYPE   "application/json"
#define BATCH_TTL_S (30 * 86400)
#define TTL_MIN_S   3600
#define TTL_MAX_S   2592000
#define FILE_MAX    ((size_t)512 << 20)
#define LIST_MAX    10000

static void refuse_file(struct call *call)
{
	emulator_leave(call);
	wire_refusal_write(&call->delivery.body, WIRE_REFUSAL_NO_SUCH_FILE, call->name, NULL);
	answer_refusal(call, WIRE_REFUSAL_NO_SUCH_FILE);
}

/* ---- Upload ---------------------------------------------------------- */

struct upload {
	struct http_slice content;
	char filename[256];
	char purpose[32];
	int64_t ttl_s;
	bool has_file;
};

static void copy_slice(char *out, size_t cap, struct http_slice slice)
{
	snprintf(out, cap, "%.*s", (int)(slice.len < cap ? slice.len : cap - 1), slice.bytes);
}

static bool read_upload(struct call *call, struct upload *upload)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	const struct http_slice *type = http_request_field(request, "content-type");
	struct multipart_part part;
	struct multipart multipart;
	char number[24];

	*upload = (struct upload){.has_file = false};
	if (!type || !multipart_start(&multipart, *type, request->body, request->body_len))
		return false;
	while (multipart_next(&multipart, &part)) {
		if (http_slice_equals(part.name, "file")) {
			upload->content = part.content;
			copy_slice(upload->filename, sizeof(upload->filename), part.filename);
			upload->has_file = true;
		} else if (http_slice_equals(part.name, "purpose")) {
			copy_slice(upload->purpose, sizeof(upload->purpose), part.content);
		} else if (http_slice_equals(part.name, "expires_after[seconds]")) {
			copy_slice(number, sizeof(number), part.content);
			upload->ttl_s = strtoll(number, NULL, 10);
		}
	}
	return true;
}

static enum wire_refusal_id judge_upload(struct call *call, const struct upload *upload)
{
	struct buffer *body = &call->delivery.body;
	size_t len = strlen(upload->filename);
	const char *missing = !upload->has_file ? "file" : !upload->purpose[0] ? "purpose" : NULL;

	if (missing) {
		wire_refusal_write(body, WIRE_REFUSAL_MISSING_FIELD, missing, missing, NULL);
		return WIRE_REFUSAL_MISSING_FIELD;
	}
	if (upload->ttl_s != 0 && (upload->ttl_s < TTL_MIN_S || upload->ttl_s > TTL_MAX_S)) {
		wire_refusal_write(body, WIRE_REFUSAL_BAD_VALUE, "expires_after[seconds]",
		    "expires_after[seconds]", "must be 3600 to 2592000", NULL);
		return WIRE_REFUSAL_BAD_VALUE;
	}
	if (strcmp(upload->purpose, "batch") == 0 &&
	    (len < 6 || strcmp(upload->filename + len - 6, ".jsonl") != 0)) {
		wire_refusal_write(body, WIRE_REFUSAL_NOT_JSONL, NULL);
		return WIRE_REFUSAL_NOT_JSONL;
	}
	if (upload->content.len > FILE_MAX) {
		wire_refusal_write(body, WIRE_REFUSAL_FILE_TOO_LARGE, NULL);
		return WIRE_REFUSAL_FILE_TOO_LARGE;
	}
	return WIRE_REFUSAL_NONE;
}

void emulate_file_upload(struct call *call)
{
	int64_t now_s = emulator_unix_s(call->emulator), ttl_s;
	struct depot_file *file;
	enum wire_refusal_id id;
	struct upload upload;

	if (!read_upload(call, &upload))
		upload.has_file = false;
	id = judge_upload(call, &upload);
	if (id != WIRE_REFUSAL_NONE) {
		answer_refusal(call, id);
		return;
	}
	if (!emulator_enter(call, FAULT_ON_FILES))
		return;
	ttl_s = upload.ttl_s                           ? upload.ttl_s
		: strcmp(upload.purpose, "batch") == 0 ? BATCH_TTL_S
						       : 0;
	file = depot_add_file(call->emulator->depot, upload.filename, upload.purpose,
	    upload.content.bytes, upload.content.len, now_s, ttl_s);
	if (file)
		batch_file_object_write(&call->delivery.body, &file->object, 0);
	emulator_leave(call);
	if (file) {
		answer_json(call, "\n");
		return;
	}
	wire_refusal_write(&call->delivery.body, WIRE_REFUSAL_FAULT, NULL);
	answer_refusal(call, WIRE_REFUSAL_FAULT);
}

/* ---- The others ------------------------------------------------------ */

void emulate_file(struct call *call)
{
	struct depot_file *file;

	if (!emulator_enter(call, FAULT_ON_FILES))
		return;
	file = depot_find_file(call->emulator->depot, call->name);
	if (!file) {
		refuse_file(call);
		return;
	}
	batch_file_object_write(&call->delivery.body, &file->object, 0);
	emulator_leave(call);
	answer_json(call, "\n");
}

void emulate_file_content(struct call *call)
{
	struct depot_file *file;

	if (!emulator_enter(call, FAULT_ON_FILES))
		return;
	file = depot_find_file(call->emulator->depot, call->name);
	if (!file) {
		refuse_file(call);
		return;
	}
	buffer_append(&call->delivery.body, file->bytes, file->len);
	http_reply_fieldf(call->exchange, "content-disposition", "attachment; filename=\"%s\"",
	    file->object.filename);
	emulator_leave(call);
	call->is_whole = true;
	answer_with(call, 200, "application/octet-stream");
}

void emulate_file_delete(struct call *call)
{
	bool was_there;

	if (!emulator_enter(call, FAULT_ON_FILES))
		return;
	was_there = depot_delete_file(call->emulator->depot, call->name);
	if (!was_there) {
		refuse_file(call);
		return;
	}
	emulator_leave(call);
	buffer_printf(&call->delivery.body,
	    "{\n  \"object\": \"file\",\n  \"deleted\": true,\n  \"id\": \"%s\"\n}\n", call->name);
	answer_with(call, 200, JSON_TYPE);
}

/* Newest first, unless order=asc; after=ID goes on behind that one. */
void emulate_files_list(struct call *call)
{
	struct http_slice query = http_exchange_request(call->exchange)->query;
	struct buffer *body = &call->delivery.body;
	struct depot *depot = call->emulator->depot;
	struct http_slice order, purpose;
	struct list_query list;
	size_t shown = 0;

	list_query_read(&list, query, LIST_MAX, LIST_MAX);
	list.is_ascending =
	    http_query_find(query, "order", &order) && http_slice_equals(order, "asc");
	if (!http_query_find(query, "purpose", &purpose))
		purpose = (struct http_slice){"", 0};
	if (!emulator_enter(call, FAULT_ON_FILES))
		return;
	buffer_append_text(body, "{\n  \"object\": \"list\",\n  \"data\": [");
	for (size_t i = 0; i < depot->file_count; i++) {
		const struct batch_file_object *object =
		    &depot->files[list.is_ascending ? i : depot->file_count - 1 - i]->object;

		if (purpose.len > 0 && !http_slice_equals(purpose, object->purpose))
			continue;
		if (!list_query_takes(&list, object->id))
			continue;
		buffer_append_text(body, shown++ > 0 ? ",\n    " : "\n    ");
		batch_file_object_write(body, object, 2);
	}
	emulator_leave(call);
	buffer_printf(body, "\n  ],\n  \"has_more\": %s\n}\n", list.has_more ? "true" : "false");
	answer_with(call, 200, JSON_TYPE);
}
