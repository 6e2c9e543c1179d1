/* SPDX-License-Identifier: MIT */
#include "gateway/process.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/test.h"

static uint64_t open_fds(void)
{
	uint64_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void it_tells_what_this_process_takes(void **state)
{
	struct process process;

	(void)state;
	process_read(&process);
	assert_in_range(process.resident_bytes, 100000, (uint64_t)1 << 36);
	assert_true(process.virtual_bytes >= process.resident_bytes);
	assert_true(process.threads >= 1);
	assert_int_equal(process.open_fds, open_fds());
	assert_true(process.open_fds <= process.max_fds);
	assert_true(process.start_s > (double)time(NULL) - 3600);
	assert_true(process.start_s <= (double)time(NULL) + 1);
}

static double cpu_s(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

/* By this process's own clock, since a busy host may count none of a loop's time as ours. */
static void work_for(double seconds)
{
	double until = cpu_s() + seconds;

	while (cpu_s() < until)
		continue;
}

static void it_sees_what_changes(void **state)
{
	struct process before, after;
	int fd;

	(void)state;
	process_read(&before);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	work_for(0.05);
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
