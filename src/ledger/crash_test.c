/* SPDX-License-Identifier: MIT */
/*
 * Crashes, full disks, other processes.  EMBED_TEST_KILL_ROUNDS sets how often
 * a writer is killed (15 by default).
 */
#include "base/test_child.h"
#include "ledger/testing.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/random.h"

/* Wide rows, so that the limit is met soon. */
static enum embed_status add_wide(struct ledger *ledger, struct embed_error *error)
{
	struct ledger_attempt attempts[64];

	for (int i = 0; i < 64; i++) {
		attempts[i] = good_attempt(NOW_S);
		attempts[i].request_id =
		    "a request id that takes some room in the file, again and again";
	}
	return ledger_add(ledger, attempts, 64, NULL, 0, error);
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The kernel refuses to let files grow: what a full disk does, without one. */
static void a_full_disk_is_told_and_nothing_is_lost_or_counted_twice(void **state)
{
	struct ledger *ledger = open_ledger();
	struct embed_error error;
	uint64_t groups = 0;
	char expected[128];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_limit(256 << 10);
	while (add_wide(ledger, &error) == EMBED_OK && groups < 1000)
		groups++;
	assert_in_range(groups, 1, 999);
	assert_int_equal(error.status, EMBED_LEDGER);
	assert_non_null(strstr(error.message, "full"));
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(add_wide(ledger, &error), EMBED_OK);
	groups++;
	ledger_close(ledger);
	ledger = open_ledger();
	snprintf(expected, sizeof(expected), "0 - - - -: %llu/0 %llu %llu %llu | 0 0 0 0 0\n",
	    (unsigned long long)groups * 64, (unsigned long long)groups * 640,
	    (unsigned long long)groups * 6400, (unsigned long long)groups * 128000);
	assert_string_equal(usage_by(ledger, 0), expected);
	ledger_close(ledger);
}

/* A child adds one attempt of one token after the other and counts in shared memory. */
static void child_adds_for_ever(volatile uint64_t *added)
{
	struct ledger_attempt attempt = good_attempt(NOW_S);
	struct ledger *ledger = NULL;

	if (ledger_open(&ledger, home, NULL) != EMBED_OK)
		test_child_exit(1);
	attempt.tokens = 1;
	while (ledger_add(ledger, &attempt, 1, NULL, 0, NULL) == EMBED_OK)
		(*added)++;
	test_child_exit(1);
}

static void wait_until(volatile const uint64_t *added, uint64_t wanted, int64_t give_up_us)
{
	while (*added < wanted && clock_now_us() < give_up_us)
		usleep(200);
}

static uint64_t tokens_billed(struct ledger *ledger)
{
	unsigned long long attempts, failed, texts, tokens;

	assert_int_equal(sscanf(usage_by(ledger, 0), "0 - - - -: %llu/%llu %llu %llu", &attempts,
			     &failed, &texts, &tokens),
	    4);
	return tokens;
}

static int rounds_asked(int usual)
{
	const char *asked = getenv("EMBED_TEST_KILL_ROUNDS");

	return asked == NULL ? usual : atoi(asked);
}

static void nothing_that_was_added_is_lost_by_kill_9(void **state)
{
	volatile uint64_t *added =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct random random = {(uint64_t)clock_now_us()};
	int rounds = rounds_asked(15);
	struct ledger *ledger;

	(void)state;
	ledger_close(open_ledger());
	for (int round = 0; round < rounds; round++) {
		pid_t child = fork();
		uint64_t wanted = *added + random_below(&random, 8);
		uint64_t tokens;
		int how;

		if (child == 0)
			child_adds_for_ever(added);
		wait_until(added, wanted, clock_now_us() + 5000000);
		usleep((useconds_t)random_below(&random, 3000));
		kill(child, SIGKILL);
		waitpid(child, &how, 0);
		assert_true(WIFSIGNALED(how));
		ledger = open_ledger();
		tokens = tokens_billed(ledger);
		ledger_close(ledger);
		/* The one in the air may have arrived without being counted. */
		assert_in_range(tokens, *added, *added + 1);
		*added = tokens;
	}
	munmap((void *)(uintptr_t)added, 4096);
}

#define CHILDREN     4
#define CHILD_GROUPS 10

static void several_processes_add_at_once(void **state)
{
	pid_t children[CHILDREN];
	struct ledger *ledger;
	int how;

	(void)state;
	/* No one has made the file yet: they meet at creating it too. */
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct ledger *own = NULL;
			int failed = ledger_open(&own, home, NULL) != EMBED_OK;

			for (int group = 0; !failed && group < CHILD_GROUPS; group++)
				failed = add_wide(own, NULL) != EMBED_OK;
			test_child_exit(failed);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		waitpid(children[i], &how, 0);
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
	ledger = open_ledger();
	assert_int_equal(tokens_billed(ledger), CHILDREN * CHILD_GROUPS * 6400);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_full_disk_is_told_and_nothing_is_lost_or_counted_twice),
	    TEST(nothing_that_was_added_is_lost_by_kill_9),
	    TEST(several_processes_add_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
