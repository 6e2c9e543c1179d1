/* SPDX-License-Identifier: MIT */
/* A file of these bytes, for targets that read a path: in memory, private, gone when it is closed. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct memory_file {
	int fd;
	char path[32];
};

static inline void memory_file_open(struct memory_file *file, const uint8_t *bytes, size_t len)
{
	file->fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (file->fd < 0 || fchmod(file->fd, 0600) < 0 ||
	    write(file->fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

static inline void memory_file_close(struct memory_file *file)
{
	close(file->fd);
}

#endif
