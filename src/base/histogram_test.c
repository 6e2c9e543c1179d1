/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/histogram.h"
#include "base/random.h"

static struct histogram histogram;

static int empty(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	return 0;
}

static void every_value_is_told_within_one_percent(void **state)
{
	struct random random = {1};
	uint64_t value, told;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		value = random_next(&random) >> (24 + random_below(&random, 40));
		told = histogram_value(histogram_bucket(value));
		assert_true((told > value ? told - value : value - told) * 100 <= value);
	}
}

static void buckets_follow_each_other_without_gap(void **state)
{
	(void)state;
	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		assert_int_equal(histogram_bucket(histogram_value(bucket)), bucket);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void quantiles_of_a_ramp_are_where_they_should_be(void **state)
{
	uint64_t median, tail;

	(void)state;
	for (uint64_t value = 1; value <= 100000; value++)
		histogram_add_count(&histogram, histogram_bucket(value), 1);
	median = histogram_quantile(&histogram, 0.5);
	tail = histogram_quantile(&histogram, 0.999);
	assert_true(median >= 49500 && median <= 50500);
	assert_true(tail >= 98900 && tail <= 100900);
	assert_true(histogram_quantile(&histogram, 1) >= tail);
}

static void what_several_have_seen_can_be_added_up(void **state)
{
	static struct histogram parts[3], sum;
	struct random random = {7};

	(void)state;
	for (int i = 0; i < 30000; i++) {
		size_t bucket = histogram_bucket(random_next(&random) >> (30 + i % 30));

		histogram_add_count(&histogram, bucket, 1);
		histogram_add_count(&parts[i % 3], bucket, 1);
	}
	for (size_t i = 0; i < 3; i++)
		for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
			histogram_add_count(&sum, bucket, parts[i].counts[bucket]);
	assert_int_equal(sum.count, histogram.count);
	for (double quantile = 0; quantile <= 1; quantile += 0.001)
		assert_int_equal(
		    histogram_quantile(&sum, quantile), histogram_quantile(&histogram, quantile));
}

static void an_empty_histogram_has_no_quantile(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(every_value_is_told_within_one_percent, empty),
	    cmocka_unit_test_setup(buckets_follow_each_other_without_gap, empty),
	    cmocka_unit_test_setup(quantiles_of_a_ramp_are_where_they_should_be, empty),
	    cmocka_unit_test_setup(what_several_have_seen_can_be_added_up, empty),
	    cmocka_unit_test_setup(an_empty_histogram_has_no_quantile, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
