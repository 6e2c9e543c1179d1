/* SPDX-License-Identifier: MIT */
/*
 * Test memory: makes one allocation of the whole program fail, libraries
 * included, so that a test can try each in turn.  Include it in one file of a
 * test program.  Sanitizers bring allocators of their own: there
 * test_memory_can_fail is false and the test skips itself.
 */
#ifndef BASE_TEST_MEMORY_H
#define BASE_TEST_MEMORY_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/test.h"

#if TEST_IS_SANITIZED || !defined(__GLIBC__)

static const bool test_memory_can_fail = false;

static inline void test_memory_fail_at(long count)
{
	(void)count;
}

static inline bool test_memory_has_failed(void)
{
	return false;
}

#else

static const bool test_memory_can_fail = true;

static atomic_long test_memory_countdown; /* 0: nothing fails */
static atomic_bool test_memory_failed;

/* The `count`th allocation from now on fails; 0: none. */
static inline void test_memory_fail_at(long count)
{
	atomic_store(&test_memory_failed, false);
	atomic_store(&test_memory_countdown, count);
}

/* Whether it has happened. */
static inline bool test_memory_has_failed(void)
{
	return atomic_load(&test_memory_failed);
}

static inline bool test_memory_fails_now(void)
{
	if (atomic_load(&test_memory_countdown) == 0 ||
	    atomic_fetch_sub(&test_memory_countdown, 1) != 1)
		return false;
	atomic_store(&test_memory_failed, true);
	errno = ENOMEM;
	return true;
}

/* Seen by the libraries too, whose calls come here then. */
#define TEST_MEMORY_EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

TEST_MEMORY_EXPORT void *malloc(size_t size)
{
	return test_memory_fails_now() ? NULL : __libc_malloc(size);
}

TEST_MEMORY_EXPORT void *calloc(size_t count, size_t size)
{
	return test_memory_fails_now() ? NULL : __libc_calloc(count, size);
}

TEST_MEMORY_EXPORT void *realloc(void *memory, size_t size)
{
	return test_memory_fails_now() ? NULL : __libc_realloc(memory, size);
}

TEST_MEMORY_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return test_memory_fails_now() ? NULL : __libc_memalign(alignment, size);
}

#endif

#endif
