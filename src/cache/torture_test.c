/* SPDX-License-Identifier: MIT */
/* Torture: each allocation fails in turn, LMDB's too; what was said to be written is there. */
#include "base/test_memory.h"
#include "cache/testing.h"

#include <fcntl.h>

#define GROUP      4
#define DIMENSIONS 64

static bool is_expected(enum embed_status status)
{
	return status == EMBED_OK || status == EMBED_NO_MEMORY || status == EMBED_STORE;
}

/* The test's own memory must not fail: everything is prepared here. */
struct prepared {
	struct cache_options options;
	float numbers[GROUP][DIMENSIONS];
	struct cache_put puts[GROUP];
	int null_fd;
};

static void prepare(struct prepared *prepared, uint64_t first)
{
	for (uint64_t i = 0; i < GROUP; i++) {
		test_fill(prepared->numbers[i], DIMENSIONS, first + i, false);
		prepared->puts[i] = (struct cache_put){
		    test_key(first + i), prepared->numbers[i], DIMENSIONS, 7, TEST_NOW};
	}
}

/* Whether the group was said to be written. */
static bool use_cache(const struct prepared *prepared)
{
	const struct cache_want want = {DIMENSIONS, true, TEST_NOW};
	struct embed_store_stats stats = EMBED_STORE_STATS_INIT;
	struct cache_verified verified;
	float numbers[DIMENSIONS];
	struct cache_hit hit;
	uint64_t records;
	struct cache *cache;
	enum embed_status status, written;

	status = cache_open(&cache, &prepared->options, NULL);
	assert_true(is_expected(status));
	if (status != EMBED_OK)
		return false;
	written = cache_put_many(cache, prepared->puts, GROUP, NULL, NULL);
	assert_true(is_expected(written));
	status = cache_get(cache, &prepared->puts[0].key, &want, numbers, DIMENSIONS, &hit);
	assert_true(is_expected(status) || status == EMBED_NOT_FOUND);
	assert_true(is_expected(cache_stats(cache, &stats, NULL)));
	assert_true(is_expected(cache_verify(cache, true, &verified, NULL)));
	status = cache_export(cache, prepared->null_fd, &records, NULL);
	assert_true(is_expected(status) || status == EMBED_IO);
	cache_maintain(cache);
	cache_close(cache);
	return written == EMBED_OK;
}

static void no_failed_allocation_loses_a_record_or_harms_the_store(void **state)
{
	struct test_folder home;
	struct prepared prepared = {.options = {home.path, CACHE_CAP_MIN, 0}};
	bool has_failed = true;
	uint64_t groups = 0;

	(void)state;
	if (!test_memory_can_fail)
		skip();
	test_folder_make(&home);
	prepared.null_fd = open("/dev/null", O_WRONLY);
	for (long count = 1; has_failed; count++) {
		struct cache_verified verified;
		struct cache *cache;
		bool is_written;

		prepare(&prepared, (uint64_t)count * GROUP);
		test_memory_fail_at(count);
		is_written = use_cache(&prepared);
		has_failed = test_memory_has_failed();
		test_memory_fail_at(0);
		groups += is_written;
		cache = test_open_with(&home, CACHE_CAP_MIN, 0);
		for (uint64_t i = 0; is_written && i < GROUP; i++)
			assert_int_equal(
			    test_check(cache, (uint64_t)count * GROUP + i, DIMENSIONS), EMBED_OK);
		assert_int_equal(cache_verify(cache, false, &verified, NULL), EMBED_OK);
		assert_int_equal(verified.good, groups * GROUP);
		cache_close(cache);
	}
	assert_true(groups > 1);
	close(prepared.null_fd);
	test_folder_drop(&home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_failed_allocation_loses_a_record_or_harms_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
