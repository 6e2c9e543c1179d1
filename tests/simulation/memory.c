/* SPDX-License-Identifier: MIT */
/* Allocations that fail by chance; the linker sends all calls of the code under test here (--wrap). */
#include <stdlib.h>

#include "world.h"

static struct random chance;
static uint32_t fails_in_1000;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void memory_fail_from_here(uint64_t seed, uint32_t in_1000)
{
	chance.state = seed;
	fails_in_1000 = in_1000;
}

uint32_t memory_work_again(void)
{
	uint32_t before = fails_in_1000;

	fails_in_1000 = 0;
	return before;
}

void memory_fail_on(uint32_t in_1000)
{
	fails_in_1000 = in_1000;
}

static bool fails(void)
{
	return fails_in_1000 > 0 && random_below(&chance, 1000) < fails_in_1000;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}
