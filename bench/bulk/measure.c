/* SPDX-License-Identifier: MIT */
/*
 * measure COMMAND [ARGUMENT...]: runs it and prints one JSON line to
 * descriptor 3: {"wall_ms":..,"cpu_ms":..,"peak_kib":..,"anon_kib":..,"exit":..}.
 *
 * CPU is user and system time of the command.  peak_kib is its largest
 * resident set, pages of mapped files included; anon_kib is the largest part
 * of it that is memory of its own, as looked at every few milliseconds.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 20

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

/* RssAnon of the process, or 0. */
static long anonymous_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtol(line + 8, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

/* Returns when the process has ended; gives the most memory of its own that was seen. */
static long watch(pid_t pid)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	long most = 0;

	while (ended.fd >= 0 && poll(&ended, 1, LOOK_MS) == 0) {
		long kib = anonymous_kib(pid);

		most = kib > most ? kib : most;
	}
	close(ended.fd);
	return most;
}

int main(int argc, char **argv)
{
	double started_ms = now_ms();
	struct rusage used;
	long most;
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
	most = child > 0 ? watch(child) : 0;
	if (child < 0 || wait4(child, &status, 0, &used) != child) {
		perror("measure");
		return 2;
	}
	dprintf(3,
	    "{\"wall_ms\":%.1f,\"cpu_ms\":%.1f,\"peak_kib\":%ld,\"anon_kib\":%ld,\"exit\":%d}\n",
	    now_ms() - started_ms, milliseconds(used.ru_utime) + milliseconds(used.ru_stime),
	    used.ru_maxrss, most, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
