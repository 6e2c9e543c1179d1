/* SPDX-License-Identifier: MIT */
/*
 * Recursive: the largest unit that ends within reach decides: paragraph, line,
 * sentence, then (by the packer) word, grapheme, character.  So a paragraph is
 * cut only when it does not fit by itself, a line only when it does not, and so on.
 */
#include "chunk/packer.h"

static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t found = packer_cut_paragraph(chunker, floor, reach);

	if (found == 0)
		found = packer_cut_line(chunker, floor, reach);
	return found != 0 ? found : packer_cut_sentence(chunker, floor, reach);
}

const struct strategy strategy_recursive = {.cut = cut, .overlap = packer_overlap_word};
