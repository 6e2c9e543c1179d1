/* SPDX-License-Identifier: MIT */
/*
 * Crashes, full disks, several processes.  EMBED_TEST_KILL_ROUNDS sets how
 * often writers are killed (30 by default).
 */
#include "base/test_child.h"
#include "cache/testing.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "cache/store.h"

#define GROUP          16
#define LATEST         40
#define GROUPS_A_ROUND 20
#define DIMENSIONS     384

static struct test_folder home;

/* What a child tells its parent, which may kill it at any instant. */
struct told {
	volatile uint64_t durable; /* groups that cache_put_many said were written */
};

static struct told *told;

static int set_up(void **state)
{
	(void)state;
	test_folder_make(&home);
	told = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return told == MAP_FAILED;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(told, 4096);
	test_folder_drop(&home);
	return 0;
}

/* In children: no cmocka, whose failures belong to the parent. */
static struct cache *child_open(uint64_t cap_bytes)
{
	const struct cache_options options = {home.path, cap_bytes, 0};
	struct cache *cache = NULL;

	if (cache_open(&cache, &options, NULL) != EMBED_OK)
		test_child_exit(2);
	return cache;
}

static void child_fail(const struct embed_error *error)
{
	fprintf(stderr, "child: %s\n", error->message);
	test_child_exit(3);
}

static int wait_for(pid_t child)
{
	int how;

	assert_int_equal(waitpid(child, &how, 0), child);
	return how;
}

/* ---- Kill -9 ------------------------------------------------------------------- */

static int rounds_asked(int usual)
{
	const char *asked = getenv("EMBED_TEST_KILL_ROUNDS");

	return asked == NULL ? usual : atoi(asked);
}

/* Some groups, then it waits to be killed: rounds stay short on fast disks too. */
static void child_writes(uint64_t cap_bytes)
{
	struct cache *cache = child_open(cap_bytes);
	uint64_t first = told->durable;
	struct embed_error error;

	for (uint64_t group = first; group < first + GROUPS_A_ROUND; group++) {
		if (test_put_group(cache, group * GROUP, GROUP, DIMENSIONS, NULL, &error) !=
		    EMBED_OK)
			child_fail(&error);
		told->durable = group + 1;
	}
	for (;;)
		pause();
}

/* Starts a writer and kills it at some instant while it writes, or opens. */
static void run_and_kill(struct random *random, uint64_t cap_bytes)
{
	int64_t give_up_us = clock_now_us() + 5000000;
	uint64_t wanted = told->durable + random_below(random, 4);
	pid_t child = fork();

	if (child == 0)
		child_writes(cap_bytes);
	while (told->durable < wanted && clock_now_us() < give_up_us)
		sched_yield();
	usleep((useconds_t)random_below(random, 3000));
	kill(child, SIGKILL);
	assert_true(WIFSIGNALED(wait_for(child)));
}

static void nothing_that_was_written_is_lost_by_kill_9(void **state)
{
	struct random random = {(uint64_t)clock_now_us()};
	int rounds = rounds_asked(30);

	(void)state;
	for (int round = 0; round < rounds; round++) {
		struct cache_verified verified;
		struct embed_error error;
		struct cache *cache;
		uint64_t groups, first;

		run_and_kill(&random, 0);
		cache = test_open_with(&home, 0, 0);
		groups = told->durable;
		/* All at the end; before that the latest, and verify counts the others. */
		first = round + 1 == rounds || groups < LATEST ? 0 : groups - LATEST;
		for (uint64_t i = first * GROUP; i < groups * GROUP; i++)
			assert_int_equal(test_check(cache, i, DIMENSIONS), EMBED_OK);
		/* The group in the air is there as a whole or not at all. */
		assert_true(test_records(cache) == groups * GROUP ||
			    test_records(cache) == (groups + 1) * GROUP);
		if (cache_verify(cache, false, &verified, &error) != EMBED_OK)
			fail_msg("%s", error.message);
		assert_int_equal(verified.bad, 0);
		assert_int_equal(verified.good, test_records(cache));
		cache_close(cache);
	}
}

