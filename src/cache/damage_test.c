/* SPDX-License-Identifier: MIT */
/*
 * Damage: what a flipped bit anywhere in the file can do to those who read and
 * write.  They are children, so that one that ends by a signal is told from the
 * others: LMDB believes its index pages, and none may get that far.
 */
#include "base/test_child.h"
#include "cache/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cache/store.h"
#include "cache/structure.h"

#define RECORDS 120
#define PAGE    4096
#define LARGE   1536
#define SMALL   200

#define OVERFLOW_PAGES_AT 12 /* of a page's head: how many pages the record has */

#define LIFE_S    30
#define LOOP_STEP (TEST_IS_SANITIZED ? 8017 : 811)

/* Of the head's field that tells the size of the map. */
#define MAP_BYTES_AT 32

static struct test_folder home;
static char path[128], guard_path[128], aside_path[128];
static uint64_t txn_id;

/* Records in pages of their own and records within the pages of the index. */
static uint32_t dimensions_of(uint64_t number)
{
	return number < RECORDS / 2 ? LARGE : SMALL;
}

static int set_up(void **state)
{
	struct cache *cache;
	MDB_txn *txn;

	(void)state;
	test_folder_make(&home);
	cache = test_open(&home);
	assert_int_equal(test_put_group(cache, 0, RECORDS / 2, LARGE, NULL, NULL), EMBED_OK);
	assert_int_equal(
	    test_put_group(cache, RECORDS / 2, RECORDS / 2, SMALL, NULL, NULL), EMBED_OK);
	assert_int_equal(mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &txn), 0);
	txn_id = mdb_txn_id(txn);
	mdb_txn_abort(txn);
	cache_close(cache);
	snprintf(path, sizeof(path), "%s/store/data.mdb", home.path);
	snprintf(guard_path, sizeof(guard_path), "%s/store/unclean", home.path);
	snprintf(aside_path, sizeof(aside_path), "%s/store/damaged.mdb", home.path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_folder_drop(&home);
	return 0;
}

static long file_bytes(void)
{
	struct stat found;

	assert_int_equal(stat(path, &found), 0);
	return (long)found.st_size;
}

static void flip(long at, int bit)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1 << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

enum outcome { ALL_GOOD, SOME_MISSED, NOT_OPENED, WRONG_VECTOR };

static void child_reads_all(void)
{
	const struct cache_options options = {home.path, 64u << 20, 0};
	enum outcome outcome = ALL_GOOD;
	struct cache *cache = NULL;

	if (cache_open(&cache, &options, NULL) != EMBED_OK)
		test_child_exit(NOT_OPENED);
	for (uint64_t i = 0; i < RECORDS; i++)
		switch (test_check(cache, i, dimensions_of(i))) {
		case EMBED_OK:
			break;
		case EMBED_BAD_REPLY:
			test_child_exit(WRONG_VECTOR);
		default:
			outcome = SOME_MISSED;
		}
	test_child_exit(outcome);
}

static int run_child(void (*body)(void))
{
	pid_t child = fork();
	int how;

	if (child == 0)
		body();
	assert_int_equal(waitpid(child, &how, 0), child);
	return how;
}

static int read_in_child(void)
{
	return run_child(child_reads_all);
}

struct tally {
	uint64_t found, missed, harmless;
};

/* What one flipped bit does. */
static void try_bit(long bit, struct tally *tally)
{
	int how;

	flip(bit / 8, (int)(bit % 8));
	tally->found += structure_check(path, txn_id, NULL) != EMBED_OK;
	how = read_in_child();
	if (!WIFEXITED(how))
		fail_msg("bit %ld: reading ended by signal %d", bit, WTERMSIG(how));
	assert_int_not_equal(WEXITSTATUS(how), WRONG_VECTOR);
	tally->missed += WEXITSTATUS(how) == SOME_MISSED;
	tally->harmless += WEXITSTATUS(how) == ALL_GOOD;
	/* What was found wrong at opening was set aside, and is put back. */
	if (rename(aside_path, path) != 0)
		assert_int_equal(errno, ENOENT);
	flip(bit / 8, (int)(bit % 8));
}

