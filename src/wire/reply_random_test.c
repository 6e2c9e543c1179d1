/* SPDX-License-Identifier: MIT */
/* Replies written and read back, cut everywhere, damaged, against jansson. */
#include "base/test.h"

#include <jansson.h>

#include "base/random.h"
#include "wire/reply_rig.h"

static void write_random_reply(struct buffer *out, struct random *random, size_t count,
    uint32_t dimensions, float vectors[][MOST_FLOATS])
{
	enum wire_layout layout = (enum wire_layout)random_below(random, 2);
	struct wire_reply_writer writer;

	wire_reply_begin(&writer, out, layout, (enum wire_format)random_below(random, 2));
	for (size_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < dimensions; j++)
			vectors[i][j] = (float)(random_unit(random) - 0.5);
		wire_reply_add(&writer, i, vectors[i], dimensions);
	}
	assert_int_equal(wire_reply_finish(&writer, "m\"odel", count * 3), EMBED_OK);
}

/* Whatever we write, jansson reads, in the shape of PROTOCOL.md 1.2. */
static void assert_is_a_reply(const struct buffer *body, size_t count, uint32_t dimensions,
    const float vectors[][MOST_FLOATS])
{
	json_t *root = json_loadb(body->bytes, body->len, 0, NULL);
	json_t *data = json_object_get(root, "data");

	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "object")), "list");
	assert_string_equal(json_string_value(json_object_get(root, "model")), "m\"odel");
	assert_int_equal(json_array_size(data), count);
	for (size_t i = 0; i < count; i++) {
		json_t *item = json_array_get(data, i);
		json_t *embedding = json_object_get(item, "embedding");

		assert_string_equal(
		    json_string_value(json_object_get(item, "object")), "embedding");
		assert_int_equal(json_integer_value(json_object_get(item, "index")), i);
		assert_int_equal(json_object_size(item), 3);
		if (json_is_string(embedding))
			continue;
		assert_int_equal(json_array_size(embedding), dimensions);
		for (uint32_t j = 0; j < dimensions; j++)
			assert_true((float)json_number_value(json_array_get(embedding, j)) ==
				    vectors[i][j]);
	}
	json_decref(root);
}

static void what_is_written_is_read_back_at_every_segment_size(void **state)
{
	struct random random = {7};
	static float vectors[MOST_VECTORS][MOST_FLOATS];
	static struct heard heard;
	struct wire_reply reply;
	struct buffer body;
	struct embed_error error;

	(void)state;
	wire_reply_init(&reply);
	buffer_init(&body, 1 << 24);
	for (int round = 0; round < 60; round++) {
		size_t count = 1 + random_below(&random, 4);
		uint32_t dimensions = 1 + (uint32_t)random_below(&random, MOST_FLOATS);

		buffer_reset(&body);
		write_random_reply(&body, &random, count, dimensions, vectors);
		assert_is_a_reply(&body, count, dimensions, (const float(*)[MOST_FLOATS])vectors);
		for (size_t step = 1; step < 70; step += 1 + random_below(&random, 3)) {
			assert_int_equal(read_in_steps(&reply, &heard, body.bytes, body.len, step,
					     count, step % 2 ? dimensions : 0, &error),
			    EMBED_OK);
			assert_int_equal(heard.count, count);
			assert_int_equal(reply.usage.prompt_tokens, count * 3);
			for (size_t i = 0; i < count; i++)
				assert_memory_equal(
				    heard.vectors[i], vectors[i], dimensions * sizeof(float));
		}
	}
	buffer_fini(&body);
	wire_reply_fini(&reply);
}

static void every_split_in_two_reads_the_same(void **state)
{
	static const char body[] =
	    "{ \"data\" : [ {\"embedding\": [ -1.5e+0 , 0.25,1E-2],\"index\":1,\"x\":tr"
	    "ue},\r\n\t{\"index\":0,\"embedding\":\"AACAPwAAgD8AAIA\\/\",\"y\":\"\\ud83d\\ude00\"}], "
	    "\"usage\":{\"prompt_tokens\":12},\"model\":\"m\"}";
	static struct heard heard;
	struct wire_reply reply;

	(void)state;
	wire_reply_init(&reply);
	for (size_t cut = 0; cut < sizeof(body); cut++) {
		memset(&heard, 0, sizeof(heard));
		assert_int_equal(wire_reply_start(&reply, 2, 3, hear, &heard), EMBED_OK);
		assert_int_equal(wire_reply_feed(&reply, body, cut, NULL), EMBED_OK);
		/* Cut there for good, it is never taken for whole. */
		if (cut < sizeof(body) - 1) {
			struct wire_reply ended = reply;

			assert_int_equal(wire_reply_end(&ended, NULL), EMBED_BAD_REPLY);
		}
		assert_int_equal(
		    wire_reply_feed(&reply, body + cut,
			sizeof(body) - 1 - cut < sizeof(body) ? sizeof(body) - 1 - cut : 0, NULL),
		    EMBED_OK);
		assert_int_equal(wire_reply_end(&reply, NULL), EMBED_OK);
		assert_true(heard.vectors[1][0] == -1.5f && heard.vectors[1][2] == 0.01f);
		assert_true(heard.vectors[0][2] == 1.0f);
		assert_int_equal(reply.usage.prompt_tokens, 12);
		if (cut == sizeof(body) - 1)
			break;
	}
	wire_reply_fini(&reply);
}

/* A changed byte is either refused or leaves a JSON document; jansson decides. */
static void accepts_nothing_that_jansson_refuses(void **state)
{
	struct random random = {11};
	static float vectors[MOST_VECTORS][MOST_FLOATS];
	static struct heard heard;
	struct wire_reply reply;
	struct buffer body;
	size_t accepted = 0;

	(void)state;
	wire_reply_init(&reply);
	buffer_init(&body, 1 << 20);
	for (int round = 0; round < 20000; round++) {
		static const char odd[] = "{}[]\",:0159.eE+-/\\ntfalsru \n\t=AZ";
		json_t *root;

		if (round % 50 == 0) {
			buffer_reset(&body);
			write_random_reply(&body, &random, 2, 3, vectors);
		}
		size_t at = random_below(&random, body.len);
		char before = body.bytes[at];

		body.bytes[at] = odd[random_below(&random, sizeof(odd) - 1)];
		if (read_in_steps(&reply, &heard, body.bytes, body.len,
			1 + random_below(&random, 40), 2, 3, NULL) == EMBED_OK) {
			accepted++;
			root = json_loadb(body.bytes, body.len, 0, NULL);
			if (root == NULL)
				fail_msg("accepted: %.*s", (int)body.len, body.bytes);
			json_decref(root);
		}
		body.bytes[at] = before;
	}
	assert_true(accepted > 100);
	buffer_fini(&body);
	wire_reply_fini(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read_back_at_every_segment_size),
	    cmocka_unit_test(every_split_in_two_reads_the_same),
	    cmocka_unit_test(accepts_nothing_that_jansson_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
