/* SPDX-License-Identifier: MIT */
/*
 * Result: the answers of one job, and the memory behind them.
 *
 * Vectors and errors are carved from blocks that live as long as the result,
 * so that 2,048 answers cost a few dozen allocations and not thousands.
 *
 * Threads: one owner at a time (the submitting thread, then the engine's,
 * then the caller's).
 */
#ifndef SERVICE_RESULT_H
#define SERVICE_RESULT_H

#include <embed.h>

struct result_block;

struct embed_result {
	size_t count;
	struct embed_answer *answers;
	struct embed_result_totals totals;
	struct result_block *blocks;
};

/* `count` answers with status EMBED_OK and no vector yet; NULL when memory runs out. */
struct embed_result *result_create(size_t count);

/* Room for `dimensions` floats, aligned for SIMD; NULL when memory runs out. */
float *result_vector(struct embed_result *result, uint32_t dimensions);

/* Gives back the newest result_vector, which nobody points to. */
void result_vector_undo(struct embed_result *result, uint32_t dimensions);

/*
 * Ends text `index` with an error; its index is set to that of the text.
 * When memory runs out the answer still says the status, without detail.
 */
void result_fail(struct embed_result *result, size_t index, const struct embed_error *error);

#endif
