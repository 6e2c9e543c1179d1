/* SPDX-License-Identifier: MIT */
/*
 * Each option of cleaning by itself, on random text: without the characters
 * that the option names, the text is the same before and after.
 */
#include "base/test.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/random.h"
#include "text/clean.h"
#include "text/utf8.h"

#define CODES_MAX 64

/* The characters that options name, their neighbours, and letters of many scripts. */
static const uint32_t codes[] = {'a', 'f', 'i', 'l', 's', 't', 'Z', '0', ' ', ' ', '\t', '\n', '\n',
    '\r', '-', '-', '\'', '"', '<', '>', '&', ';', '`', '#', '|', 0x01, 0x0b, 0x0c, 0x1f, 0x7f,
    0x85, 0x9f, 0xa0, 0xab, 0xad, 0xbb, 0xb2, 0xe9, 0x301, 0x327, 0x41b, 0x5d0, 0x627, 0x653, 0x915,
    0x94d, 0xe01, 0x1100, 0x1161, 0x1680, 0x180e, 0x2003, 0x200b, 0x200c, 0x200d, 0x200e, 0x2010,
    0x2013, 0x2018, 0x201c, 0x2028, 0x2029, 0x202a, 0x2039, 0x2060, 0x2066, 0x2126, 0x212b, 0x2212,
    0x3000, 0x301d, 0x304b, 0x3099, 0x4e2d, 0xac00, 0xd7a3, 0xfb00, 0xfb01, 0xfb06, 0xfeff, 0xff0d,
    0xff21, 0xfffd, 0x1f468, 0x1f1e9, 0xfe0f};

static size_t random_text(struct random *random, char *bytes)
{
	size_t count = random_below(random, CODES_MAX), len = 0;

	while (count-- > 0)
		len += utf8_encode(
		    codes[random_below(random, sizeof(codes) / sizeof(codes[0]))], bytes + len);
	return len;
}

