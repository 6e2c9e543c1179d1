/* SPDX-License-Identifier: MIT */
#include "gateway/process.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/test.h"

static void it_tells_what_this_process_takes(void **state)
{
	struct process process;

	(void)state;
	process_read(&process);
	assert_in_range(process.resident_bytes, 100000, (uint64_t)1 << 36);
	assert_true(process.virtual_bytes >= process.resident_bytes);
	assert_true(process.threads >= 1);
	assert_in_range(process.open_fds, 3, process.max_fds);
	assert_true(process.start_s > (double)time(NULL) - 3600);
	assert_true(process.start_s <= (double)time(NULL) + 1);
}

static void it_sees_what_changes(void **state)
{
	struct process before, after;
	int fd;

	(void)state;
	process_read(&before);
	fd = dup(0);
	for (volatile uint64_t i = 0; i < 100000000; i++)
		continue;
	process_read(&after);
	close(fd);
	assert_int_equal(after.open_fds, before.open_fds + 1);
	assert_true(after.cpu_s > before.cpu_s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_tells_what_this_process_takes),
	    cmocka_unit_test(it_sees_what_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
