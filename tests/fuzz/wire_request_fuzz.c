/* SPDX-License-Identifier: MIT */
/*
 * Request bodies.  What we take jansson takes too, and what we took and write
 * again reads back the same.  First byte: the most inputs that are taken.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "wire/model.h"
#include "wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_with_jansson(const uint8_t *data, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)data, size, JSON_ALLOW_NUL, &error);
	enum json_error_code code = root == NULL ? json_error_code(&error) : json_error_unknown;

	/* Numbers beyond 64 bits or a double, and NUL in a key, are JSON all the same. */
	if (root == NULL && code != json_error_numeric_overflow &&
	    code != json_error_null_byte_in_key)
		abort();
	json_decref(root);
}

static void check_written_again(const struct wire_request *request)
{
	static const struct wire_request_tail tail = {.format = WIRE_FORMAT_BASE64};
	struct wire_request_writer writer;
	struct wire_request again;
	struct buffer out;

	buffer_init(&out, 1 << 24);
	wire_request_init(&again);
	wire_request_begin(&writer, &out, NULL);
	for (size_t i = 0; i < request->count; i++) {
		if (request->form == WIRE_INPUT_IDS || request->form == WIRE_INPUT_IDS_LIST)
			wire_request_add_ids(
			    &writer, request->texts[i].ids, request->texts[i].id_count);
		else
			wire_request_add_text(
			    &writer, request->texts[i].bytes, request->texts[i].len);
	}
	if (wire_request_end(&writer, &tail) != EMBED_OK ||
	    wire_request_read(&again, out.bytes, out.len, 0, NULL) != EMBED_OK ||
	    again.count != request->count)
		abort();
	for (size_t i = 0; i < request->count; i++) {
		const struct embed_text *a = &request->texts[i], *b = &again.texts[i];

		if (a->len != b->len || a->id_count != b->id_count ||
		    (a->len > 0 && memcmp(a->bytes, b->bytes, a->len) != 0) ||
		    (a->id_count > 0 && memcmp(a->ids, b->ids, a->id_count * sizeof(*a->ids)) != 0))
			abort();
	}
	wire_request_fini(&again);
	buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_request_policy policy = {true, true, 8, 64};
	struct wire_request request;
	struct embed_error error;
	struct buffer out;
	char *body;

	if (size == 0)
		return 0;
	body = malloc(size);
	memcpy(body, data + 1, size - 1);
	wire_request_init(&request);
	buffer_init(&out, 1 << 20);
	if (wire_request_read(&request, body, size - 1, data[0] % 16, &error) == EMBED_OK) {
		check_with_jansson(data + 1, size - 1);
		(void)wire_request_check(
		    &request, &policy, model_find("text-embedding-3-small"), &out, &error);
		wire_request_write_extras(&request, &out);
		if (request.form != WIRE_INPUT_BAD)
			check_written_again(&request);
	}
	buffer_fini(&out);
	wire_request_fini(&request);
	free(body);
	return 0;
}
