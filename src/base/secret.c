/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void secret_free(void *block)
{
	size_t len = block ? malloc_usable_size(block) : 0;

	if (len > 0)
		explicit_bzero(block, len < SECRET_MAX_BYTES ? len : SECRET_MAX_BYTES);
	free(block);
}

void *secret_realloc(void *block, size_t size)
{
	size_t len = block ? malloc_usable_size(block) : 0;
	void *moved = malloc(size > 0 ? size : 1);

	if (!moved || !block)
		return moved;
	memcpy(moved, block, len < size ? len : size);
	secret_free(block);
	return moved;
}

void secret_forget(const char *text)
{
	if (text)
		explicit_bzero((char *)text, strlen(text));
}
