/* SPDX-License-Identifier: MIT */
/*
 * usage: bench_idle PORT PID [COUNT]
 * What idle connections cost: opens COUNT (10,000) to 127.0.0.1:PORT from
 * several loopback addresses, sends one request on each so that every part of
 * the server has worked for it, and prints the memory of process PID before,
 * with and after.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ports of one source address are few: 28,000 with the usual settings. */
#define CONNECTIONS_PER_ADDRESS 4000

static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

/* Kilobytes of a row of /proc/PID/status. */
static long memory_kb(int pid, const char *row)
{
	char path[64], line[256];
	long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, row, strlen(row)) == 0)
			kb = strtol(line + strlen(row), NULL, 10);
	fclose(file);
	return kb;
}

static long print_memory(const char *when, int pid)
{
	long anonymous = memory_kb(pid, "RssAnon:");

	printf("%-24s %7ld KB resident, %7ld KB of it anonymous\n", when, memory_kb(pid, "VmRSS:"),
	    anonymous);
	return anonymous;
}

static int open_one(int port, unsigned index)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index / CONNECTIONS_PER_ADDRESS);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	perror("connect");
	exit(1);
}

/* True when an answer came. */
static bool ask(int fd)
{
	char answer[4096];

	return write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1 &&
	       read(fd, answer, sizeof(answer)) > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void allow_descriptors(unsigned count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < count + 16) {
		fprintf(stderr, "only %lu descriptors are allowed: raise ulimit -n\n",
		    (unsigned long)limit.rlim_cur);
		exit(77);
	}
}

int main(int argc, char **argv)
{
	unsigned count = argc > 3 ? (unsigned)atoi(argv[3]) : 10000;
	int port = argc > 2 ? atoi(argv[1]) : 0, pid = argc > 2 ? atoi(argv[2]) : 0;
	int *fds = calloc(count, sizeof(*fds));
	long before, with;

	if (pid == 0 || fds == NULL)
		return 2;
	allow_descriptors(count);
	before = print_memory("before", pid);
	for (unsigned i = 0; i < count; i++) {
		fds[i] = open_one(port, i);
		if (!ask(fds[i])) {
			fprintf(stderr, "connection %u got no answer\n", i);
			return 1;
		}
	}
	with = print_memory("with all of them idle", pid);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	usleep(500000); /* the server sees the ends */
	print_memory("after", pid);
	printf("%u idle connections: %.1f MB in all, %.0f bytes for each\n", count,
	    (double)with / 1024, (double)(with - before) * 1024 / count);
	free(fds);
	return 0;
}
