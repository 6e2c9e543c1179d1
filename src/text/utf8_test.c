/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <unicode/ustring.h>

#include "base/random.h"
#include "text/utf8.h"

/* `expected` is what the text reads as, character by character. */
static void assert_repairs(const char *bytes, size_t len, const char *expected)
{
	char out[512];
	size_t out_len = 0;

	for (size_t at = 0; at < len;) {
		size_t size;

		out_len += utf8_encode(utf8_decode(bytes + at, len - at, &size), out + out_len);
		at += size;
	}
	assert_int_equal(out_len, strlen(expected));
	assert_memory_equal(out, expected, out_len);
}

#define R UTF8_REPLACEMENT_BYTES

static void replaces_maximal_subparts_as_whatwg_does(void **state)
{
	(void)state;
	assert_repairs("a\x80z", 3, "a" R "z");
	assert_repairs("\xc0\x80", 2, R R);
	assert_repairs("\xe0\x80\x80", 3, R R R);
	assert_repairs("\xed\xa0\x80", 3, R R R);
	assert_repairs("\xf4\x90\x80\x80", 4, R R R R);
	assert_repairs("\xf0\x9f\x98", 3, R);
	assert_repairs("\xe2\x82zip", 5, R "zip");
	assert_repairs("\xf1\x80\x80\xe1\x80\xc2", 6, R R R);
	assert_repairs("\xff\xfe", 2, R R);
	assert_repairs("\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");
}

static void names_the_byte_of_the_first_fault(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(utf8_first_fault(text, sizeof(text)), sizeof(text));
	for (size_t at = 0; at < sizeof(text); at++) {
		text[at] = '\xfe';
		assert_int_equal(utf8_first_fault(text, sizeof(text)), at);
		assert_int_equal(utf8_ascii_len(text, sizeof(text)), at);
		text[at] = 'a';
	}
	assert_int_equal(utf8_first_fault("\xc3\xa9\xe2\x82", 4), 2);
	assert_int_equal(utf8_first_fault("", 0), 0);
}

static void decodes_what_it_encodes_for_every_code_point(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		char bytes[4];
		size_t size, len;

		if (code == 0xd800)
			code = 0xe000;
		len = utf8_encode(code, bytes);
		assert_int_equal(utf8_decode(bytes, len, &size), code);
		assert_int_equal(size, len);
		assert_int_equal(utf8_char_len(bytes, len), len);
	}
}

static void fill_at_random(struct random *random, char *bytes, size_t len)
{
	static const unsigned char likely[] = {0x80, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xe1, 0xed, 0xef,
	    0xf0, 0xf1, 0xf4, 0x41, 0x90, 0x8f, 0xf5};

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)likely[random_below(random, sizeof(likely))];
}

/* Where the parts begin, by walking from the start: the definition that floor and ceil shortcut. */
static void assert_floor_and_ceil_agree_with_a_walk(const char *bytes, size_t len)
{
	size_t start = 0;
	size_t parts = 0;

	while (start < len) {
		size_t size;

		utf8_decode(bytes + start, len - start, &size);
		for (size_t at = start; at < start + size; at++) {
			assert_int_equal(utf8_floor(bytes, len, at), start);
			assert_int_equal(
			    utf8_ceil(bytes, len, at), at == start ? start : start + size);
		}
		start += size;
		parts++;
	}
	assert_int_equal(utf8_floor(bytes, len, len), len);
	assert_int_equal(utf8_ceil(bytes, len, len), len);
	assert_int_equal(utf8_count(bytes, len), parts);
}

static void finds_starts_of_characters_without_walking(void **state)
{
	struct random random = {7};

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char bytes[40];
		size_t len = random_below(&random, sizeof(bytes));

		fill_at_random(&random, bytes, len);
		assert_floor_and_ceil_agree_with_a_walk(bytes, len);
	}
}

/* ICU replaces maximal subparts too; it is the second opinion. */
static void agrees_with_icu_on_random_bytes(void **state)
{
	struct random random = {8};

	(void)state;
	for (int round = 0; round < 4000; round++) {
		char bytes[48];
		char expected[200];
		UChar utf16[200];
		int32_t utf16_len, expected_len;
		UErrorCode code = U_ZERO_ERROR;
		size_t len = random_below(&random, sizeof(bytes));

		fill_at_random(&random, bytes, len);
		u_strFromUTF8WithSub(
		    utf16, 200, &utf16_len, bytes, (int32_t)len, 0xfffd, NULL, &code);
		u_strToUTF8(expected, 199, &expected_len, utf16, utf16_len, &code);
		assert_true(U_SUCCESS(code));
		expected[expected_len] = '\0';
		assert_repairs(bytes, len, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replaces_maximal_subparts_as_whatwg_does),
	    cmocka_unit_test(names_the_byte_of_the_first_fault),
	    cmocka_unit_test(decodes_what_it_encodes_for_every_code_point),
	    cmocka_unit_test(finds_starts_of_characters_without_walking),
	    cmocka_unit_test(agrees_with_icu_on_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