static bool is_index_page(long page)
{
	int fd = open(path, O_RDONLY);
	uint16_t flags = 0;

	assert_int_equal(pread(fd, &flags, sizeof(flags), page * PAGE + 10), sizeof(flags));
	close(fd);
	return flags == 1 || flags == 2;
}

/* Every so many bits: densely in the index, whose heads and offsets are few bytes. */
#define INDEX_STEP   (TEST_IS_SANITIZED ? 20011 : 1009)
#define RECORDS_STEP (TEST_IS_SANITIZED ? 100003 : 20011)

static long step_or(long fallback)
{
	const char *asked = getenv("EMBED_TEST_FLIP_STEP");

	return asked == NULL ? fallback : atol(asked);
}

static long index_step(void)
{
	return step_or(INDEX_STEP);
}

static long loop_step(void)
{
	return step_or(LOOP_STEP);
}

static void no_flipped_bit_gives_a_wrong_vector_or_ends_who_reads(void **state)
{
	struct tally tally = {0};
	long pages = file_bytes() / PAGE;

	(void)state;
	assert_int_equal(structure_check(path, txn_id, NULL), EMBED_OK);
	assert_int_equal(WEXITSTATUS(read_in_child()), ALL_GOOD);
	for (long page = 2; page < pages; page++) {
		long step = is_index_page(page) ? index_step() : RECORDS_STEP;

		for (long bit = page * 37 % step; bit < 8 * PAGE; bit += step)
			try_bit(page * PAGE * 8 + bit, &tally);
	}
	print_message("found by the check %llu, misses %llu, harmless %llu\n",
	    (unsigned long long)tally.found, (unsigned long long)tally.missed,
	    (unsigned long long)tally.harmless);
	assert_true(TEST_IS_SANITIZED || tally.found >= 10);
	assert_true(tally.missed >= 10);
	assert_int_equal(structure_check(path, txn_id, NULL), EMBED_OK);
}

static void every_bit_of_the_heads_is_safe(void **state)
{
	(void)state;
	for (long at = 0; at < 152; at += TEST_IS_SANITIZED ? 7 : 1)
		for (int page = 0; page < 2; page++) {
			int bit = (int)(at * 5 % 8), how;
			struct structure_facts facts;

			/* A huge map costs nothing, but a sanitizer keeps books of it. */
			if (TEST_IS_SANITIZED && at >= MAP_BYTES_AT && at < MAP_BYTES_AT + 8)
				continue;
			flip(page * PAGE + at, bit);
			if (structure_look(path, STRUCTURE_HEADS, NULL, &facts, NULL) == EMBED_OK &&
			    structure_check(path, txn_id, NULL) == EMBED_OK) {
				how = read_in_child();
				assert_true(WIFEXITED(how));
				assert_int_not_equal(WEXITSTATUS(how), WRONG_VECTOR);
			}
			flip(page * PAGE + at, bit);
		}
}

static void assert_open_fails_with(const char *part)
{
	const struct cache_options options = {home.path, 64u << 20, 0};
	struct cache *cache = NULL;
	struct embed_error error;

	assert_int_equal(cache_open(&cache, &options, &error), EMBED_STORE);
	if (strstr(error.message, part) == NULL)
		fail_msg("'%s' is not in: %s", part, error.message);
}

static void assert_is_set_aside_and_begins_anew(void)
{
	struct cache *cache = test_open(&home);
	struct stat found;

	assert_string_not_equal(cache_set_aside(cache), "");
	assert_int_equal(stat(cache_set_aside(cache), &found), 0);
	assert_int_equal(test_records(cache), 0);
	assert_int_equal(test_put_group(cache, 0, 1, SMALL, NULL, NULL), EMBED_OK);
	cache_close(cache);
	cache = test_open(&home);
	assert_string_equal(cache_set_aside(cache), "");
	assert_int_equal(test_records(cache), 1);
	cache_close(cache);
}

static void a_file_that_was_cut_is_set_aside(void **state)
{
	long whole = file_bytes();

	(void)state;
	assert_int_equal(truncate(path, whole / 2 / PAGE * PAGE), 0);
	assert_is_set_aside_and_begins_anew();
	assert_int_equal(truncate(path, 100), 0);
	assert_is_set_aside_and_begins_anew();
}

