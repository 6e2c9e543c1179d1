/* SPDX-License-Identifier: MIT */
#include "app/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

bool streams_hold(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int refusing = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		/* the lowest free number is the one that is closed */
		if (is_closed(fd) && open("/dev/null", refusing) != fd)
			return false;
	}
	return true;
}
