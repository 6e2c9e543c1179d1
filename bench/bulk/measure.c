/* SPDX-License-Identifier: MIT */
/*
 * measure COMMAND [ARGUMENT...]: runs it and prints one JSON line to stderr's
 * sibling, descriptor 3: {"wall_ms":..,"cpu_ms":..,"peak_kib":..,"exit":..}.
 * CPU is user and system time of the command and its children.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double milliseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	double started_ms = now_ms();
	struct rusage used;
	int status;
	pid_t child;

	if (argc < 2) {
		fprintf(stderr, "usage: measure COMMAND [ARGUMENT...] 3>FILE\n");
		return 2;
	}
	child = fork();
	if (child == 0) {
		close(3);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child) {
		perror("measure");
		return 2;
	}
	dprintf(3, "{\"wall_ms\":%.1f,\"cpu_ms\":%.1f,\"peak_kib\":%ld,\"exit\":%d}\n",
	    now_ms() - started_ms, milliseconds(used.ru_utime) + milliseconds(used.ru_stime),
	    used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
