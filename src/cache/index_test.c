/* SPDX-License-Identifier: MIT */
/*
 * Index: finds and orders what LMDB finds and orders, in trees of several
 * levels that grew and shrank; a page with any byte changed is never a wrong
 * address (cache.damage does the same to whole stores).
 */
#include "base/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/test_folder.h"
#include "cache/index.h"

#define KEYS            12000
#define ROUNDS          8
#define PUTS_PER_ROUND  3000
#define VALUE_BYTES_MAX 9000
#define KEY_BYTES       32
#define MAP_BYTES       ((size_t)512 << 20)
#define DAMAGED         20000

struct store {
	struct test_folder home;
	MDB_env *env;
	MDB_dbi dbi;
	struct random random;
	uint8_t *map; /* the file, apart from LMDB's own map */
	size_t page_bytes;
};

static MDB_val key_of(uint64_t number, uint8_t *bytes)
{
	struct random random = {number};

	for (size_t i = 0; i < KEY_BYTES; i += sizeof(uint64_t)) {
		uint64_t part = random_next(&random);

		memcpy(bytes + i, &part, sizeof(part));
	}
	return (MDB_val){KEY_BYTES, bytes};
}

static int set_up(void **state)
{
	struct store *store = calloc(1, sizeof(*store));
	MDB_txn *txn;
	MDB_stat stat;

	test_folder_make(&store->home);
	store->random.state = 5;
	assert_int_equal(mdb_env_create(&store->env), 0);
	assert_int_equal(mdb_env_set_mapsize(store->env, MAP_BYTES), 0);
	assert_int_equal(mdb_env_open(store->env, store->home.path, MDB_NOSYNC, 0600), 0);
	assert_int_equal(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &store->dbi), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	assert_int_equal(mdb_env_stat(store->env, &stat), 0);
	store->page_bytes = stat.ms_psize;
	*state = store;
	return 0;
}

static int tear_down(void **state)
{
	struct store *store = *state;

	mdb_env_close(store->env);
	test_folder_drop(&store->home);
	free(store);
	return 0;
}