static bool is_blank(uint32_t code)
{
	return code == ' ' || code == '\t' || code == 0xa0 || code == 0x1680 ||
	       (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
	       code == 0x3000;
}

/* What the options name, and what they make of it. */
static bool is_named(uint32_t flag, uint32_t code)
{
	switch (flag) {
	case EMBED_CLEAN_BOM:
		return code == 0xfeff;
	case EMBED_CLEAN_NEWLINES:
		return code == '\r' || code == '\n' || code == 0x85 || code == 0x2028 ||
		       code == 0x2029;
	case EMBED_CLEAN_CONTROL:
		return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0);
	case EMBED_CLEAN_ZERO_WIDTH:
		return code == 0x180e || (code >= 0x200b && code <= 0x200f) ||
		       (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
		       code == 0xfeff;
	case EMBED_CLEAN_SOFT_HYPHEN:
		return code == 0xad;
	case EMBED_CLEAN_HYPHENATION:
		return code == '-' || code == 0x2010 || code == '\r' || code == '\n' ||
		       is_blank(code);
	case EMBED_CLEAN_LIGATURES:
		return (code >= 0xfb00 && code <= 0xfb06) ||
		       (code < 0x80 && strchr("filst", (int)code) != NULL);
	case EMBED_CLEAN_BLANKS:
		return is_blank(code) || code == '\n' || code == '\r';
	case EMBED_CLEAN_QUOTES:
		return code == '"' || code == '\'' || code == 0xab || code == 0xbb ||
		       (code >= 0x2018 && code <= 0x201f) || code == 0x2039 || code == 0x203a ||
		       (code >= 0x301d && code <= 0x301f);
	case EMBED_CLEAN_DASHES:
		return code == '-' || (code >= 0x2010 && code <= 0x2015) || code == 0x2212 ||
		       code == 0xff0d;
	default: /* UTF8 and MARKDOWN change nothing of well-formed text */
		return false;
	}
}

static size_t without_named(uint32_t flag, const char *bytes, size_t len, char *out)
{
	size_t out_len = 0, size;

	for (size_t at = 0; at < len; at += size) {
		uint32_t code = utf8_decode(bytes + at, len - at, &size);

		if (is_named(flag, code))
			continue;
		memcpy(out + out_len, bytes + at, size);
		out_len += size;
	}
	return out_len;
}

static void each_option_changes_only_what_it_names(void **state)
{
	static const uint32_t flags[] = {EMBED_CLEAN_UTF8, EMBED_CLEAN_BOM, EMBED_CLEAN_NEWLINES,
	    EMBED_CLEAN_CONTROL, EMBED_CLEAN_ZERO_WIDTH, EMBED_CLEAN_SOFT_HYPHEN,
	    EMBED_CLEAN_HYPHENATION, EMBED_CLEAN_LIGATURES, EMBED_CLEAN_BLANKS, EMBED_CLEAN_QUOTES,
	    EMBED_CLEAN_DASHES, EMBED_CLEAN_MARKDOWN};
	struct random random = {31};

	(void)state;
	for (int round = 0; round < 24000; round++) {
		uint32_t flag = flags[round % (sizeof(flags) / sizeof(flags[0]))];
		char source[CODES_MAX * 4], before[CODES_MAX * 4], after[CODES_MAX * 4];
		size_t source_len = random_text(&random, source), len, before_len;
		embed_cleaned *cleaned;
		const char *bytes;

		assert_int_equal(clean_text(source, source_len, flag, &cleaned, NULL), EMBED_OK);
		bytes = clean_bytes(cleaned, &len);
		assert_true(len <= sizeof(after));
		before_len = without_named(flag, source, source_len, before);
		assert_int_equal(without_named(flag, bytes, len, after), before_len);
		assert_memory_equal(before, after, before_len);
		clean_destroy(cleaned);
	}
}

/* The library's own normal form of a whole text. */
static size_t normal_form(
    const UNormalizer2 *form, const char *bytes, size_t len, char *out, int32_t cap)
{
	UChar units[CODES_MAX * 2], normal[CODES_MAX * 20];
	UErrorCode code = U_ZERO_ERROR;
	int32_t count, out_len;

	u_strFromUTF8(units, CODES_MAX * 2, &count, bytes, (int32_t)len, &code);
	count = unorm2_normalize(form, units, count, normal, CODES_MAX * 20, &code);
	u_strToUTF8(out, cap, &out_len, normal, count, &code);
	assert_true(U_SUCCESS(code));
	return (size_t)out_len;
}

static void assert_normal_form(
    const UNormalizer2 *const *forms, size_t which, const char *source, size_t source_len)
{
	static const uint32_t flags[] = {EMBED_CLEAN_NFC, EMBED_CLEAN_NFKC};
	char expected[CODES_MAX * 40];
	size_t expected_len =
	    normal_form(forms[which], source, source_len, expected, sizeof(expected));
	size_t len;
	embed_cleaned *cleaned;
	const char *bytes;

	assert_int_equal(clean_text(source, source_len, flags[which], &cleaned, NULL), EMBED_OK);
	bytes = clean_bytes(cleaned, &len);
	assert_int_equal(len, expected_len);
	assert_memory_equal(bytes, expected, len);
	clean_destroy(cleaned);
}

static void open_forms(const UNormalizer2 *forms[2])
{
	UErrorCode code = U_ZERO_ERROR;

	forms[0] = unorm2_getNFCInstance(&code);
	forms[1] = unorm2_getNFKCInstance(&code);
	assert_true(U_SUCCESS(code));
}

static void normal_forms_are_those_of_the_unicode_library(void **state)
{
	struct random random = {32};
	const UNormalizer2 *forms[2];

	(void)state;
	open_forms(forms);
	for (size_t round = 0; round < 10000; round++) {
		char source[CODES_MAX * 4];
		size_t len = random_text(&random, source);

		assert_normal_form(forms, round % 2, source, len);
	}
}

/* Between a letter that it may compose with and a mark that may compose with it; planes above 3 hold no letters. */
static void every_character_is_normalised_as_the_unicode_library_does(void **state)
{
	const UNormalizer2 *forms[2];

	(void)state;
	open_forms(forms);
	for (uint32_t code = 0x80; code < 0x40000; code++) {
		char source[32] = "e";
		size_t len = 1;

		if (code >= 0xd800 && code < 0xe000)
			continue;
		len += utf8_encode(code, source + len);
		len += utf8_encode(0x301, source + len);
		memcpy(source + len, "letters", 7);
		assert_normal_form(forms, 0, source, len + 7);
		assert_normal_form(forms, 1, source, len + 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_option_changes_only_what_it_names),
	    cmocka_unit_test(normal_forms_are_those_of_the_unicode_library),
	    cmocka_unit_test(every_character_is_normalised_as_the_unicode_library_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
