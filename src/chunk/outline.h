/* SPDX-License-Identifier: MIT */
/*
 * Outline: the heading path ("Guide > Setup") that a chunk is under, as
 * headings pass by.  Titles are cut at OUTLINE_TITLE_BYTES.
 */
#ifndef CHUNK_OUTLINE_H
#define CHUNK_OUTLINE_H

#include "chunk/packer.h"

#define OUTLINE_TITLE_BYTES 200

struct outline {
	char titles[6][OUTLINE_TITLE_BYTES + 1]; /* of each level; "" for none */
};

/* A heading of `level` (1 to 6) begins at `offset`: deeper ones end, and the chunker gets the new path. */
void outline_enter(struct outline *outline, struct chunker *chunker, size_t offset, unsigned level,
    const char *title, size_t len);

#endif
