/* SPDX-License-Identifier: MIT */
#include "cache/testing.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "cache/store.h"

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

static void what_was_put_comes_back_after_reopening(void **state)
{
	struct cache *cache = test_open(&home);
	float numbers[TEST_DIMENSIONS_MAX];
	struct cache_hit hit;

	(void)state;
	assert_int_equal(test_get(cache, 1, 0, numbers, &hit), EMBED_NOT_FOUND);
	test_put(cache, 1, 1536);
	cache_close(cache);
	cache = test_open(&home);
	assert_int_equal(test_check(cache, 1, 1536), EMBED_OK);
	assert_int_equal(test_get(cache, 1, 0, numbers, &hit), EMBED_OK);
	assert_int_equal(hit.dimensions, 1536);
	assert_int_equal(hit.tokens, 7);
	assert_int_equal(hit.created_s, TEST_NOW);
	assert_int_equal(test_get(cache, 2, 0, numbers, &hit), EMBED_NOT_FOUND);
	cache_close(cache);
}

static void home_belongs_to_its_owner_alone(void **state)
{
	struct cache *cache = test_open(&home);
	char path[128];
	struct stat found;

	(void)state;
	snprintf(path, sizeof(path), "%s/store", home.path);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/store/data.mdb", home.path);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	cache_close(cache);
}

static void a_smaller_vector_is_cut_and_renormalised_from_a_larger(void **state)
{
	struct cache *cache = test_open(&home);
	float numbers[TEST_DIMENSIONS_MAX], expected[1536];
	struct cache_hit hit;
	double squares = 0;

	(void)state;
	test_put(cache, 1, 1536);
	assert_int_equal(test_get(cache, 1, 256, numbers, &hit), EMBED_OK);
	assert_int_equal(hit.dimensions, 256);
	test_fill(expected, 1536, 1, false);
	for (int i = 0; i < 256; i++)
		squares += (double)expected[i] * expected[i];
	for (int i = 0; i < 256; i++)
		assert_true(fabs(expected[i] / sqrt(squares) - numbers[i]) < 1e-7);
	cache_close(cache);
}

static void a_cut_is_refused_where_the_model_cannot_shorten(void **state)
{
	struct cache *cache = test_open(&home);
	struct digest key = test_key(1);
	struct cache_want want = {256, false, TEST_NOW};
	float numbers[TEST_DIMENSIONS_MAX];
	struct cache_hit hit;

	(void)state;
	test_put(cache, 1, 1536);
	assert_int_equal(
	    cache_get(cache, &key, &want, numbers, TEST_DIMENSIONS_MAX, &hit), EMBED_NOT_FOUND);
	want.dimensions = 1536;
	assert_int_equal(
	    cache_get(cache, &key, &want, numbers, TEST_DIMENSIONS_MAX, &hit), EMBED_OK);
	cache_close(cache);
}

static void a_larger_wish_is_a_miss_and_its_answer_replaces_the_record(void **state)
{
	struct cache *cache = test_open(&home);
	float numbers[TEST_DIMENSIONS_MAX];
	struct cache_hit hit;

	(void)state;
	test_put(cache, 1, 256);
	assert_int_equal(test_get(cache, 1, 1536, numbers, &hit), EMBED_NOT_FOUND);
	test_put(cache, 1, 1536);
	assert_int_equal(test_get(cache, 1, 1536, numbers, &hit), EMBED_OK);
	assert_int_equal(test_records(cache), 1);
	cache_close(cache);
}

static void a_smaller_vector_never_replaces_a_larger(void **state)
{
	struct cache *cache = test_open(&home);
	struct cache_written written;

	(void)state;
	test_put(cache, 1, 1536);
	assert_int_equal(test_put_group(cache, 1, 1, 256, &written, NULL), EMBED_OK);
	assert_int_equal(written.kept, 1);
	assert_int_equal(written.stored, 0);
	assert_int_equal(test_check(cache, 1, 1536), EMBED_OK);
	cache_close(cache);
}

