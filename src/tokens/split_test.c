/* SPDX-License-Identifier: MIT */
/* Every way of cutting must give the pieces of the scalar one, which the golden cases check. */
#include "base/test.h"

#include "tokens/split_texts.h"
#include "tokens/vocabulary.h"

static size_t all_ends(
    split_fn *split, const struct split_text *text, size_t *ends, bool *is_ill_formed)
{
	size_t count = 0, at = 0;

	while (at < text->len) {
		count += split(text, at, ends + count, 100, is_ill_formed);
		at = ends[count - 1];
	}
	return count;
}

static void assert_same_pieces(split_fn *split, const char *name)
{
	struct random random = {3};
	char text[TEXT_BYTES];
	size_t expected[TEXT_BYTES + SPLIT_SLACK], ends[TEXT_BYTES + SPLIT_SLACK];

	for (int round = 0; round < 20000; round++) {
		bool is_ill_expected = false, is_ill = false;
		struct split_text whole = {
		    tokens_encoding_find(round % 2 == 0 ? "cl100k_base" : "o200k_base"),
		    (const uint8_t *)text, random_text(&random, text), round % 4 < 2};
		size_t count = all_ends(split_scalar, &whole, expected, &is_ill_expected);

		if (all_ends(split, &whole, ends, &is_ill) != count ||
		    memcmp(ends, expected, count * sizeof(*ends)) != 0) {
			print_message("%s: \"%.*s\"\n", name, (int)whole.len, text);
			fail();
		}
		assert_int_equal(is_ill, is_ill_expected);
	}
}

static void cuts_with_avx2_as_without(void **state)
{
	(void)state;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
		assert_same_pieces(split_avx2, "AVX2");
		return;
	}
#endif
	print_message("this processor has no AVX2\n");
	skip();
}

static void cuts_with_avx512_as_without(void **state)
{
	(void)state;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2")) {
		assert_same_pieces(split_avx512, "AVX-512");
		return;
	}
#endif
	print_message("this processor has no AVX-512\n");
	skip();
}

static void cuts_with_the_way_chosen_here_as_with_the_scalar_one(void **state)
{
	(void)state;
	assert_same_pieces(split_best(), "chosen");
}

static void gives_every_character_a_width(void **state)
{
	static const struct {
		const char *bytes;
		unsigned int class, width;
	} cases[] = {
	    {"", CLASS_END, 0},
	    {"a", CLASS_LETTER | CLASS_LOWER, 1},
	    {"\n", CLASS_BLANK | CLASS_NEWLINE, 1},
	    {"\xC3\xA9", CLASS_LETTER | CLASS_LOWER, 2},
	    {"\xE2\x82\xAC", 0, 3},
	    {"\xF0\x9D\x9F\x98", CLASS_NUMBER, 4},
	    {"\xE2\x82", CLASS_ILL, 2},
	    {"\xE2\x82"
	     "a",
		CLASS_ILL, 2},
	    {"\xED\xA0\x80", CLASS_ILL, 1},
	    {"\xF4\x90\x80\x80", CLASS_ILL, 1},
	    {"\xC0\x80", CLASS_ILL, 1},
	    {"\xF0\x9F\x98", CLASS_ILL, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int width, class = split_class((const uint8_t *)cases[i].bytes,
					strlen(cases[i].bytes), 0, &width);

		assert_int_equal(class, cases[i].class);
		assert_int_equal(width, cases[i].width);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_every_character_a_width),
	    cmocka_unit_test(cuts_with_the_way_chosen_here_as_with_the_scalar_one),
	    cmocka_unit_test(cuts_with_avx2_as_without),
	    cmocka_unit_test(cuts_with_avx512_as_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