static void a_damaged_file_that_others_use_is_refused_with_a_hint(void **state)
{
	int fd = open(guard_path, O_RDWR);

	(void)state;
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(truncate(path, file_bytes() / 2 / PAGE * PAGE), 0);
	assert_open_fails_with("cut short");
	close(fd);
}

/* What a disk that was full leaves: LMDB's first head without the second, and no record ever. */
static void make_cut_off(const char *folder)
{
	MDB_env *env;

	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
	mdb_env_close(env);
}

static void a_store_whose_making_was_cut_off_is_made_anew(void **state)
{
	struct test_folder fresh;
	char folder[128], file[160];
	struct cache *cache;

	(void)state;
	test_folder_make(&fresh);
	snprintf(folder, sizeof(folder), "%s/store", fresh.path);
	snprintf(file, sizeof(file), "%s/data.mdb", folder);
	make_cut_off(folder);
	assert_int_equal(truncate(file, PAGE), 0);
	cache = test_open(&fresh);
	assert_int_equal(test_put_group(cache, 0, 1, SMALL, NULL, NULL), EMBED_OK);
	cache_close(cache);
	test_folder_drop(&fresh);
}

static void a_file_that_is_no_store_is_refused_with_a_hint(void **state)
{
	int fd = open(path, O_RDWR | O_TRUNC);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "not a store ", 12), 12);
	close(fd);
	assert_open_fails_with("move the store folder away");
}

static void another_version_of_lmdb_is_refused_with_a_hint(void **state)
{
	(void)state;
	flip(20, 1);
	flip(PAGE + 20, 1);
	assert_open_fails_with("data version");
}

static void an_empty_file_becomes_a_store(void **state)
{
	struct cache *cache;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	cache = test_open(&home);
	assert_int_equal(test_records(cache), 0);
	cache_close(cache);
}

/* A page of the index as it is now (there are older ones too): changing its kind is noticed. */
static long damage_live_index_page(void)
{
	for (long page = 2; page < file_bytes() / PAGE; page++) {
		long flags_at = page * PAGE + 10;

		if (!is_index_page(page))
			continue;
		flip(flags_at, 3);
		if (structure_check(path, txn_id, NULL) != EMBED_OK)
			return flags_at;
		flip(flags_at, 3);
	}
	fail_msg("no index page found");
	return 0;
}

/* The head of a record's own pages, of which there are older ones too: live is what the check misses. */
static long live_overflow_page(void)
{
	for (long page = 2; page < file_bytes() / PAGE; page++) {
		bool is_live;

		if (is_index_page(page))
			continue;
		flip(page * PAGE + OVERFLOW_PAGES_AT, 7);
		is_live = structure_check(path, txn_id, NULL) != EMBED_OK;
		flip(page * PAGE + OVERFLOW_PAGES_AT, 7);
		if (is_live)
			return page;
	}
	fail_msg("no record has pages of its own");
	return 0;
}

static void verify_names_the_page_that_is_wrong(void **state)
{
	struct cache *cache = test_open(&home);
	struct cache_verified verified;
	struct embed_error error;
	long damaged_at = damage_live_index_page();
	char expected[64];

	(void)state;
	snprintf(expected, sizeof(expected), "damaged (page %ld:", damaged_at / PAGE);
	assert_int_equal(cache_verify(cache, true, &verified, &error), EMBED_STORE);
	assert_non_null(strstr(error.message, expected));
	flip(damaged_at, 3);
	assert_int_equal(cache_verify(cache, true, &verified, &error), EMBED_OK);
	assert_int_equal(verified.good, RECORDS);
	cache_close(cache);
}

/* ---- After a crash ------------------------------------------------------- */

static void child_opens_and_dies(void)
{
	test_open(&home);
	raise(SIGKILL);
}

static void open_in_child_and_die(void)
{
	assert_true(WIFSIGNALED(run_child(child_opens_and_dies)));
}

