/* SPDX-License-Identifier: MIT */

#include "base/random.h"
#include "base/test.h"
#include "text/boundary.h"
#include "text/utf8.h"

static struct boundary *finder(enum boundary_kind kind, const char *locale)
{
	struct boundary *boundary;

	assert_int_equal(boundary_create(&boundary, kind, locale, NULL), EMBED_OK);
	return boundary;
}

/* `marked` has a '|' at each boundary but the ends; without them it is the text. */
static void assert_boundaries(enum boundary_kind kind, const char *locale, const char *marked)
{
	struct boundary *boundary = finder(kind, locale);
	char text[1024], found[1024];
	size_t len = 0, out = 0;

	for (const char *at = marked; *at != '\0'; at++)
		if (*at != '|')
			text[len++] = *at;
	boundary_set_text(boundary, text, len);
	for (size_t at = 0; at < len;) {
		size_t next = boundary_after(boundary, at);

		assert_true(next > at);
		memcpy(found + out, text + at, next - at);
		out += next - at;
		if (next < len)
			found[out++] = '|';
		at = next;
	}
	found[out] = '\0';
	assert_string_equal(found, marked);
	boundary_destroy(boundary);
}

static void sentences_end_at_stops(void **state)
{
	(void)state;
	assert_boundaries(
	    BOUNDARY_SENTENCE, "en", "It rains. |Does it? |Yes! |\"Well.\" |He left.");
	assert_boundaries(BOUNDARY_SENTENCE, NULL, "Version 3.14 is out.");
}

static void sentences_do_not_end_after_abbreviations_and_initials(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_SENTENCE, "en",
	    "Dr. Smith met J. R. R. Tolkien, e.g. Mr. Baggins, vs. No. 7. |Then he left.");
	assert_boundaries(BOUNDARY_SENTENCE, "de", "Das hat z. B. Dr. Meier gesagt. |Gut so.");
	assert_boundaries(BOUNDARY_SENTENCE, "en", "It was I. |Then more.");
}

static void sentences_end_at_chinese_and_japanese_stops(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_SENTENCE, "zh", "今天下雨。|你好吗？|很好！|再见。");
	assert_boundaries(BOUNDARY_SENTENCE, "ja", "雨です。|「元気？」|はい。");
}

static void a_japanese_quote_and_who_said_it_are_one_sentence(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_SENTENCE, "ja", "「はい。」と言った。|次の文。");
	assert_boundaries(
	    BOUNDARY_SENTENCE, "ja", "彼は『行こう！』って叫んだ。|「そう。」|彼は頷いた。");
}

static void thai_sentences_end_at_blanks(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_SENTENCE, "th", "วันนี้ฝนตก |เราอยู่บ้าน |ดีมาก");
}

static void sentences_end_at_the_stops_of_other_scripts(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_SENTENCE, NULL, "यह एक है। |यह दो है। |बस।");
	assert_boundaries(BOUNDARY_SENTENCE, NULL, "هل هذا سؤال؟ |نعم. |حسنا.");
}

static void wrapped_lines_are_one_sentence(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_SENTENCE, NULL,
	    "A sentence may be\nwrapped onto several lines. |Another one follows it here and is very\n"
	    "long. \n|A Title\n|Then text.");
	assert_boundaries(BOUNDARY_SENTENCE, NULL,
	    "The line before this one was so long that it had to be wrapped by the\nEditor. |End.");
}

static void graphemes_are_what_readers_see(void **state)
{
	(void)state;
	assert_boundaries(BOUNDARY_GRAPHEME, NULL,
	    "a|e\xcc\x81|\r\n|👩‍👩‍👧|🇩🇪|🇫🇷|กำ|한|x");
}

static void words_of_languages_without_blanks_are_found(void **state)
{
	struct boundary *boundary = finder(BOUNDARY_WORD, "th");
	const char *thai = "ภาษาไทยง่าย";

	(void)state;
	boundary_set_text(boundary, thai, strlen(thai));
	assert_int_equal(boundary_after(boundary, 0), strlen("ภาษา"));
	assert_int_equal(boundary_before(boundary, 0, strlen("ภาษาไ")), strlen("ภาษา"));
	boundary_destroy(boundary);
}

