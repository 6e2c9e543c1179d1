/* SPDX-License-Identifier: MIT */
#include "cache/testing.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cache/store.h"
#include "cache/transfer.h"

static struct test_folder home, other_home;

static int set_up(void **state)
{
	(void)state;
	test_folder_make(&home);
	test_folder_make(&other_home);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_folder_drop(&home);
	test_folder_drop(&other_home);
	return 0;
}

static void put_group(struct cache *cache, uint64_t first, size_t count, uint32_t dimensions)
{
	assert_int_equal(test_put_group(cache, first, count, dimensions, NULL, NULL), EMBED_OK);
}

/* Changes one byte of a record behind the store's back, or adds an entry that is none. */
static void put_raw(struct cache *cache, MDB_val key, const uint8_t *bytes, size_t len)
{
	MDB_val value = {len, (void *)(uintptr_t)bytes};
	MDB_txn *txn;

	assert_int_equal(store_write_begin(cache, &txn), 0);
	assert_int_equal(mdb_put(txn, cache->dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static void damage(struct cache *cache, uint64_t number)
{
	struct digest digest = test_key(number);
	MDB_val key = store_key(&digest), value;
	static uint8_t bytes[RECORD_BYTES_MAX];
	MDB_txn *txn;
	size_t len;

	assert_int_equal(mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_get(txn, cache->dbi, &key, &value), 0);
	len = value.mv_size;
	memcpy(bytes, value.mv_data, len);
	mdb_txn_abort(txn);
	bytes[len / 2] ^= 0x10;
	put_raw(cache, key, bytes, len);
}

/* ---- Stats ------------------------------------------------------------------ */

static void stats_tell_size_ages_and_halves(void **state)
{
	struct cache *cache = test_open(&home);
	struct embed_store_stats stats = EMBED_STORE_STATS_INIT;
	float wide[64];
	const struct cache_put put = {test_key(50), wide, 64, 1, TEST_NOW};

	(void)state;
	assert_int_equal(cache_stats(cache, &stats, NULL), EMBED_OK);
	assert_int_equal(stats.records, 0);
	assert_int_equal(stats.oldest_s, 0);
	test_put_at(cache, 1, 64, TEST_NOW - 500);
	test_put_at(cache, 2, 64, TEST_NOW + 500);
	test_fill(wide, 64, 1, true);
	assert_int_equal(cache_put_many(cache, &put, 1, NULL, NULL), EMBED_OK);
	assert_int_equal(cache_stats(cache, &stats, NULL), EMBED_OK);
	assert_int_equal(stats.records, 3);
	assert_int_equal(stats.half_records, 2);
	assert_int_equal(stats.oldest_s, TEST_NOW - 500);
	assert_int_equal(stats.newest_s, TEST_NOW + 500);
	assert_int_equal(stats.cap_bytes, 64u << 20);
	assert_true(stats.used_bytes > 0 && stats.used_bytes <= stats.file_bytes);
	cache_close(cache);
}

static void stats_of_a_large_store_come_from_a_sample(void **state)
{
	struct cache *cache = test_open(&home);
	struct embed_store_stats stats = EMBED_STORE_STATS_INIT;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		put_group(cache, i * 1000, 1000, 16);
	assert_int_equal(cache_stats(cache, &stats, NULL), EMBED_OK);
	assert_int_equal(stats.records, 3000);
	assert_int_equal(stats.half_records, 3000);
	assert_int_equal(stats.oldest_s, TEST_NOW);
	cache_close(cache);
}

/* ---- Verify ------------------------------------------------------------------ */

static void verify_finds_bad_records_and_removes_them_on_wish(void **state)
{
	struct cache *cache = test_open(&home);
	struct cache_verified verified;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		put_group(cache, i * 500, 500, 64);
	damage(cache, 7);
	damage(cache, 1400);
	put_raw(cache, (MDB_val){3, (void *)(uintptr_t) "odd"}, (const uint8_t *)"x", 1);
	assert_int_equal(cache_verify(cache, false, &verified, NULL), EMBED_OK);
	assert_int_equal(verified.good, 1498);
	assert_int_equal(verified.bad, 3);
	assert_int_equal(test_records(cache), 1501);
	assert_int_equal(cache_verify(cache, true, &verified, NULL), EMBED_OK);
	assert_int_equal(verified.bad, 3);
	assert_int_equal(cache_verify(cache, false, &verified, NULL), EMBED_OK);
	assert_int_equal(verified.good, 1498);
	assert_int_equal(verified.bad, 0);
	cache_close(cache);
}

/* LMDB then keeps all pages of the larger one, more than the value needs. */
static void a_record_that_shrank_within_a_group_is_not_taken_for_damage(void **state)
{
	static float wide[1536], halves[1536];
	struct cache *cache = test_open(&home);
	struct cache_put puts[2] = {
	    {test_key(1), wide, 1536, 7, TEST_NOW}, {test_key(1), halves, 1536, 7, TEST_NOW}};
	struct cache_verified verified;

	(void)state;
	test_fill(wide, 1536, 1, true);
	test_fill(halves, 1536, 1, false);
	assert_int_equal(cache_put_many(cache, puts, 2, NULL, NULL), EMBED_OK);
	assert_int_equal(cache_verify(cache, false, &verified, NULL), EMBED_OK);
	assert_int_equal(verified.good, 1);
	assert_int_equal(test_check(cache, 1, 1536), EMBED_OK);
	assert_int_equal(cache_put_many(cache, puts, 2, NULL, NULL), EMBED_OK);
	assert_int_equal(test_check(cache, 1, 1536), EMBED_OK);
	cache_close(cache);
}

static void verify_of_an_empty_store_finds_nothing(void **state)
{
	struct cache *cache = test_open(&home);
	struct cache_verified verified;

	(void)state;
	assert_int_equal(cache_verify(cache, true, &verified, NULL), EMBED_OK);
	assert_int_equal(verified.good + verified.bad, 0);
	cache_close(cache);
}

static void a_damaged_record_is_a_miss_that_a_put_heals(void **state)
{
	struct cache *cache = test_open(&home);
	struct cache_counters counters;

	(void)state;
	test_put(cache, 1, 1536);
	damage(cache, 1);
	assert_int_equal(test_check(cache, 1, 1536), EMBED_NOT_FOUND);
	cache_counters(cache, &counters);
	assert_int_equal(counters.bad, 1);
	put_group(cache, 1, 1, 256);
	assert_int_equal(test_check(cache, 1, 256), EMBED_OK);
	cache_close(cache);
}

/* The walks of verify must not keep freed pages from being used again. */
static void the_structure_stays_sound_through_every_kind_of_change(void **state)
{
	struct cache *cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	struct random random = {5};
	struct cache_verified verified;
	struct embed_error error;

	(void)state;
	for (int round = 0; round < 60; round++) {
		static const uint32_t sizes[] = {8, 100, 800, 1536, 3072};

		put_group(cache, random_below(&random, 3000), 1 + random_below(&random, 40),
		    sizes[random_below(&random, 5)]);
		if (cache_verify(cache, false, &verified, &error) != EMBED_OK)
			fail_msg("round %d: %s", round, error.message);
		assert_int_equal(verified.bad, 0);
		assert_int_equal(verified.good, test_records(cache));
	}
	cache_close(cache);
}

/* ---- Prune and clear ------------------------------------------------------------ */

static void pruning_by_age_removes_what_is_older(void **state)
{
	struct cache *cache = test_open(&home);
	const struct cache_prune prune = {.now_s = TEST_NOW, .older_than_s = 100};
	uint64_t removed = 0;

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		test_put_at(cache, i, 64, TEST_NOW - (int64_t)i * 10);
	assert_int_equal(cache_prune(cache, &prune, &removed, NULL), EMBED_OK);
	assert_int_equal(removed, 9);
	assert_int_equal(test_check(cache, 10, 64), EMBED_OK);
	assert_int_equal(test_check(cache, 11, 64), EMBED_NOT_FOUND);
	cache_close(cache);
}

static void clearing_leaves_an_empty_store_that_works(void **state)
{
	struct cache *cache = test_open(&home);
	uint64_t removed = 0;

	(void)state;
	put_group(cache, 0, 1300, 64);
	assert_int_equal(cache_clear(cache, &removed, NULL), EMBED_OK);
	assert_int_equal(removed, 1300);
	assert_int_equal(test_records(cache), 0);
	test_put(cache, 1, 64);
	cache_close(cache);
	cache = test_open(&home);
	assert_int_equal(test_check(cache, 1, 64), EMBED_OK);
	cache_close(cache);
}

/* ---- Export and import ------------------------------------------------------------ */

static char *export_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/exported", home.path);
	return path;
}

static void export_to_file(struct cache *cache, uint64_t expected)
{
	int fd = open(export_path(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	uint64_t records = 0;

	assert_int_equal(cache_export(cache, fd, &records, NULL), EMBED_OK);
	assert_int_equal(records, expected);
	close(fd);
}

static enum embed_status import_file(
    struct cache *cache, struct cache_imported *imported, struct embed_error *error)
{
	int fd = open(export_path(), O_RDONLY);
	enum embed_status status = cache_import(cache, fd, TEST_NOW, imported, error);

	close(fd);
	return status;
}

static void what_is_exported_can_be_imported_elsewhere(void **state)
{
	struct cache *from = test_open(&home), *to = test_open(&other_home);
	struct cache_imported imported;

	(void)state;
	put_group(from, 0, 1500, 384);
	put_group(from, 5000, 10, 3072);
	export_to_file(from, 1510);
	assert_int_equal(import_file(to, &imported, NULL), EMBED_OK);
	assert_int_equal(imported.records, 1510);
	assert_int_equal(imported.added, 1510);
	assert_int_equal(imported.bad, 0);
	for (uint64_t i = 0; i < 1500; i++)
		assert_int_equal(test_check(to, i, 384), EMBED_OK);
	assert_int_equal(test_check(to, 5003, 3072), EMBED_OK);
	assert_int_equal(import_file(to, &imported, NULL), EMBED_OK);
	assert_int_equal(imported.added, 0);
	cache_close(from);
	cache_close(to);
}

static void an_import_keeps_ages_and_larger_vectors(void **state)
{
	struct cache *from = test_open(&home), *to = test_open(&other_home);
	float numbers[TEST_DIMENSIONS_MAX];
	struct cache_imported imported;
	struct cache_hit hit;

	(void)state;
	test_put_at(from, 1, 256, TEST_NOW - 1000);
	test_put_at(from, 2, 256, TEST_NOW + 1000000);
	test_put(from, 3, 256);
	test_put(to, 3, 1536);
	export_to_file(from, 3);
	assert_int_equal(import_file(to, &imported, NULL), EMBED_OK);
	assert_int_equal(imported.added, 2);
	assert_int_equal(test_get(to, 1, 0, numbers, &hit), EMBED_OK);
	assert_int_equal(hit.created_s, TEST_NOW - 1000);
	assert_int_equal(test_get(to, 2, 0, numbers, &hit), EMBED_OK);
	assert_int_equal(hit.created_s, TEST_NOW);
	assert_int_equal(test_check(to, 3, 1536), EMBED_OK);
	cache_close(from);
	cache_close(to);
}

static void a_bad_record_is_not_exported(void **state)
{
	struct cache *cache = test_open(&home);

	(void)state;
	put_group(cache, 0, 10, 64);
	damage(cache, 4);
	export_to_file(cache, 9);
	cache_close(cache);
}

/* Each record of 64 halves is a frame of 48 bytes and 160 bytes. */
#define FRAME 208

static void a_cut_file_gives_what_comes_before_the_cut(void **state)
{
	struct cache *from = test_open(&home), *to = test_open(&other_home);
	struct cache_imported imported;
	struct embed_error error;
	uint64_t removed;

	(void)state;
	put_group(from, 0, 20, 64);
	export_to_file(from, 20);
	/* In the end, between records, in a frame, in a record, in the head. */
	for (int cut = 24 + 20 * FRAME + 47; cut >= 0; cut -= 61) {
		uint64_t whole = cut < 24 ? 0 : (uint64_t)(cut - 24) / FRAME;

		assert_int_equal(truncate(export_path(), cut), 0);
		assert_int_equal(import_file(to, &imported, &error), EMBED_BAD_FORMAT);
		assert_int_equal(imported.records, whole);
		assert_int_equal(test_records(to), whole);
		if (cut >= 24) {
			char number[32];

			snprintf(
			    number, sizeof(number), "record %llu;", (unsigned long long)whole + 1);
			assert_non_null(strstr(error.message, number));
		}
		assert_int_equal(cache_clear(to, &removed, NULL), EMBED_OK);
	}
	cache_close(from);
	cache_close(to);
}

static void flip_in_export(long at, int mask)
{
	int fd = open(export_path(), O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)mask;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void a_damaged_record_is_left_out_and_the_rest_added(void **state)
{
	struct cache *from = test_open(&home), *to = test_open(&other_home);
	struct cache_imported imported;
	struct embed_error error;

	(void)state;
	put_group(from, 0, 20, 64);
	export_to_file(from, 20);
	flip_in_export(24 + 6 * FRAME + 48 + 50, 4);
	flip_in_export(24 + 9 * FRAME + 48 + 2, 4);
	assert_int_equal(import_file(to, &imported, &error), EMBED_BAD_FORMAT);
	assert_int_equal(imported.records, 18);
	assert_int_equal(imported.added, 18);
	assert_int_equal(imported.bad, 2);
	assert_non_null(strstr(error.message, "record 7;"));
	assert_int_equal(test_records(to), 18);
	cache_close(from);
	cache_close(to);
}

static void no_flipped_bit_anywhere_brings_in_a_wrong_vector(void **state)
{
	struct cache *from = test_open(&home), *to = test_open(&other_home);
	struct cache_imported imported;
	uint64_t removed;

	(void)state;
	put_group(from, 0, 2, 16);
	export_to_file(from, 2);
	for (long bit = 0; bit < 8 * (24 + 2 * (48 + 64) + 48); bit += 3) {
		flip_in_export(bit / 8, 1 << bit % 8);
		assert_int_equal(import_file(to, &imported, NULL), EMBED_BAD_FORMAT);
		for (uint64_t i = 0; i < 2; i++)
			assert_int_not_equal(test_check(to, i, 16), EMBED_BAD_REPLY);
		assert_int_equal(test_records(to), imported.added);
		assert_int_equal(cache_clear(to, &removed, NULL), EMBED_OK);
		flip_in_export(bit / 8, 1 << bit % 8);
	}
	assert_int_equal(import_file(to, &imported, NULL), EMBED_OK);
	cache_close(from);
	cache_close(to);
}

static void a_file_that_is_no_export_is_refused(void **state)
{
	struct cache *cache = test_open(&home);
	struct cache_imported imported;
	struct embed_error error;
	int fd = open(export_path(), O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "{\"embedding\":[0.1,0.2,0.3]}\n", 28), 28);
	close(fd);
	assert_int_equal(import_file(cache, &imported, &error), EMBED_BAD_FORMAT);
	assert_non_null(strstr(error.message, "not a file that cache export wrote"));
	assert_int_equal(cache_import(cache, -1, TEST_NOW, &imported, &error), EMBED_IO);
	cache_close(cache);
}

static void an_export_that_cannot_be_written_is_told(void **state)
{
	struct cache *cache = test_open(&home);
	int fd = open("/dev/full", O_WRONLY);
	struct embed_error error;
	uint64_t records = 99;

	(void)state;
	put_group(cache, 0, 20, 64);
	assert_int_equal(cache_export(cache, fd, &records, &error), EMBED_IO);
	assert_int_equal(records, 99);
	close(fd);
	cache_close(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(stats_tell_size_ages_and_halves),
	    TEST(stats_of_a_large_store_come_from_a_sample),
	    TEST(verify_finds_bad_records_and_removes_them_on_wish),
	    TEST(a_record_that_shrank_within_a_group_is_not_taken_for_damage),
	    TEST(verify_of_an_empty_store_finds_nothing),
	    TEST(a_damaged_record_is_a_miss_that_a_put_heals),
	    TEST(the_structure_stays_sound_through_every_kind_of_change),
	    TEST(pruning_by_age_removes_what_is_older),
	    TEST(clearing_leaves_an_empty_store_that_works),
	    TEST(what_is_exported_can_be_imported_elsewhere),
	    TEST(an_import_keeps_ages_and_larger_vectors),
	    TEST(a_bad_record_is_not_exported),
	    TEST(a_cut_file_gives_what_comes_before_the_cut),
	    TEST(a_damaged_record_is_left_out_and_the_rest_added),
	    TEST(no_flipped_bit_anywhere_brings_in_a_wrong_vector),
	    TEST(a_file_that_is_no_export_is_refused),
	    TEST(an_export_that_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
