/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "wire/base64.h"

static void knows_the_rfcs_examples(void **state)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	char text[16];
	char bytes[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = base64_encode(text, rows[i][0], strlen(rows[i][0]));
		assert_int_equal(len, strlen(rows[i][1]));
		assert_memory_equal(text, rows[i][1], len);
		assert_true(base64_decode(bytes, &len, rows[i][1], strlen(rows[i][1])));
		assert_int_equal(len, strlen(rows[i][0]));
		assert_memory_equal(bytes, rows[i][0], len);
	}
}

/* Exact allocations, so that ASan sees a byte too many on either side. */
static void both_ways_give_the_same_at_every_length(void **state)
{
	struct random random = {1};

	(void)state;
	for (size_t len = 0; len < 400; len++) {
		size_t text_len = base64_encoded_len(len);
		uint8_t *bytes = malloc(len + 1);
		uint8_t *back = malloc(text_len / 4 * 3 + 1);
		char *fast = malloc(text_len + 1);
		char *slow = malloc(text_len + 1);
		size_t back_len = SIZE_MAX;

		bytes = realloc(bytes, len == 0 ? 1 : len);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)random_next(&random);
		assert_int_equal(base64_encode(fast, bytes, len), text_len);
		assert_int_equal(base64_encode_scalar(slow, bytes, len), text_len);
		assert_memory_equal(fast, slow, text_len);
		assert_true(base64_decode(back, &back_len, fast, text_len));
		assert_int_equal(back_len, len);
		assert_memory_equal(back, bytes, len);
		free(bytes);
		free(back);
		free(fast);
		free(slow);
	}
}

static void both_ways_refuse_every_other_byte_everywhere(void **state)
{
	uint8_t out[200];
	char text[128];

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool is_good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			       (c >= '0' && c <= '9') || c == '+' || c == '/';

		for (size_t at = 0; at < sizeof(text); at++) {
			size_t expected = is_good ? sizeof(text) : at / 4 * 4;

			memset(text, 'Q', sizeof(text));
			text[at] = (char)c;
			assert_int_equal(
			    base64_decode_run(out, sizeof(out), text, sizeof(text)), expected);
			assert_int_equal(
			    base64_decode_run_scalar(out, sizeof(out), text, sizeof(text)),
			    expected);
		}
	}
}

static void every_character_has_the_same_value_both_ways(void **state)
{
	uint8_t fast[128], slow[128];
	struct random random = {2};
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[128];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = alphabet[random_below(&random, 64)];
		assert_int_equal(
		    base64_decode_run(fast, sizeof(fast), text, sizeof(text)), sizeof(text));
		assert_int_equal(
		    base64_decode_run_scalar(slow, sizeof(slow), text, sizeof(text)), sizeof(text));
		assert_memory_equal(fast, slow, sizeof(text) / 4 * 3);
	}
}

static void never_writes_more_than_it_may(void **state)
{
	char text[256];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t cap = 0; cap < 200; cap++) {
		uint8_t *out = malloc(cap == 0 ? 1 : cap);
		size_t used = base64_decode_run(out, cap, text, sizeof(text));

		assert_int_equal(used, cap / 3 * 4 < sizeof(text) ? cap / 3 * 4 : sizeof(text));
		free(out);
	}
}

static void a_whole_text_is_judged_strictly(void **state)
{
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=",
	    "====", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm=v", "Zm9v\n", "Zm9v=", "Zm-_",
	    "Zg= ", "Zg==Zm9v"};
	uint8_t out[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (base64_decode(out, &len, bad[i], strlen(bad[i])))
			fail_msg("took %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_the_rfcs_examples),
	    cmocka_unit_test(both_ways_give_the_same_at_every_length),
	    cmocka_unit_test(both_ways_refuse_every_other_byte_everywhere),
	    cmocka_unit_test(every_character_has_the_same_value_both_ways),
	    cmocka_unit_test(never_writes_more_than_it_may),
	    cmocka_unit_test(a_whole_text_is_judged_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