static void before_finds_the_last_one_above_the_floor(void **state)
{
	struct boundary *boundary = finder(BOUNDARY_GRAPHEME, NULL);
	const char *text = "ab👩‍👩‍👧c\r\n";

	(void)state;
	boundary_set_text(boundary, text, strlen(text));
	assert_int_equal(boundary_before(boundary, 0, 1), 1);
	assert_int_equal(boundary_before(boundary, 0, 9), 2);
	assert_int_equal(boundary_before(boundary, 2, 9), 2);
	assert_int_equal(boundary_before(boundary, 0, strlen(text) - 1), strlen(text) - 2);
	assert_int_equal(boundary_before(boundary, 0, strlen(text)), strlen(text));
	boundary_destroy(boundary);
}

static void text_without_any_boundary_takes_linear_time(void **state)
{
	static const enum boundary_kind kinds[] = {
	    BOUNDARY_GRAPHEME, BOUNDARY_WORD, BOUNDARY_SENTENCE};
	size_t len = 1 << 20;
	char *text = malloc(len);

	(void)state;
	memset(text, 'a', len);
	for (size_t i = 0; i < 3; i++) {
		struct boundary *boundary = finder(kinds[i], NULL);

		boundary_set_text(boundary, text, len);
		for (size_t at = 0; at < len;) {
			size_t next = boundary_after(boundary, at);

			assert_true(next > at && next - at <= BOUNDARY_WINDOW);
			at = next;
		}
		boundary_destroy(boundary);
	}
	free(text);
}

static void any_bytes_have_boundaries_at_characters(void **state)
{
	struct random random = {4};

	(void)state;
	for (int kind = BOUNDARY_GRAPHEME; kind <= BOUNDARY_SENTENCE; kind++) {
		struct boundary *boundary = finder((enum boundary_kind)kind, NULL);

		for (int round = 0; round < 1000; round++) {
			char bytes[64];
			size_t len = 1 + random_below(&random, sizeof(bytes) - 1);

			for (size_t i = 0; i < len; i++)
				bytes[i] = (char)random_next(&random);
			boundary_set_text(boundary, bytes, len);
			for (size_t at = 0; at < len;) {
				size_t next = boundary_after(boundary, at);
				size_t middle = at + random_below(&random, len - at);

				assert_true(next > at && next <= len);
				assert_int_equal(utf8_floor(bytes, len, next), next);
				assert_true(boundary_before(boundary, at, middle) >= at);
				assert_true(boundary_before(boundary, at, middle) <= middle);
				at = next;
			}
		}
		boundary_destroy(boundary);
	}
}

static void unknown_languages_are_refused(void **state)
{
	struct boundary *boundary;
	struct embed_error error;

	(void)state;
	assert_int_equal(
	    boundary_create(&boundary, BOUNDARY_WORD, "qqq-nowhere", &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, "qqq-nowhere"));
}

static void lines_and_blank_lines_are_found_by_bytes(void **state)
{
	(void)state;
	assert_int_equal(boundary_line_end("a\r\nb", 4, 0), 3);
	assert_int_equal(boundary_line_end("a\r\nb", 4, 3), 4);
	assert_true(boundary_is_blank_line(" \t\r\n", 0, 4));
	assert_false(boundary_is_blank_line(" x\n", 0, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sentences_end_at_stops),
	    cmocka_unit_test(sentences_do_not_end_after_abbreviations_and_initials),
	    cmocka_unit_test(sentences_end_at_chinese_and_japanese_stops),
	    cmocka_unit_test(a_japanese_quote_and_who_said_it_are_one_sentence),
	    cmocka_unit_test(thai_sentences_end_at_blanks),
	    cmocka_unit_test(sentences_end_at_the_stops_of_other_scripts),
	    cmocka_unit_test(wrapped_lines_are_one_sentence),
	    cmocka_unit_test(graphemes_are_what_readers_see),
	    cmocka_unit_test(words_of_languages_without_blanks_are_found),
	    cmocka_unit_test(before_finds_the_last_one_above_the_floor),
	    cmocka_unit_test(text_without_any_boundary_takes_linear_time),
	    cmocka_unit_test(any_bytes_have_boundaries_at_characters),
	    cmocka_unit_test(unknown_languages_are_refused),
	    cmocka_unit_test(lines_and_blank_lines_are_found_by_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
