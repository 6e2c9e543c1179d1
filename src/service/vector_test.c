/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <math.h>

#include "base/random.h"
#include "service/vector.h"

static double norm(const float *vector, size_t count)
{
	double square = 0;

	for (size_t i = 0; i < count; i++)
		square += (double)vector[i] * vector[i];
	return sqrt(square);
}

static void fill(float *vector, size_t count, uint64_t seed)
{
	struct random random = {seed};

	for (size_t i = 0; i < count; i++)
		vector[i] = (float)(random_unit(&random) - 0.5);
}

static void a_shortened_vector_keeps_its_direction_and_has_length_one(void **state)
{
	float vector[1536], shorter[256];

	(void)state;
	fill(vector, 1536, 1);
	vector_shorten(shorter, vector, 1536, 256);
	assert_true(fabs(norm(shorter, 256) - 1) < 1e-6);
	for (size_t i = 1; i < 256; i++)
		assert_true(fabs(shorter[i] * vector[0] - shorter[0] * vector[i]) < 1e-6);
}

static void a_vector_that_is_not_cut_stays_as_it_came(void **state)
{
	float vector[64], same[64];

	(void)state;
	fill(vector, 64, 2);
	vector_shorten(same, vector, 64, 64);
	assert_memory_equal(vector, same, sizeof(vector));
}

static void zeros_stay_zeros(void **state)
{
	float zeros[4] = {0};
	const double sum[4] = {0};

	(void)state;
	vector_normalize(zeros, 4);
	assert_true(zeros[0] == 0 && zeros[3] == 0);
	zeros[1] = 5;
	vector_from_sum(zeros, sum, 4);
	assert_true(zeros[1] == 0);
}

static void a_mean_is_weighted_and_does_not_depend_on_the_order(void **state)
{
	float a[8], b[8], ab[8], ba[8];
	double first[8] = {0}, second[8] = {0};

	(void)state;
	fill(a, 8, 3);
	fill(b, 8, 4);
	vector_add(first, a, 8, 30);
	vector_add(first, b, 8, 10);
	vector_add(second, b, 8, 10);
	vector_add(second, a, 8, 30);
	vector_from_sum(ab, first, 8);
	vector_from_sum(ba, second, 8);
	assert_memory_equal(ab, ba, sizeof(ab));
	for (size_t i = 0; i < 8; i++)
		assert_true(fabs(ab[i] * norm(ab, 8) - ab[i]) < 1e-6);
	for (size_t i = 1; i < 8; i++)
		assert_true(fabs(ab[i] * (3 * a[0] + b[0]) - ab[0] * (3 * a[i] + b[i])) < 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_shortened_vector_keeps_its_direction_and_has_length_one),
	    cmocka_unit_test(a_vector_that_is_not_cut_stays_as_it_came),
	    cmocka_unit_test(zeros_stay_zeros),
	    cmocka_unit_test(a_mean_is_weighted_and_does_not_depend_on_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