/* Reads, replaces, adds, evicts, removes and closes, as a program would. */
static void child_lives(void)
{
	const struct cache_options options = {home.path, 64u << 20, 0};
	const struct cache_prune to_half = {.now_s = TEST_NOW, .to_bytes = 256 << 10};
	struct cache_verified verified;
	uint64_t removed;
	enum outcome outcome = ALL_GOOD;
	struct cache *cache = NULL;

	alarm(LIFE_S); /* LMDB may also walk in a circle: for us as good as a crash */
	if (cache_open(&cache, &options, NULL) != EMBED_OK)
		test_child_exit(NOT_OPENED);
	for (uint64_t i = 0; i < RECORDS; i++)
		if (test_check(cache, i, dimensions_of(i)) == EMBED_BAD_REPLY)
			outcome = WRONG_VECTOR;
	for (uint64_t first = 0; first < 2 * RECORDS; first += 20)
		test_put_group(cache, first, 20, first % 3 == 0 ? SMALL : LARGE, NULL, NULL);
	cache_prune(cache, &to_half, &removed, NULL);
	cache_verify(cache, true, &verified, NULL);
	cache_clear(cache, &removed, NULL);
	cache_close(cache);
	test_child_exit(outcome);
}

static void an_index_that_may_have_ended_a_process_is_checked_before_it_is_trusted(void **state)
{
	(void)state;
	open_in_child_and_die();
	damage_live_index_page();
	assert_is_set_aside_and_begins_anew();
}

static void after_two_crashes_what_only_writes_trust_is_checked_too(void **state)
{
	struct cache *cache;

	(void)state;
	open_in_child_and_die();
	flip(live_overflow_page() * PAGE + OVERFLOW_PAGES_AT, 7);
	open_in_child_and_die();
	assert_is_set_aside_and_begins_anew();
	cache = test_open(&home);
	assert_int_equal(test_records(cache), 1);
	cache_close(cache);
}

static void a_sound_store_survives_any_number_of_crashes(void **state)
{
	struct cache *cache;

	(void)state;
	for (int i = 0; i < 12; i++)
		open_in_child_and_die();
	cache = test_open(&home);
	assert_string_equal(cache_set_aside(cache), "");
	assert_int_equal(test_records(cache), RECORDS);
	cache_close(cache);
}

/* One that reads and writes; ends the test if a signal ended it. */
static enum outcome live(long page, long bit)
{
	int how = run_child(child_lives);

	if (!WIFEXITED(how))
		fail_msg("bit %ld of page %ld: ended by signal %d", bit, page, WTERMSIG(how));
	assert_int_not_equal(WEXITSTATUS(how), WRONG_VECTOR);
	return (enum outcome)WEXITSTATUS(how);
}

/* They look before they trust; and one that was refused is the last. */
static void no_flipped_bit_of_the_index_ends_who_reads_and_writes(void **state)
{
	long pages = file_bytes() / PAGE;
	uint64_t refused = 0, tried = 0;

	(void)state;
	for (long page = 2; page < pages; page++) {
		if (!is_index_page(page))
			continue;
		for (long bit = page * 41 % loop_step(); bit < 8 * PAGE; bit += loop_step()) {
			tear_down(NULL);
			set_up(NULL);
			flip(page * PAGE + bit / 8, (int)(bit % 8));
			tried++;
			if (live(page, bit) != NOT_OPENED)
				continue;
			refused++;
			assert_int_not_equal(live(page, bit), NOT_OPENED);
		}
	}
	print_message(
	    "%llu flips, %llu refusals\n", (unsigned long long)tried, (unsigned long long)refused);
	assert_true(tried > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_flipped_bit_gives_a_wrong_vector_or_ends_who_reads),
	    TEST(every_bit_of_the_heads_is_safe),
	    TEST(a_file_that_was_cut_is_set_aside),
	    TEST(a_damaged_file_that_others_use_is_refused_with_a_hint),
	    TEST(a_store_whose_making_was_cut_off_is_made_anew),
	    TEST(a_file_that_is_no_store_is_refused_with_a_hint),
	    TEST(another_version_of_lmdb_is_refused_with_a_hint),
	    TEST(an_empty_file_becomes_a_store),
	    TEST(verify_names_the_page_that_is_wrong),
	    TEST(an_index_that_may_have_ended_a_process_is_checked_before_it_is_trusted),
	    TEST(after_two_crashes_what_only_writes_trust_is_checked_too),
	    TEST(a_sound_store_survives_any_number_of_crashes),
	    TEST(no_flipped_bit_of_the_index_ends_who_reads_and_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
