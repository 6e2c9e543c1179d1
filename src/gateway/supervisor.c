/* SPDX-License-Identifier: MIT */
#include "gateway/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3

/* A variable that counts only if its companion names this process. */
static long number_for_us(const char *name, const char *pid_name)
{
	const char *pid = getenv(pid_name);
	const char *value = getenv(name);

	if (!value || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtol(value, NULL, 10);
}

static long listen_fd_count(void)
{
	return getenv("LISTEN_PID") ? number_for_us("LISTEN_FDS", "LISTEN_PID") : 0;
}

bool supervisor_has_fds(void)
{
	return listen_fd_count() > 0;
}

size_t supervisor_listen_fds(int *fds, size_t cap)
{
	long count = listen_fd_count();
	size_t taken = 0;

	for (; taken < cap && (long)taken < count; taken++)
		fds[taken] = FIRST_FD + (int)taken;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	return taken;
}

void supervisor_notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* an abstract name */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

int64_t supervisor_watchdog_us(void)
{
	long us = number_for_us("WATCHDOG_USEC", "WATCHDOG_PID");

	return us > 0 ? us / 2 : 0;
}
