/* SPDX-License-Identifier: MIT */
/* Sentences: as many whole ones as fit. */
#include "chunk/packer.h"

static enum embed_status prepare(struct chunker *chunker)
{
	struct boundary *finder = packer_finder(chunker, BOUNDARY_SENTENCE);
	size_t at = 0;

	while (finder != NULL && at < chunker->len) {
		at = boundary_after(finder, at);
		packer_add_mark(chunker, at, 0);
	}
	return chunker->status;
}

static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	return packer_best_mark(chunker, floor, reach);
}

const struct strategy strategy_sentences = {
    .prepare = prepare, .cut = cut, .overlap = packer_overlap_word};
