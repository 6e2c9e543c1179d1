/* SPDX-License-Identifier: MIT */
/* Several processes that open one ledger at the same instant. */
#include "base/test_child.h"
#include "ledger/testing.h"

#include <sys/wait.h>

#define CHILDREN 6
#define ROUNDS   10

/* In a child: no cmocka, whose failures belong to the parent. */
static _Noreturn void open_and_add(int go)
{
	const struct ledger_attempt attempt = good_attempt(NOW_S);
	struct ledger *ledger = NULL;
	struct embed_error error;
	char c;

	/* The pipe's end is the sign: all children see it at once. */
	while (read(go, &c, 1) > 0)
		;
	if (ledger_open(&ledger, home, &error) != EMBED_OK ||
	    ledger_add(ledger, &attempt, 1, NULL, 0, &error) != EMBED_OK) {
		fprintf(stderr, "child: %s\n", error.message);
		test_child_exit(1);
	}
	ledger_close(ledger);
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
			open_and_add(go[0]);
		}
	}
	close(go[1]);
	close(go[0]);
	for (int i = 0; i < CHILDREN; i++) {
		assert_int_equal(waitpid(children[i], &how, 0), children[i]);
		assert_int_equal(how, 0);
	}
}

static void processes_that_make_one_ledger_together_all_get_it(void **state)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct ledger *ledger;

		start_and_wait();
		ledger = open_ledger();
		assert_string_equal(
		    usage_by(ledger, 0), "0 - - - -: 6/0 60 600 12000 | 0 0 0 0 0\n");
		ledger_close(ledger);
		tear_down(state);
		set_up(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(processes_that_make_one_ledger_together_all_get_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