/* Most values are small, so that the tree has levels; some have pages of their own. */
static void change(struct store *store, int round)
{
	static uint8_t value_bytes[VALUE_BYTES_MAX];
	struct index before;
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	assert_int_equal(
	    index_open(&before, store->map, store->page_bytes, mdb_txn_id(txn) - 1), 0);
	assert_int_equal(index_check_free_pages(&before), 0);
	for (int i = 0; i < PUTS_PER_ROUND; i++) {
		uint8_t bytes[KEY_BYTES];
		MDB_val key = key_of(random_below(&store->random, KEYS), bytes);
		bool is_large = random_below(&store->random, 40) == 0;
		MDB_val value = {
		    random_below(&store->random, is_large ? VALUE_BYTES_MAX : 60), value_bytes};

		assert_int_equal(index_check(&before, &key, 2), 0);
		if (round % 2 == 1 && random_below(&store->random, 4) != 0)
			mdb_del(txn, store->dbi, &key, NULL);
		else
			assert_int_equal(mdb_put(txn, store->dbi, &key, &value, 0), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static void map_file(struct store *store)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", store->home.path);
	fd = open(path, O_RDONLY);
	store->map = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(store->map, MAP_FAILED);
	close(fd);
}

static void assert_same_value(const struct index *index, MDB_txn *txn, MDB_dbi dbi, MDB_val *key)
{
	MDB_val expected, found;
	int rc = mdb_get(txn, dbi, key, &expected);

	assert_int_equal(index_find(index, key, &found), rc);
	if (rc != 0)
		return;
	assert_int_equal(found.mv_size, expected.mv_size);
	assert_memory_equal(found.mv_data, expected.mv_data, expected.mv_size);
}

static void assert_same_order(
    const struct index *index, MDB_txn *txn, MDB_dbi dbi, const MDB_val *from, size_t count)
{
	struct index_cursor cursor;
	MDB_cursor *theirs;
	MDB_val key, value, expected, expected_value;
	int rc, expected_rc;

	if (from != NULL)
		expected = *from;
	assert_int_equal(mdb_cursor_open(txn, dbi, &theirs), 0);
	expected_rc = mdb_cursor_get(
	    theirs, &expected, &expected_value, from == NULL ? MDB_FIRST : MDB_SET_RANGE);
	rc = index_seek(&cursor, index, from, &key, &value);
	for (; count > 0 && rc == 0 && expected_rc == 0; count--) {
		assert_int_equal(key.mv_size, expected.mv_size);
		assert_memory_equal(key.mv_data, expected.mv_data, key.mv_size);
		assert_int_equal(value.mv_size, expected_value.mv_size);
		expected_rc = mdb_cursor_get(theirs, &expected, &expected_value, MDB_NEXT);
		rc = index_next(&cursor, &key, &value);
	}
	assert_int_equal(rc, expected_rc);
	mdb_cursor_close(theirs);
}

static unsigned assert_same_state(struct store *store)
{
	struct index index;
	uint8_t bytes[KEY_BYTES];
	MDB_val key;
	MDB_stat stat;
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(index_open(&index, store->map, store->page_bytes, mdb_txn_id(txn)), 0);
	for (uint64_t i = 0; i < KEYS + 100; i++) {
		key = key_of(i, bytes);
		assert_same_value(&index, txn, store->dbi, &key);
	}
	assert_same_order(&index, txn, store->dbi, NULL, KEYS + 1);
	for (int i = 0; i < 300; i++) {
		key = key_of(random_next(&store->random), bytes);
		assert_same_order(&index, txn, store->dbi, &key, random_below(&store->random, 200));
	}
	assert_int_equal(mdb_stat(txn, store->dbi, &stat), 0);
	mdb_txn_abort(txn);
	return stat.ms_depth;
}

static void finds_and_orders_what_lmdb_does(void **state)
{
	struct store *store = *state;
	unsigned depth = 0;

	map_file(store);
	assert_same_state(store); /* empty */
	for (int round = 0; round < ROUNDS; round++) {
		unsigned now;

		change(store, round);
		now = assert_same_state(store);
		depth = now > depth ? now : depth;
	}
	assert_true(depth >= 3);
	munmap(store->map, MAP_BYTES);
}

static void a_state_that_is_gone_is_told(void **state)
{
	struct store *store = *state;
	struct index index;

	map_file(store);
	for (int round = 0; round < 3; round++)
		change(store, 0);
	assert_int_equal(index_open(&index, store->map, store->page_bytes, 1), MDB_CORRUPTED);
	munmap(store->map, MAP_BYTES);
}

/* Every access has to stay in the copy: behind it lies a page that ends the test. */
static uint8_t *copy_before_a_wall(const struct index *index, size_t *bytes)
{
	uint8_t *copy;

	*bytes = (index->meta.last_page + 1) * index->page_bytes;
	copy = mmap(NULL, *bytes + index->page_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(copy, MAP_FAILED);
	memcpy(copy, index->map, *bytes);
	assert_int_equal(mprotect(copy + *bytes, index->page_bytes, PROT_NONE), 0);
	return copy;
}

static unsigned read_damaged(const struct index *index, struct random *random)
{
	uint8_t bytes[KEY_BYTES];
	struct index_cursor cursor;
	MDB_val key = key_of(random_below(random, KEYS), bytes), found, value;
	unsigned noticed = index_find(index, &key, &value) == MDB_CORRUPTED;
	int rc = index_seek(&cursor, index, &key, &found, &value);

	for (int i = 0; rc == 0 && i < 20; i++)
		rc = index_next(&cursor, &found, &value);
	noticed += rc == MDB_CORRUPTED;
	noticed += index_check(index, &key, 2) == MDB_CORRUPTED;
	noticed += index_check_free_pages(index) == MDB_CORRUPTED;
	return noticed;
}

static void no_changed_byte_is_a_wrong_address(void **state)
{
	struct store *store = *state;
	struct index index, damaged;
	unsigned noticed = 0;
	uint64_t txn_id;
	uint8_t *copy;
	size_t bytes;
	MDB_txn *txn;

	map_file(store);
	for (int round = 0; round < 4; round++)
		change(store, round);
	assert_int_equal(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn), 0);
	txn_id = mdb_txn_id(txn);
	assert_int_equal(index_open(&index, store->map, store->page_bytes, txn_id), 0);
	copy = copy_before_a_wall(&index, &bytes);
	mdb_txn_abort(txn);
	for (int i = 0; i < DAMAGED; i++) {
		uint64_t page = random_below(&store->random, index.meta.last_page + 1);
		/* Heads and offsets are the first bytes of a page. */
		size_t span = random_below(&store->random, 2) ? 128 : store->page_bytes;
		size_t at = page * store->page_bytes + random_below(&store->random, (uint32_t)span);
		uint8_t was = copy[at];

		copy[at] = (uint8_t)random_next(&store->random);
		if (index_open(&damaged, copy, store->page_bytes, txn_id) != 0)
			noticed++;
		else if (damaged.meta.last_page <= index.meta.last_page)
			noticed += read_damaged(&damaged, &store->random);
		copy[at] = was;
	}
	assert_true(noticed > 100);
	munmap(copy, bytes + store->page_bytes);
	munmap(store->map, MAP_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(finds_and_orders_what_lmdb_does),
	    TEST(a_state_that_is_gone_is_told),
	    TEST(no_changed_byte_is_a_wrong_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
