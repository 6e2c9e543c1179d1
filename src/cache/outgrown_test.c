/* SPDX-License-Identifier: MIT */
/* A store that another process, with a larger cap, has made larger than our map of it. */
#include "base/test_child.h"
#include "cache/testing.h"

#include <sys/wait.h>

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

/* In a child: no cmocka, whose failures belong to the parent. */
static _Noreturn void outgrow(int go)
{
	const struct cache_options options = {home.path, 64u << 20, 0};
	struct cache *cache = NULL;
	char c;

	if (read(go, &c, 1) != 1 || cache_open(&cache, &options, NULL) != EMBED_OK)
		test_child_exit(2);
	for (uint64_t i = 0; i < 64; i++)
		if (test_put_group(cache, i * 64, 64, 1536, NULL, NULL) != EMBED_OK)
			test_child_exit(3);
	cache_close(cache);
	test_child_exit(0);
}

static struct cache *open_outgrown(void)
{
	struct cache *cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	int go[2], how;
	pid_t child;

	test_put(cache, 1, 64);
	cache_close(cache);
	/* LMDB must not be carried over a fork, so the child comes first and waits for the go. */
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0)
		outgrow(go[0]);
	cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	assert_int_equal(test_check(cache, 1, 64), EMBED_OK);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_int_equal(how, 0);
	close(go[0]);
	close(go[1]);
	return cache;
}

static void a_process_with_a_larger_cap_does_not_shut_out_the_others(void **state)
{
	struct cache *cache = open_outgrown();

	(void)state;
	for (uint64_t i = 0; i < 64 * 64; i += 16)
		assert_int_equal(test_check(cache, i, 1536), EMBED_OK);
	test_put(cache, 5000, 64);
	assert_int_equal(test_check(cache, 5000, 64), EMBED_OK);
	cache_close(cache);
}

/* A pipe cannot be mapped: stands for "no address space". */
static void make_mapping_fail(struct cache *cache)
{
	int pipe_fds[2], fd;

	assert_int_equal(mdb_env_get_fd(cache->env, &fd), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(dup2(pipe_fds[0], fd), fd);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void a_larger_map_that_cannot_be_had_is_told_until_the_store_is_opened_again(void **state)
{
	struct cache *cache = open_outgrown();
	struct cache_level level;
	struct embed_error error;

	(void)state;
	make_mapping_fail(cache);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(test_check(cache, 1, 64), EMBED_STORE);
		assert_int_equal(test_put_group(cache, 5000, 1, 64, NULL, &error), EMBED_STORE);
		assert_non_null(strstr(error.message, "restart"));
		assert_int_equal(cache_level(cache, &level), EMBED_STORE);
		cache_maintain(cache);
	}
	cache_close(cache);
	cache = test_open_with(&home, CACHE_CAP_MIN, 0);
	assert_int_equal(test_check(cache, 16, 1536), EMBED_OK);
	cache_close(cache);
}

/* The one that writes meets it first. */
static void a_writer_without_a_larger_map_is_told_too(void **state)
{
	struct cache *cache = open_outgrown();

	(void)state;
	make_mapping_fail(cache);
	assert_int_equal(test_put_group(cache, 5000, 1, 64, NULL, NULL), EMBED_STORE);
	assert_int_equal(test_check(cache, 1, 64), EMBED_STORE);
	cache_close(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_process_with_a_larger_cap_does_not_shut_out_the_others),
	    TEST(a_larger_map_that_cannot_be_had_is_told_until_the_store_is_opened_again),
	    TEST(a_writer_without_a_larger_map_is_told_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
