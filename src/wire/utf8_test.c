/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "wire/utf8.h"

#define LEN 100

/* One character at a time: what the quick way must agree with. */
static bool is_well_formed(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t char_len =
		    (signed char)text[at] >= 0 ? 1 : utf8_char_len(text + at, len - at);

		if (char_len == 0)
			return false;
		at += char_len;
	}
	return true;
}

static void assert_agrees(const char *text, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);

	memcpy(copy, text, len);
	if (utf8_is_surely_well_formed(copy, len) != is_well_formed(copy, len)) {
		for (size_t i = 0; i < len; i++)
			print_message("%02x ", (unsigned char)copy[i]);
		fail_msg("judged otherwise");
	}
	free(copy);
}

static bool is_quick_way_there(void)
{
	return utf8_is_surely_well_formed("a", 1);
}

/* Every lead with every second byte and some more, across the border of a block. */
static void every_pair_of_bytes_is_judged_rightly(void **state)
{
	static const char tails[][2] = {
	    {'a', 'a'}, {'\x80', '\x80'}, {'\x80', 'a'}, {'\xbf', '\xbf'}, {'\xc3', '\xa9'}};
	char text[LEN];

	(void)state;
	if (!is_quick_way_there())
		skip();
	for (int first = 0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			for (size_t tail = 0; tail < sizeof(tails) / sizeof(tails[0]); tail++) {
				size_t at = 28 + (size_t)(first + second + (int)tail) % 8;

				memset(text, 'x', sizeof(text));
				text[at] = (char)first;
				text[at + 1] = (char)second;
				memcpy(text + at + 2, tails[tail], 2);
				assert_agrees(text, sizeof(text));
				assert_agrees(text, at + 3);
			}
		}
	}
}

static void every_character_is_taken_at_every_place(void **state)
{
	char text[LEN];

	(void)state;
	if (!is_quick_way_there())
		skip();
	for (uint32_t c = 0x80; c < 0x110000; c += c < 0x800 ? 1 : 61) {
		size_t at = c % 64;
		size_t len;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		memset(text, 'x', sizeof(text));
		len = utf8_put(text + at, c);
		assert_true(utf8_is_surely_well_formed(text, sizeof(text)));
		assert_true(utf8_is_surely_well_formed(text, at + len));
		assert_false(utf8_is_surely_well_formed(text, at + len - 1));
	}
}

static void random_mixtures_are_judged_rightly(void **state)
{
	struct random random = {1};
	char text[LEN];

	(void)state;
	if (!is_quick_way_there())
		skip();
	for (int round = 0; round < 100000; round++) {
		size_t len = 0;
		size_t end = random_below(&random, LEN - 4);

		while (len < end) {
			uint32_t c =
			    (uint32_t)random_below(&random, 0x110000) >> random_below(&random, 21);

			if (c < 0xd800 || c > 0xdfff)
				len += utf8_put(text + len, c);
		}
		assert_agrees(text, len);
		if (len > 0)
			text[random_below(&random, len)] = (char)random_next(&random);
		assert_agrees(text, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair_of_bytes_is_judged_rightly),
	    cmocka_unit_test(every_character_is_taken_at_every_place),
	    cmocka_unit_test(random_mixtures_are_judged_rightly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
