/* SPDX-License-Identifier: MIT */
#include "tokens/memo.h"

#include <stdlib.h>

_Static_assert(sizeof(struct memo_line) == 64, "a memo line is a cache line");

_Bool memo_init(struct memo *memo)
{
	memo->memory = calloc(MEMO_LINES + 1, sizeof(struct memo_line));
	if (memo->memory == NULL)
		return 0;
	memo->lines = (struct memo_line *)(((uintptr_t)memo->memory + 63) & ~(uintptr_t)63);
	return 1;
}

void memo_fini(struct memo *memo)
{
	free(memo->memory);
	memo->memory = NULL;
}
