/* SPDX-License-Identifier: MIT */
/*
 * Test folder: a fresh folder for a test's files, and its removal.
 *
 * It lies in $TMPDIR, or in memory (/dev/shm) where there is room, because
 * tests that make thousands of durable writes would wait for the disk; or in
 * /tmp.  What a crash test shows is the same: kill -9 loses no page cache.
 */
#ifndef BASE_TEST_FOLDER_H
#define BASE_TEST_FOLDER_H

#include "base/test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TEST_FOLDER_BYTES 64

struct test_folder {
	char path[TEST_FOLDER_BYTES];
};

static inline const char *test_folder_parent(void)
{
	const char *asked = getenv("TMPDIR");
	struct statvfs memory;

	if (asked != NULL && strlen(asked) < TEST_FOLDER_BYTES / 2)
		return asked;
	if (access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &memory) == 0 &&
	    (uint64_t)memory.f_bavail * memory.f_frsize > (256u << 20))
		return "/dev/shm";
	return "/tmp";
}

static inline void test_folder_make(struct test_folder *folder)
{
	snprintf(folder->path, sizeof(folder->path), "%s/embed-test-XXXXXX", test_folder_parent());
	assert_non_null(mkdtemp(folder->path));
}

static inline int test_folder_remove(
    const char *path, const struct stat *found, int kind, struct FTW *walk)
{
	(void)found;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void test_folder_drop(struct test_folder *folder)
{
	nftw(folder->path, test_folder_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
