/* SPDX-License-Identifier: MIT */
/* Strategy semantic: any bytes, any vectors keep the promises of chunk.h; see chunk_promises.h. */
#include <math.h>

#include "base/random.h"
#include "chunk_promises.h"

#define DIMENSIONS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Vectors that follow from the text's length; some are missing, some are no numbers. */
static void fill(float *numbers, const float **vectors, size_t count, size_t seed)
{
	struct random random = {seed};

	for (size_t i = 0; i < count; i++) {
		for (size_t d = 0; d < DIMENSIONS; d++)
			numbers[i * DIMENSIONS + d] = (float)(random_unit(&random) - 0.5);
		if (random_below(&random, 20) == 0)
			numbers[i * DIMENSIONS] = random_below(&random, 2) ? NAN : INFINITY;
		vectors[i] = random_below(&random, 10) ? numbers + i * DIMENSIONS : NULL;
	}
}

static enum embed_status cut(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error)
{
	embed_chunks *sentences;
	const float **vectors;
	enum embed_status status;
	float *numbers;
	size_t count;

	if (chunk_semantic_sentences(bytes, len, options, &sentences, error) != EMBED_OK)
		abort();
	count = chunk_count(sentences);
	numbers = calloc(count * DIMENSIONS + 1, sizeof(*numbers));
	vectors = calloc(count + 1, sizeof(*vectors));
	if (numbers == NULL || vectors == NULL)
		abort();
	fill(numbers, vectors, count, len);
	status = chunk_semantic(bytes, len, sentences, vectors, DIMENSIONS, options, out, error);
	free(numbers);
	free(vectors);
	chunk_destroy(sentences);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return check_cut(EMBED_CHUNK_SEMANTIC, cut, data, size);
}
