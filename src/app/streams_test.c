/* SPDX-License-Identifier: MIT */
#include "app/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

/* In a child of its own, whose exit status says what it saw: 0 is as it should be. */
static int in_child(int (*look)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(look());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int close_all(void)
{
	char byte = 'x';

	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	if (!streams_hold())
		return 1;
	if (read(STDIN_FILENO, &byte, 1) != -1 || errno != EBADF)
		return 2;
	if (write(STDOUT_FILENO, &byte, 1) != -1 || errno != EBADF)
		return 3;
	if (write(STDERR_FILENO, &byte, 1) != -1 || errno != EBADF)
		return 4;
	return open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 5;
}

static int close_stdout(void)
{
	close(STDOUT_FILENO);
	if (!streams_hold())
		return 1;
	return open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 2;
}

static int leave_open(void)
{
	int ends[2];
	char byte = 'x';

	if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		return 1;
	if (!streams_hold())
		return 2;
	return write(STDOUT_FILENO, &byte, 1) == 1 && read(STDIN_FILENO, &byte, 1) == 1 ? 0 : 3;
}

static void closed_streams_refuse_and_no_file_gets_their_number(void **state)
{
	(void)state;
	assert_int_equal(in_child(close_all), 0);
	assert_int_equal(in_child(close_stdout), 0);
}

static void open_streams_stay_what_they_are(void **state)
{
	(void)state;
	assert_int_equal(in_child(leave_open), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closed_streams_refuse_and_no_file_gets_their_number),
	    cmocka_unit_test(open_streams_stay_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
