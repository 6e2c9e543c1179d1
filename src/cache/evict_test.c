/* SPDX-License-Identifier: MIT */
#include "cache/testing.h"

#include <sys/stat.h>

#include "cache/store.h"

#define CAP_BYTES CACHE_CAP_MIN
/* 1,536 halves take a page: about so many fill the store. */
#define FULL_RECORDS (CAP_BYTES / 4096)
#define HOT_RECORDS  64

static struct test_folder home;

static int set_up(void **state)
{
	(void)state;
	test_folder_make(&home);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_folder_drop(&home);
	return 0;
}

static void fill(struct cache *cache, uint64_t first, uint64_t count, uint32_t dimensions)
{
	struct embed_error error;

	for (uint64_t done = 0; done < count; done += 64)
		if (test_put_group(cache, first + done, 64, dimensions, NULL, &error) != EMBED_OK)
			fail_msg("%s", error.message);
}

static uint64_t file_bytes(void)
{
	char path[128];
	struct stat found;

	snprintf(path, sizeof(path), "%s/store/data.mdb", home.path);
	assert_int_equal(stat(path, &found), 0);
	return (uint64_t)found.st_size;
}

static void the_file_never_grows_beyond_its_cap(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);
	struct cache_counters counters;
	struct cache_level level;

	(void)state;
	fill(cache, 0, 3 * FULL_RECORDS, 1536);
	assert_in_range(file_bytes(), CAP_BYTES / 2, CAP_BYTES);
	cache_counters(cache, &counters);
	assert_true(counters.evicted > FULL_RECORDS);
	assert_int_equal(cache_level(cache, &level), EMBED_OK);
	assert_int_equal(counters.stored, level.records + counters.evicted);
	assert_in_range(level.used_bytes, CAP_BYTES / 100 * 80, CAP_BYTES / 100 * 90);
	cache_close(cache);
}

static void nothing_is_evicted_before_it_must(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);

	(void)state;
	fill(cache, 0, FULL_RECORDS * 3 / 4 / 64 * 64, 1536);
	for (uint64_t i = 0; i < FULL_RECORDS * 3 / 4 / 64 * 64; i++)
		assert_int_equal(test_check(cache, i, 1536), EMBED_OK);
	cache_close(cache);
}

/* Fills a store with records of all sizes; gives how many of the last 64 are there. */
static uint64_t last_ones_there(void)
{
	static const uint32_t sizes[] = {16, 256, 512, 1536, 3072, 4096};
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);
	struct cache_level level;
	uint64_t there = 0;

	for (uint64_t round = 0; round < 60; round++)
		fill(cache, round * 64, 64, sizes[round % 6]);
	for (uint64_t i = 59 * 64; i < 60 * 64; i++)
		there += test_check(cache, i, sizes[59 % 6]) == EMBED_OK;
	assert_int_equal(cache_level(cache, &level), EMBED_OK);
	assert_true(level.used_bytes > CAP_BYTES / 2);
	cache_close(cache);
	return there;
}

/* Room for the last may have been made among those just before them, by chance: 55 stay of 64, give or take 2. */
static void records_of_all_sizes_find_room_beside_each_other(void **state)
{
	enum { STORES = 10 };
	uint64_t there = 0;

	for (int store = 0; store < STORES; store++) {
		there += last_ones_there();
		tear_down(state);
		set_up(state);
	}
	assert_in_range(there, STORES * 50, STORES * 64);
}

static void the_largest_records_fit_the_smallest_cap(void **state)
{
	struct cache *cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	float *numbers = malloc(CACHE_DIMENSIONS_MAX * sizeof(float));
	struct embed_error error;

	(void)state;
	test_fill(numbers, CACHE_DIMENSIONS_MAX, 1, true);
	for (uint64_t i = 0; i < 40; i++) {
		const struct cache_put put = {
		    test_key(i), numbers, CACHE_DIMENSIONS_MAX, 1, TEST_NOW};

		if (cache_put_many(cache, &put, 1, NULL, &error) != EMBED_OK)
			fail_msg("%s", error.message);
	}
	assert_true(file_bytes() <= CACHE_CAP_MIN);
	free(numbers);
	cache_close(cache);
}