static void killing_a_writer_that_evicts_leaves_a_sound_store(void **state)
{
	struct random random = {(uint64_t)clock_now_us()};
	int rounds = rounds_asked(30) / 2;

	(void)state;
	told->durable = 0;
	/* Filled first, so that every group evicts. */
	for (int round = 0; round < rounds; round++) {
		struct cache *cache = test_open_with(&home, CACHE_CAP_MIN, 0);
		struct cache_verified verified;
		struct embed_error error;

		for (uint64_t i = 0; round == 0 && i < 64; i++)
			test_put_group(cache, 1000000 + i * 64, 64, DIMENSIONS, NULL, NULL);
		if (cache_verify(cache, false, &verified, &error) != EMBED_OK)
			fail_msg("%s", error.message);
		assert_int_equal(verified.bad, 0);
		assert_true(verified.good > 1000);
		cache_close(cache);
		run_and_kill(&random, CACHE_CAP_MIN);
	}
}

/* A killed process's place in the table of readers must not keep pages for ever. */
static void killed_readers_do_not_make_the_file_grow(void **state)
{
	struct cache *cache;
	struct embed_error error;
	int rounds = 5;

	(void)state;
	cache_close(test_open_with(&home, CACHE_CAP_MIN, 0));
	for (int round = 0; round < rounds; round++) {
		pid_t child = fork();

		if (child == 0) {
			struct store_read read;

			cache = child_open(CACHE_CAP_MIN);
			if (store_read_begin(cache, &read) != 0)
				test_child_exit(3);
			told->durable = 1;
			pause();
		}
		while (told->durable == 0)
			sched_yield();
		told->durable = 0;
		kill(child, SIGKILL);
		wait_for(child);
		cache = test_open_with(&home, CACHE_CAP_MIN, 0);
		for (uint64_t i = 0; i < 40; i++)
			if (test_put_group(cache, (uint64_t)round * 10000 + i * 64, 64, 384, NULL,
				&error) != EMBED_OK)
				fail_msg("%s", error.message);
		cache_close(cache);
	}
}

/* While a live reader of an old state stays, a full store says so and evicts nothing in vain. */
static void a_stuck_reader_is_told_and_costs_no_records(void **state)
{
	struct cache *cache;
	struct embed_error error = {EMBED_OK};
	uint64_t records;
	pid_t child;

	(void)state;
	cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	cache_close(cache);
	child = fork();
	if (child == 0) {
		struct store_read read;

		cache = child_open(CACHE_CAP_MIN);
		if (store_read_begin(cache, &read) != 0)
			test_child_exit(3);
		told->durable = 1;
		pause();
	}
	while (told->durable == 0)
		sched_yield();
	cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	for (uint64_t i = 0; error.status == EMBED_OK && i < 1000; i++)
		if (test_put_group(cache, i * 16, 16, 384, NULL, &error) == EMBED_OK)
			error.status = EMBED_OK;
	assert_int_equal(error.status, EMBED_STORE);
	assert_non_null(strstr(error.message, "another process"));
	records = test_records(cache);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(
		    test_put_group(cache, 90000 + i, 1, 1536, NULL, NULL), EMBED_STORE);
	assert_int_equal(test_records(cache), records);
	kill(child, SIGKILL);
	wait_for(child);
	assert_int_equal(test_put_group(cache, 90000, 16, 384, NULL, &error), EMBED_OK);
	cache_close(cache);
}

/* ---- Full disks ---------------------------------------------------------------- */

/* Writes until it fails; returns how many groups went in. */
static uint64_t write_until_full(struct cache *cache, struct embed_error *error)
{
	uint64_t groups = 0;

	while (groups < 10000 &&
	       test_put_group(cache, groups * GROUP, GROUP, 1536, NULL, error) == EMBED_OK)
		groups++;
	return groups;
}

