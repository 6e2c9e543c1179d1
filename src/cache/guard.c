/* SPDX-License-Identifier: MIT */
#include "cache/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define UNCLEAN_MAX 9u

static bool lock(int fd, int how)
{
	int rc;

	do
		rc = flock(fd, how);
	while (rc != 0 && errno == EINTR);
	return rc == 0;
}

/* A new file, or one that is not ours: as after an unclean end. */
static unsigned read_unclean(int fd)
{
	char digit;

	if (pread(fd, &digit, 1, 0) != 1 || digit < '0' || digit > '9')
		return 1;
	return (unsigned)(digit - '0');
}

/* In place, so that a disk which has become full does not matter. */
static void write_unclean(int fd, unsigned unclean)
{
	char digit = (char)('0' + (unclean < UNCLEAN_MAX ? unclean : UNCLEAN_MAX));

	if (pwrite(fd, &digit, 1, 0) != 1)
		return; /* the old digit stays: at worst a check too many or too few */
}

void guard_enter(struct guard *guard, const char *path)
{
	*guard = (struct guard){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
	if (guard->fd < 0)
		return;
	guard->is_alone = lock(guard->fd, LOCK_EX | LOCK_NB);
	if (guard->is_alone)
		guard->unclean = read_unclean(guard->fd);
	else if (!lock(guard->fd, LOCK_SH)) {
		close(guard->fd);
		guard->fd = -1;
	}
}

void guard_share(struct guard *guard)
{
	if (!guard->is_alone)
		return;
	write_unclean(guard->fd, guard->unclean + 1);
	guard->is_alone = false;
	lock(guard->fd, LOCK_SH);
}

void guard_leave(struct guard *guard, bool is_in_order)
{
	if (guard->fd < 0)
		return;
	/* The last one out; what others met before, nobody knows here. */
	if (is_in_order && lock(guard->fd, LOCK_EX | LOCK_NB))
		write_unclean(guard->fd, 0);
	close(guard->fd);
	guard->fd = -1;
}