static void an_expired_record_is_a_miss_and_anything_replaces_it(void **state)
{
	struct cache *cache = test_open_with(&home, 64u << 20, 100);
	float numbers[TEST_DIMENSIONS_MAX];
	struct cache_hit hit;

	(void)state;
	test_put_at(cache, 1, 1536, TEST_NOW - 101);
	test_put_at(cache, 2, 1536, TEST_NOW - 100);
	assert_int_equal(test_get(cache, 1, 0, numbers, &hit), EMBED_NOT_FOUND);
	assert_int_equal(test_get(cache, 2, 0, numbers, &hit), EMBED_OK);
	test_put(cache, 1, 256);
	assert_int_equal(test_get(cache, 1, 0, numbers, &hit), EMBED_OK);
	assert_int_equal(hit.dimensions, 256);
	cache_close(cache);
}

static void a_buffer_that_is_too_small_is_told_how_much_is_needed(void **state)
{
	struct cache *cache = test_open(&home);
	struct digest key = test_key(1);
	const struct cache_want want = {0, true, TEST_NOW};
	struct cache_hit hit;
	float numbers[10];

	(void)state;
	test_put(cache, 1, 1536);
	assert_int_equal(cache_get(cache, &key, &want, numbers, 10, &hit), EMBED_TOO_LARGE);
	assert_int_equal(hit.dimensions, 1536);
	cache_close(cache);
}

static void vectors_that_cannot_be_are_refused_before_anything_is_written(void **state)
{
	struct cache *cache = test_open(&home);
	float good[2] = {0.5f, 0.5f}, bad[2] = {0.5f, NAN};
	struct cache_put puts[2] = {
	    {test_key(1), good, 2, 1, TEST_NOW}, {test_key(2), bad, 2, 1, TEST_NOW}};
	struct embed_error error;

	(void)state;
	assert_int_equal(cache_put_many(cache, puts, 2, NULL, &error), EMBED_BAD_FORMAT);
	assert_int_equal(error.index, 1);
	puts[1].numbers = good;
	puts[1].dimensions = 0;
	assert_int_equal(cache_put_many(cache, puts, 2, NULL, &error), EMBED_BAD_FORMAT);
	puts[1].dimensions = CACHE_DIMENSIONS_MAX + 1;
	assert_int_equal(cache_put_many(cache, puts, 2, NULL, &error), EMBED_BAD_FORMAT);
	assert_int_equal(test_records(cache), 0);
	cache_close(cache);
}

static void equal_keys_in_one_group_leave_one_record(void **state)
{
	struct cache *cache = test_open(&home);
	float small[2] = {0.5f, 0.5f}, large[3] = {0.5f, 0.5f, 0.25f};
	const struct cache_put puts[3] = {{test_key(1), small, 2, 1, TEST_NOW},
	    {test_key(1), large, 3, 1, TEST_NOW}, {test_key(1), small, 2, 1, TEST_NOW}};
	float numbers[TEST_DIMENSIONS_MAX];
	struct cache_hit hit;

	(void)state;
	assert_int_equal(cache_put_many(cache, puts, 3, NULL, NULL), EMBED_OK);
	assert_int_equal(test_records(cache), 1);
	assert_int_equal(test_get(cache, 1, 0, numbers, &hit), EMBED_OK);
	assert_int_equal(hit.dimensions, 3);
	cache_close(cache);
}

static void an_empty_group_is_fine(void **state)
{
	struct cache *cache = test_open(&home);

	(void)state;
	assert_int_equal(cache_put_many(cache, NULL, 0, NULL, NULL), EMBED_OK);
	cache_close(cache);
}

