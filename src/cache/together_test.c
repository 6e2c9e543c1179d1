/* SPDX-License-Identifier: MIT */
/* Several processes that open one store at the same instant. */
#include "base/test_child.h"
#include "cache/testing.h"

#include <sys/wait.h>

#define CHILDREN 6
#define ROUNDS   10

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
static _Noreturn void open_and_put(int go, uint64_t number)
{
	const struct cache_options options = {home.path, CACHE_CAP_MIN, 0};
	struct cache *cache = NULL;
	struct embed_error error;
	char c;

	/* The pipe's end is the sign: all children see it at once. */
	while (read(go, &c, 1) > 0)
		;
	if (cache_open(&cache, &options, &error) != EMBED_OK ||
	    test_put_group(cache, number, 1, 64, NULL, &error) != EMBED_OK) {
		fprintf(stderr, "child: %s\n", error.message);
		test_child_exit(1);
	}
	cache_close(cache);
	test_child_exit(0);
}

static void start_and_wait(void)
{
	pid_t children[CHILDREN];
	int go[2], how;

	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(go[1]);
			open_and_put(go[0], (uint64_t)i);
		}
	}
	close(go[1]);
	close(go[0]);
	for (int i = 0; i < CHILDREN; i++) {
		assert_int_equal(waitpid(children[i], &how, 0), children[i]);
		assert_int_equal(how, 0);
	}
}

static void processes_that_make_one_store_together_all_get_it(void **state)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct cache *cache;

		start_and_wait();
		cache = test_open_with(&home, CACHE_CAP_MIN, 0);
		assert_string_equal(cache_set_aside(cache), "");
		for (uint64_t i = 0; i < CHILDREN; i++)
			assert_int_equal(test_check(cache, i, 64), EMBED_OK);
		cache_close(cache);
		tear_down(state);
		set_up(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(processes_that_make_one_store_together_all_get_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
