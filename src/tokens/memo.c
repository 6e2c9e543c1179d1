/* SPDX-License-Identifier: MIT */
#include "tokens/memo.h"

#include <stdlib.h>

#define LINE_BYTES 64

_Bool memo_init(struct memo *memo)
{
	memo->memory = calloc(1, MEMO_ENTRIES * sizeof(struct memo_entry) + LINE_BYTES);
	if (memo->memory == NULL)
		return 0;
	memo->entries = (struct memo_entry *)(((uintptr_t)memo->memory + LINE_BYTES - 1) &
					      ~(uintptr_t)(LINE_BYTES - 1));
	return 1;
}

void memo_fini(struct memo *memo)
{
	free(memo->memory);
	memo->memory = NULL;
}
