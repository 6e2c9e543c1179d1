/* SPDX-License-Identifier: MIT */
#include "service/result.h"

#include <stdlib.h>
#include <string.h>

#define RESULT_BLOCK_BYTES                                                                         \
	((size_t)96 * 1024) /* 16 vectors of 1,536; below malloc's mmap threshold */
#define RESULT_ALIGN 64

struct result_block {
	struct result_block *next;
	size_t len, cap; /* bytes of `bytes` */
	_Alignas(RESULT_ALIGN) char bytes[];
};

struct embed_result *result_create(size_t count)
{
	struct embed_result *result;

	if (count > SIZE_MAX / sizeof(*result->answers) / 2)
		return NULL;
	result = calloc(1, sizeof(*result));
	if (result == NULL)
		return NULL;
	result->answers = calloc(count == 0 ? 1 : count, sizeof(*result->answers));
	if (result->answers == NULL) {
		free(result);
		return NULL;
	}
	result->count = count;
	result->totals.texts = count;
	return result;
}

void embed_result_destroy(embed_result *result)
{
	struct result_block *next;

	if (result == NULL)
		return;
	for (struct result_block *block = result->blocks; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(result->answers);
	free(result);
}

static size_t aligned_size(size_t size)
{
	return (size + RESULT_ALIGN - 1) / RESULT_ALIGN * RESULT_ALIGN;
}

static struct result_block *add_block(struct embed_result *result, size_t size)
{
	/* A small job gets what it needs, the next blocks are worth sharing. */
	size_t cap =
	    result->blocks == NULL || size > RESULT_BLOCK_BYTES ? size : RESULT_BLOCK_BYTES;
	struct result_block *block;

	block = aligned_alloc(RESULT_ALIGN, aligned_size(sizeof(*block) + cap));
	if (block == NULL)
		return NULL;
	block->len = 0;
	block->cap = cap;
	block->next = result->blocks;
	result->blocks = block;
	return block;
}

static void *carve(struct embed_result *result, size_t size)
{
	struct result_block *block = result->blocks;

	size = aligned_size(size);
	if (block == NULL || size > block->cap - block->len)
		block = add_block(result, size);
	if (block == NULL)
		return NULL;
	block->len += size;
	return block->bytes + block->len - size;
}

float *result_vector(struct embed_result *result, uint32_t dimensions)
{
	return carve(result, dimensions * sizeof(float));
}

void result_vector_undo(struct embed_result *result, uint32_t dimensions)
{
	result->blocks->len -= aligned_size(dimensions * sizeof(float));
}

void result_fail(struct embed_result *result, size_t index, const struct embed_error *error)
{
	struct embed_error *kept = carve(result, sizeof(*kept));
	struct embed_answer *answer = &result->answers[index];

	answer->status = error->status;
	answer->source = EMBED_FROM_NOWHERE;
	answer->vector = NULL;
	result->totals.failed++;
	if (kept == NULL)
		return;
	*kept = *error;
	kept->index = index;
	answer->error = kept;
}

size_t embed_result_count(const embed_result *result)
{
	return result->count;
}

const struct embed_answer *embed_result_answer(const embed_result *result, size_t index)
{
	return index < result->count ? &result->answers[index] : NULL;
}

const float *embed_result_vector(const embed_result *result, size_t index, uint32_t *dimensions)
{
	const struct embed_answer *answer = embed_result_answer(result, index);

	if (answer == NULL || answer->status != EMBED_OK)
		return NULL;
	if (dimensions != NULL)
		*dimensions = answer->dimensions;
	return answer->vector;
}

const struct embed_result_totals *embed_result_totals(const embed_result *result)
{
	return &result->totals;
}
