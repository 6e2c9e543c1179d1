/* SPDX-License-Identifier: MIT */
/* Paragraphs: as many whole ones as fit; one that does not fit is cut between sentences. */
#include "chunk/packer.h"

static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t found = packer_cut_paragraph(chunker, floor, reach);

	return found != 0 ? found : packer_cut_sentence(chunker, floor, reach);
}

const struct strategy strategy_paragraphs = {.cut = cut, .overlap = packer_overlap_word};
