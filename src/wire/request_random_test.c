/* SPDX-License-Identifier: MIT */
/* Requests against jansson, on random and on damaged documents. */
#include "base/test.h"

#include <jansson.h>

#include "base/random.h"
#include "wire/request_rig.h"

static size_t random_text(struct random *random, char *text, size_t cap)
{
	static const char *const parts[] = {"a", "word ", "\n", "\t", "\"", "\\", "/", "\x01",
	    "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbf",
	    "sixteen plain bytes", "\\n", "\\u0041", "{", "]"};
	size_t len = 0;
	size_t count = random_below(random, 20);

	for (size_t i = 0; i < count; i++) {
		const char *part = parts[random_below(random, sizeof(parts) / sizeof(parts[0]))];

		if (len + strlen(part) > cap)
			break;
		memcpy(text + len, part, strlen(part));
		len += strlen(part);
	}
	return len;
}

static void assert_texts_equal(const struct wire_request *request, json_t *texts)
{
	assert_int_equal(request->count, json_array_size(texts));
	for (size_t i = 0; i < request->count; i++) {
		json_t *text = json_array_get(texts, i);

		assert_int_equal(request->texts[i].len, json_string_length(text));
		assert_memory_equal(
		    request->texts[i].bytes, json_string_value(text), request->texts[i].len);
	}
}

/* We write, jansson reads; jansson writes (with and without \u for all), we read. */
static void agrees_with_jansson_on_random_texts(void **state)
{
	struct random random = {5};
	static const struct wire_request_tail tail = {.format = WIRE_FORMAT_BASE64};
	struct wire_request_writer writer;
	struct wire_request request;
	struct buffer out;
	char text[400];
	char *copy;

	(void)state;
	wire_request_init(&request);
	buffer_init(&out, 1 << 20);
	for (int round = 0; round < 3000; round++) {
		size_t flags = (round & 1 ? JSON_ENSURE_ASCII : 0) |
			       (round & 2 ? JSON_ESCAPE_SLASH : 0) |
			       (round & 4 ? JSON_INDENT(3) : JSON_COMPACT);
		json_t *root = json_object();
		json_t *texts = json_array();
		json_t *read;
		char *dumped;

		buffer_reset(&out);
		wire_request_begin(&writer, &out, "m");
		for (size_t i = random_below(&random, 5) + 1; i > 0; i--) {
			size_t len = random_text(&random, text, sizeof(text));

			json_array_append_new(texts, json_stringn(text, len));
			wire_request_add_text(&writer, text, len);
		}
		wire_request_end(&writer, &tail);
		read = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_equal(json_object_get(read, "input"), texts));
		json_decref(read);
		json_object_set_new(root, "other", json_integer(round));
		json_object_set(root, "input", texts);
		dumped = json_dumps(root, flags);
		assert_reads(&request, &copy, dumped);
		assert_texts_equal(&request, texts);
		free(copy);
		free(dumped);
		json_decref(texts);
		json_decref(root);
	}
	buffer_fini(&out);
	wire_request_fini(&request);
}

/* Damaged bodies: we accept exactly what jansson accepts, but for what is decided otherwise. */
static void agrees_with_jansson_on_damaged_bodies(void **state)
{
	static const char good[] =
	    "{\"model\":\"m\",\"input\":[\"a\\n\\u00e9\",\"\xc3\xa9\\ud83d\\ude00\"],\"x\":[1.5e3,{"
	    "\"y\":null,\"z\":-0}],\"dimensions\":12,\"user\":\"u\"}";
	static const char odd[] = "{}[]\",:0159.eE+-\\untf \n\t\x01\x80\xc3\xe2";
	struct random random = {6};
	struct wire_request request;
	size_t accepted = 0;
	char body[sizeof(good)];

	(void)state;
	wire_request_init(&request);
	for (int round = 0; round < 60000; round++) {
		size_t len = sizeof(good) - 1;
		enum embed_status status;
		struct embed_error error;
		json_t *root;
		char *copy;

		memcpy(body, good, len);
		for (uint64_t i = random_below(&random, 3); i < 3; i++)
			body[random_below(&random, len)] =
			    odd[random_below(&random, sizeof(odd) - 1)];
		root = json_loadb(body, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
		status = read_bytes(&request, body, len, 0, &error, &copy);
		if (status == EMBED_OK) {
			accepted++;
			if (root == NULL)
				fail_msg("accepted: %.*s", (int)len, body);
		} else if (json_is_object(root) && strstr(error.message, "twice") == NULL) {
			fail_msg("refused: %.*s: %s", (int)len, body, error.message);
		}
		json_decref(root);
		free(copy);
	}
	assert_true(accepted > 1000);
	wire_request_fini(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_jansson_on_random_texts),
	    cmocka_unit_test(agrees_with_jansson_on_damaged_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