static void assert_full_then_works_again(struct cache *cache, void (*make_space)(void))
{
	struct cache_verified verified;
	struct embed_error error;
	uint64_t groups = write_until_full(cache, &error);

	assert_in_range(groups, 1, 9999);
	assert_int_equal(error.status, EMBED_STORE);
	if (strstr(error.message, "nothing is lost") == NULL)
		fail_msg("%s", error.message);
	for (uint64_t i = 0; i < groups * GROUP; i++)
		assert_int_equal(test_check(cache, i, 1536), EMBED_OK);
	make_space();
	if (test_put_group(cache, groups * GROUP, GROUP, 1536, NULL, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	if (cache_verify(cache, false, &verified, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	assert_int_equal(verified.good, (groups + 1) * GROUP);
}

static char ballast_path[128];

static void remove_ballast(void)
{
	assert_int_equal(unlink(ballast_path), 0);
}

static void fill_ballast(size_t bytes)
{
	char *zeros = calloc(1, bytes);
	int fd;

	snprintf(ballast_path, sizeof(ballast_path), "%s/ballast", home.path);
	fd = open(ballast_path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, zeros, bytes), (ssize_t)bytes);
	close(fd);
	free(zeros);
}

static void a_full_disk_is_told_and_overcome(void **state)
{
	struct cache *cache;

	(void)state;
	if (mount("embed-test", home.path, "tmpfs", 0, "size=4m,mode=700") != 0) {
		print_message(
		    "not allowed to mount a small disk: left to the limit of file size below\n");
		skip();
	}
	fill_ballast(1 << 20);
	cache = test_open(&home);
	assert_full_then_works_again(cache, remove_ballast);
	cache_close(cache);
	assert_int_equal(umount(home.path), 0);
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lift_file_limit(void)
{
	set_file_limit(RLIM_INFINITY);
}

static void a_file_that_may_not_grow_is_told_and_overcome(void **state)
{
	struct cache *cache = test_open(&home);
	struct embed_error error;
	uint64_t groups;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_limit(1 << 20);
	groups = write_until_full(cache, &error);
	assert_in_range(groups, 1, 9999);
	if (strstr(error.message, "ulimit -f") == NULL && strstr(error.message, "full") == NULL)
		fail_msg("%s", error.message);
	lift_file_limit();
	assert_int_equal(
	    test_put_group(cache, groups * GROUP, GROUP, 1536, NULL, &error), EMBED_OK);
	for (uint64_t i = 0; i < (groups + 1) * GROUP; i++)
		assert_int_equal(test_check(cache, i, 1536), EMBED_OK);
	cache_close(cache);
}

static void a_read_only_disk_is_a_clear_error(void **state)
{
	const struct cache_options options = {home.path, 0, 0};
	struct embed_error error;
	struct cache *cache = NULL;

	(void)state;
	if (mount("embed-test", home.path, "tmpfs", 0, "size=4m,mode=700") != 0) {
		print_message("not allowed to mount a read-only disk\n");
		skip();
	}
	cache_close(test_open(&home));
	assert_int_equal(mount("", home.path, "", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(cache_open(&cache, &options, &error), EMBED_STORE);
	assert_non_null(strstr(error.message, "read-only"));
	assert_int_equal(umount(home.path), 0);
}

/* ---- Several processes ----------------------------------------------------------- */

#define CHILDREN 4

static void child_writes_part(uint64_t part)
{
	struct cache *cache = child_open(0);
	struct embed_error error;

	for (uint64_t group = 0; group < 20; group++) {
		uint64_t first = (part * 20 + group) * GROUP;

		if (test_put_group(cache, first, GROUP, DIMENSIONS, NULL, &error) != EMBED_OK)
			child_fail(&error);
		for (uint64_t i = 0; i < GROUP; i++)
			if (test_check(cache, first + i, DIMENSIONS) != EMBED_OK)
				test_child_exit(4);
	}
	cache_close(cache);
	test_child_exit(0);
}

static void several_processes_share_one_home(void **state)
{
	pid_t children[CHILDREN];
	struct cache *cache;

	(void)state;
	/* No one has made the store yet: they meet at making it too. */
	for (uint64_t i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0)
			child_writes_part(i);
	}
	for (int i = 0; i < CHILDREN; i++)
		assert_int_equal(wait_for(children[i]), 0);
	cache = test_open(&home);
	assert_int_equal(test_records(cache), CHILDREN * 20 * GROUP);
	for (uint64_t i = 0; i < CHILDREN * 20 * GROUP; i++)
		assert_int_equal(test_check(cache, i, DIMENSIONS), EMBED_OK);
	cache_close(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_that_was_written_is_lost_by_kill_9),
	    TEST(killing_a_writer_that_evicts_leaves_a_sound_store),
	    TEST(killed_readers_do_not_make_the_file_grow),
	    TEST(a_stuck_reader_is_told_and_costs_no_records),
	    TEST(a_full_disk_is_told_and_overcome),
	    TEST(a_file_that_may_not_grow_is_told_and_overcome),
	    TEST(a_read_only_disk_is_a_clear_error),
	    TEST(several_processes_share_one_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
