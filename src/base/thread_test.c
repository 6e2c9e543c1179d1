/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>

#include "base/test.h"

static void *take_mask(void *mask)
{
	pthread_sigmask(SIG_SETMASK, NULL, mask);
	return mask;
}

static void a_thread_takes_no_signals_and_its_starter_does_as_before(void **state)
{
	sigset_t before, after, within;
	pthread_t thread;

	(void)state;
	sigemptyset(&within);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(thread_start(&thread, take_mask, &within), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int number = 1; number < 32; number++) {
		assert_int_equal(sigismember(&after, number), sigismember(&before, number));
		if (number != SIGKILL && number != SIGSTOP)
			assert_int_equal(sigismember(&within, number), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_thread_takes_no_signals_and_its_starter_does_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
