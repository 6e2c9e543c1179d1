/* SPDX-License-Identifier: MIT */
/* Test child: how a forked part of a test ends. */
#ifndef BASE_TEST_CHILD_H
#define BASE_TEST_CHILD_H

#include <sys/syscall.h>
#include <unistd.h>

/* Like _exit, which ThreadSanitizer would let sleep for a second first. */
static inline _Noreturn void test_child_exit(int status)
{
	for (;;)
		syscall(SYS_exit_group, status);
}

#endif