static void floats_that_are_no_halves_come_back_bit_for_bit(void **state)
{
	struct cache *cache = test_open(&home);
	float wide[1536], numbers[TEST_DIMENSIONS_MAX];
	const struct cache_put put = {test_key(1), wide, 1536, 1, TEST_NOW};
	struct cache_hit hit;

	(void)state;
	test_fill(wide, 1536, 1, true);
	assert_int_equal(cache_put_many(cache, &put, 1, NULL, NULL), EMBED_OK);
	assert_int_equal(test_get(cache, 1, 0, numbers, &hit), EMBED_OK);
	assert_memory_equal(numbers, wide, sizeof(wide));
	cache_close(cache);
}

static void a_home_that_cannot_be_made_is_a_clear_error(void **state)
{
	struct cache_options options = {"/proc/nowhere", 0, 0};
	struct embed_error error;
	struct cache *cache = NULL;

	(void)state;
	assert_int_equal(cache_open(&cache, &options, &error), EMBED_STORE);
	assert_non_null(strstr(error.message, "choose another home"));
	options.home = "";
	assert_int_equal(cache_open(&cache, &options, &error), EMBED_BAD_OPTION);
	assert_null(cache);
}

static void a_cap_that_is_too_small_is_a_clear_error(void **state)
{
	const struct cache_options options = {home.path, CACHE_CAP_MIN - 1, 0};
	struct embed_error error;
	struct cache *cache = NULL;

	(void)state;
	assert_int_equal(cache_open(&cache, &options, &error), EMBED_BAD_OPTION);
	assert_null(cache);
}