static void ask_for_hot_ones(struct cache *cache, int times)
{
	for (int time = 0; time < times; time++)
		for (uint64_t i = 0; i < HOT_RECORDS; i++)
			test_check(cache, i, 1536);
}

static uint64_t count_hot_ones(struct cache *cache)
{
	uint64_t there = 0;

	for (uint64_t i = 0; i < HOT_RECORDS; i++)
		there += test_check(cache, i, 1536) == EMBED_OK;
	return there;
}

static void what_is_asked_for_outlives_what_is_not(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);

	(void)state;
	fill(cache, 0, FULL_RECORDS * 3 / 4, 1536);
	ask_for_hot_ones(cache, 4);
	fill(cache, 100000, FULL_RECORDS, 1536);
	/* By chance alone about half of them would be left. */
	assert_in_range(count_hot_ones(cache), HOT_RECORDS - 4, HOT_RECORDS);
	cache_close(cache);
}

static void what_is_known_of_use_survives_a_restart(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);

	(void)state;
	fill(cache, 0, FULL_RECORDS * 3 / 4, 1536);
	ask_for_hot_ones(cache, 4);
	cache_close(cache);
	cache = test_open_with(&home, CAP_BYTES, 0);
	fill(cache, 100000, FULL_RECORDS, 1536);
	assert_in_range(count_hot_ones(cache), HOT_RECORDS - 4, HOT_RECORDS);
	cache_close(cache);
}

static void a_hit_writes_nothing_to_the_disk(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);
	char path[128];
	struct stat before, after;

	(void)state;
	fill(cache, 0, FULL_RECORDS * 3 / 4, 1536);
	snprintf(path, sizeof(path), "%s/store/data.mdb", home.path);
	assert_int_equal(stat(path, &before), 0);
	ask_for_hot_ones(cache, 4);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	snprintf(path, sizeof(path), "%s/store/use", home.path);
	assert_int_equal(stat(path, &after), -1);
	cache_close(cache);
}

static void a_store_that_is_far_from_full_keeps_no_book_of_use(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);
	char path[128];
	struct stat found;

	(void)state;
	fill(cache, 0, 64, 1536);
	ask_for_hot_ones(cache, 4);
	cache_maintain(cache);
	cache_close(cache);
	snprintf(path, sizeof(path), "%s/store/use", home.path);
	assert_int_equal(stat(path, &found), -1);
}

static void pruning_to_a_size_evicts_the_least_used(void **state)
{
	struct cache *cache = test_open_with(&home, CAP_BYTES, 0);
	const struct cache_prune prune = {.now_s = TEST_NOW, .to_bytes = CAP_BYTES / 4};
	struct cache_level level;
	uint64_t removed = 0;

	(void)state;
	fill(cache, 0, FULL_RECORDS * 3 / 4, 1536);
	ask_for_hot_ones(cache, 4);
	assert_int_equal(cache_prune(cache, &prune, &removed, NULL), EMBED_OK);
	assert_int_equal(cache_level(cache, &level), EMBED_OK);
	assert_in_range(level.used_bytes, CAP_BYTES / 5, CAP_BYTES / 4);
	assert_int_equal(level.records + removed, FULL_RECORDS * 3 / 4);
	assert_in_range(count_hot_ones(cache), HOT_RECORDS - 4, HOT_RECORDS);
	cache_close(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_file_never_grows_beyond_its_cap),
	    TEST(nothing_is_evicted_before_it_must),
	    TEST(records_of_all_sizes_find_room_beside_each_other),
	    TEST(the_largest_records_fit_the_smallest_cap),
	    TEST(what_is_asked_for_outlives_what_is_not),
	    TEST(what_is_known_of_use_survives_a_restart),
	    TEST(a_hit_writes_nothing_to_the_disk),
	    TEST(a_store_that_is_far_from_full_keeps_no_book_of_use),
	    TEST(pruning_to_a_size_evicts_the_least_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
