/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <math.h>

#include "emulator/pseudo.h"

#define FULL 1536

static const struct pseudo_shape small = {"text-embedding-3-small", FULL, FULL};

static void embed(const struct pseudo_shape *shape, const char *text, float *vector)
{
	pseudo_vector(shape, text, strlen(text), vector);
}

static double dot(const float *a, const float *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static double cosine_of(const char *a, const char *b)
{
	float first[FULL], second[FULL];

	embed(&small, a, first);
	embed(&small, b, second);
	return dot(first, second, FULL);
}

static void the_same_text_gives_the_same_vector(void **state)
{
	float first[FULL], second[FULL];

	(void)state;
	embed(&small, "the same text", first);
	embed(&small, "the same text", second);
	assert_memory_equal(first, second, sizeof(first));
}

static void every_vector_has_length_one(void **state)
{
	static const char *const texts[] = {"", " ", "a", "A text of some words.",
	    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "\xff\xfe\x80", "1234 !!!"};
	float vector[FULL];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		embed(&small, texts[i], vector);
		assert_true(fabs(sqrt(dot(vector, vector, FULL)) - 1) < 1e-6);
	}
}

static void texts_that_share_words_lie_nearer(void **state)
{
	(void)state;
	assert_true(cosine_of("the cat sat on the mat", "a cat sat on a mat") >
		    cosine_of("the cat sat on the mat", "stock markets fell sharply") + 0.3);
	assert_true(fabs(cosine_of("the cat sat on the mat", "stock markets fell sharply")) < 0.3);
}

static void case_hardly_matters_but_never_collides(void **state)
{
	(void)state;
	assert_true(cosine_of("Hello World", "hello world") > 0.8);
	assert_true(cosine_of("Hello World", "hello world") < 0.99);
	/* Greek and Cyrillic are folded too. */
	assert_true(cosine_of("\xd0\x9c\xd0\x98\xd0\xa0", "\xd0\xbc\xd0\xb8\xd1\x80") > 0.8);
}

static void scripts_without_blanks_compare_by_characters(void **state)
{
	(void)state;
	/* "Tokyo is the capital" and "Tokyo is big", against "I ate an apple". */
	const char *tokyo = "\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xaf\xe9\xa6\x96\xe9\x83\xbd";
	const char *big =
	    "\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xaf\xe5\xa4\xa7\xe3\x81\x8d\xe3\x81\x84";
	const char *apple =
	    "\xe6\x9e\x97\xe6\xaa\x8e\xe3\x82\x92\xe9\xa3\x9f\xe3\x81\xb9\xe3\x81\x9f";

	assert_true(cosine_of(tokyo, big) > cosine_of(tokyo, apple) + 0.2);
}

static void texts_that_differ_in_one_byte_differ_even_as_16_bit_floats(void **state)
{
	static const char *const pairs[][2] = {
	    {"a b", "a  b"}, {"a", "A"}, {" ", "  "}, {"x.", "x!"}, {"", " "}};
	float first[FULL], second[FULL];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		embed(&small, pairs[i][0], first);
		embed(&small, pairs[i][1], second);
		pseudo_round_to_half(first, FULL);
		pseudo_round_to_half(second, FULL);
		assert_memory_not_equal(first, second, sizeof(first));
	}
}

static void models_have_spaces_of_their_own(void **state)
{
	const struct pseudo_shape ada = {"text-embedding-ada-002", FULL, FULL};
	float first[FULL], second[FULL];

	(void)state;
	embed(&small, "the same text for both of them", first);
	embed(&ada, "the same text for both of them", second);
	assert_true(fabs(dot(first, second, FULL)) < 0.2);
}

static void fewer_dimensions_are_the_full_vector_cut_and_scaled(void **state)
{
	float full[FULL], cut[FULL];

	(void)state;
	embed(&small, "a text to be shortened", full);
	for (uint32_t dimensions = 1; dimensions < FULL; dimensions += 511) {
		const struct pseudo_shape shape = {small.model, FULL, dimensions};
		double norm = sqrt(dot(full, full, dimensions));

		embed(&shape, "a text to be shortened", cut);
		for (uint32_t i = 0; i < dimensions; i++)
			assert_true(fabs(full[i] / norm - cut[i]) < 1e-6);
	}
}

static void halves_are_the_nearest_16_bit_floats(void **state)
{
	/* From Python's struct.pack("e"): ordinary, smallest normal, subnormal, ties to even. */
	static const float pairs[][2] = {{1.0F, 1.0F}, {-0.33333333F, -0.333251953125F},
	    {6.11e-5F, 6.109476089477539e-05F}, {6.0e-5F, 6.002187728881836e-05F},
	    {-3.0e-8F, -5.9604644775390625e-08F}, {2.9e-8F, 0.0F}, {0.0F, 0.0F},
	    {1.00048828125F, 1.0F}, {1.00146484375F, 1.001953125F}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		float number = pairs[i][0];

		pseudo_round_to_half(&number, 1);
		assert_true(number == pairs[i][1]);
	}
}

static void rounding_moves_no_number_by_more_than_half_a_step(void **state)
{
	float exact[FULL], rounded[FULL];

	(void)state;
	embed(&small, "some text or other", exact);
	memcpy(rounded, exact, sizeof(exact));
	pseudo_round_to_half(rounded, FULL);
	for (int i = 0; i < FULL; i++)
		assert_true(
		    fabsf(exact[i] - rounded[i]) <= fmaxf(fabsf(exact[i]) * 0x1p-11F, 0x1p-25F));
	assert_true(fabs(sqrt(dot(rounded, rounded, FULL)) - 1) < 6.3e-4);
}

static void noise_is_as_small_as_the_real_models(void **state)
{
	float exact[FULL], first[FULL], second[FULL];

	(void)state;
	embed(&small, "asked twice", exact);
	memcpy(first, exact, sizeof(exact));
	memcpy(second, exact, sizeof(exact));
	pseudo_noise(first, FULL, 1);
	pseudo_noise(second, FULL, 2);
	assert_memory_not_equal(first, second, sizeof(first));
	assert_true(1 - dot(exact, first, FULL) < 1.5e-6);
	assert_true(1 - dot(exact, first, FULL) > 1e-7);
	for (int i = 0; i < FULL; i++)
		assert_true(fabsf(exact[i] - first[i]) < 3.8e-4F);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_text_gives_the_same_vector),
	    cmocka_unit_test(every_vector_has_length_one),
	    cmocka_unit_test(texts_that_share_words_lie_nearer),
	    cmocka_unit_test(case_hardly_matters_but_never_collides),
	    cmocka_unit_test(scripts_without_blanks_compare_by_characters),
	    cmocka_unit_test(texts_that_differ_in_one_byte_differ_even_as_16_bit_floats),
	    cmocka_unit_test(models_have_spaces_of_their_own),
	    cmocka_unit_test(fewer_dimensions_are_the_full_vector_cut_and_scaled),
	    cmocka_unit_test(halves_are_the_nearest_16_bit_floats),
	    cmocka_unit_test(rounding_moves_no_number_by_more_than_half_a_step),
	    cmocka_unit_test(noise_is_as_small_as_the_real_models),
	};

	return cmocka_run_group_tests_name("emulator.pseudo", tests, NULL, NULL);
}