static void set_format(uint32_t format)
{
	struct cache *cache = test_open(&home);
	const uint32_t value[2] = {format, 0};
	MDB_val key = store_format_key(), data = {sizeof(value), (void *)(uintptr_t)value};
	MDB_txn *txn;

	assert_int_equal(store_write_begin(cache, &txn), 0);
	assert_int_equal(mdb_put(txn, cache->dbi, &key, &data, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	cache_close(cache);
}

static void a_newer_format_is_refused_with_a_hint(void **state)
{
	const struct cache_options options = {home.path, 0, 0};
	struct embed_error error;
	struct cache *cache = NULL;

	(void)state;
	set_format(STORE_FORMAT + 1);
	assert_int_equal(cache_open(&cache, &options, &error), EMBED_STORE);
	assert_non_null(strstr(error.message, "newer program"));
	assert_null(cache);
}

static void make_foreign_file(void)
{
	char folder[128];
	MDB_val word = {4, (void *)(uintptr_t) "word"};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	snprintf(folder, sizeof(folder), "%s/store", home.path);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &word, &word, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void another_programs_file_is_left_alone(void **state)
{
	const struct cache_options options = {home.path, 0, 0};
	struct embed_error error;
	struct cache *cache = NULL;

	(void)state;
	make_foreign_file();
	assert_int_equal(cache_open(&cache, &options, &error), EMBED_STORE);
	assert_non_null(strstr(error.message, "another program"));
}

static void a_larger_cap_may_be_followed_by_a_smaller(void **state)
{
	struct cache *cache = test_open_with(&home, 64u << 20, 0);
	struct cache_level level = {0};

	(void)state;
	for (uint64_t first = 0; first < 2048; first += 512)
		assert_int_equal(test_put_group(cache, first, 512, 1536, NULL, NULL), EMBED_OK);
	cache_close(cache);
	cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	assert_int_equal(test_check(cache, 17, 1536), EMBED_OK);
	test_put(cache, 5000, 1536);
	assert_int_equal(test_check(cache, 5000, 1536), EMBED_OK);
	for (int minute = 0; minute < 10; minute++)
		cache_maintain(cache);
	assert_int_equal(cache_level(cache, &level), EMBED_OK);
	assert_in_range(level.used_bytes, CACHE_CAP_MIN / 2, CACHE_CAP_MIN / 100 * 91);
	cache_close(cache);
}

/* ---- Memory ---------------------------------------------------------------- */

/* Of mapped files: a sanitizer's own memory is beside the point. */
static uint64_t resident_bytes(void)
{
	unsigned long all = 0, resident = 0, shared = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu %lu", &all, &resident, &shared), 3);
	fclose(file);
	return (uint64_t)shared * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void verifying_the_whole_store_does_not_keep_it_in_memory(void **state)
{
	struct cache *cache = test_open_with(&home, 256u << 20, 0);
	struct cache_verified verified;
	uint64_t before;

	(void)state;
	for (uint64_t first = 0; first < 16384; first += 1024)
		assert_int_equal(test_put_group(cache, first, 1024, 1536, NULL, NULL), EMBED_OK);
	cache_close(cache);
	cache = test_open_with(&home, 256u << 20, 0);
	before = resident_bytes();
	assert_int_equal(cache_verify(cache, false, &verified, NULL), EMBED_OK);
	assert_int_equal(verified.good, 16384);
	/* 64 MiB were read. */
	assert_true(resident_bytes() < before + (16u << 20));
	cache_close(cache);
}

/* ---- Threads --------------------------------------------------------------- */

#define READERS     8
#define SHARED_KEYS 64

struct reading {
	struct cache *cache;
	atomic_bool is_over;
	atomic_int wrong;
};

static void *read_until_over(void *context)
{
	struct reading *reading = context;
	struct random random = {(uint64_t)(uintptr_t)&random};

	while (!atomic_load(&reading->is_over))
		for (int i = 0; i < 16; i++) {
			enum embed_status status =
			    test_check(reading->cache, random_below(&random, SHARED_KEYS), 384);

			if (status != EMBED_OK && status != EMBED_NOT_FOUND)
				atomic_fetch_add(&reading->wrong, 1);
		}
	return NULL;
}

static void many_threads_read_while_one_writes(void **state)
{
	struct reading reading = {.cache = test_open(&home)};
	pthread_t threads[READERS];

	(void)state;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_until_over, &reading), 0);
	for (uint64_t round = 0; round < 64; round++)
		assert_int_equal(
		    test_put_group(reading.cache, round % 4 * 16, 16, 384, NULL, NULL), EMBED_OK);
	atomic_store(&reading.is_over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&reading.wrong), 0);
	cache_close(reading.cache);
}

static void *put_own_part(void *context)
{
	struct cache *cache = *(struct cache **)context;
	uint64_t first = (uint64_t)pthread_self();

	for (uint64_t i = 0; i < 10; i++)
		if (test_put_group(cache, first + i * 8, 8, 64, NULL, NULL) != EMBED_OK)
			return context;
	return NULL;
}

static void writers_on_several_threads_take_turns(void **state)
{
	struct cache *cache = test_open(&home);
	pthread_t threads[4];
	void *failed;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_own_part, &cache), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(test_records(cache), 4 * 80);
	cache_close(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_put_comes_back_after_reopening),
	    TEST(home_belongs_to_its_owner_alone),
	    TEST(a_smaller_vector_is_cut_and_renormalised_from_a_larger),
	    TEST(a_cut_is_refused_where_the_model_cannot_shorten),
	    TEST(a_larger_wish_is_a_miss_and_its_answer_replaces_the_record),
	    TEST(a_smaller_vector_never_replaces_a_larger),
	    TEST(an_expired_record_is_a_miss_and_anything_replaces_it),
	    TEST(a_buffer_that_is_too_small_is_told_how_much_is_needed),
	    TEST(vectors_that_cannot_be_are_refused_before_anything_is_written),
	    TEST(equal_keys_in_one_group_leave_one_record),
	    TEST(an_empty_group_is_fine),
	    TEST(floats_that_are_no_halves_come_back_bit_for_bit),
	    TEST(a_home_that_cannot_be_made_is_a_clear_error),
	    TEST(a_cap_that_is_too_small_is_a_clear_error),
	    TEST(a_newer_format_is_refused_with_a_hint),
	    TEST(another_programs_file_is_left_alone),
	    TEST(a_larger_cap_may_be_followed_by_a_smaller),
	    TEST(verifying_the_whole_store_does_not_keep_it_in_memory),
	    TEST(many_threads_read_while_one_writes),
	    TEST(writers_on_several_threads_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
