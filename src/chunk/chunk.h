/* SPDX-License-Identifier: MIT */
/*
 * Chunks: a text cut into slices that fit.
 *
 * What every strategy promises:
 *   - no chunk is above `max`, ever, by a fresh count of its bytes;
 *   - a chunk is the slice [start, end) of the text as given, never empty;
 *   - without overlap the slices follow each other and make up the whole text;
 *   - with overlap a chunk begins at most `overlap` units before the end of the
 *     one before, at the boundary nearest to that, and always ends after it;
 *   - no character is split, and no grapheme cluster that fits by itself;
 *   - `tokens` is what encoding the slice by itself gives;
 *   - time is linear in the text; memory is that of the largest chunk, the list
 *     of chunks, and for strategies that look through the text first (all but
 *     fixed, tokens, paragraphs, recursive) a mark of 8 bytes for each place
 *     where they would cut.
 *
 * How: the text is encoded once (tokens_more_cuts); a strategy only says where it
 * would like to cut and how much (struct chunk_marks); one packer, shared by
 * all, fills chunks up to the limit and cuts at the best mark in reach.
 *
 * Pure; any thread.
 */
#ifndef CHUNK_CHUNK_H
#define CHUNK_CHUNK_H

#include <embed.h>

/* A chunk's limit must have room for any one character: bytes and tokens, since a rare one can take a token a byte. */
#define CHUNK_MIN_BYTES  4
#define CHUNK_MIN_TOKENS 4

/* Whether the options can work; EMBED_BAD_OPTION with a sentence that names the option if not. */
enum embed_status chunk_check_options(
    const struct embed_chunk_options *options, struct embed_error *error);

/* As embed_chunk.  `options` NULL: all defaults.  SEMANTIC is refused: it needs vectors. */
enum embed_status chunk_text(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error);

/* As the functions of the same names in embed.h. */
size_t chunk_count(const embed_chunks *chunks);
const struct embed_chunk *chunk_at(const embed_chunks *chunks, size_t index);
void chunk_destroy(embed_chunks *chunks);

/* ---- Semantic: the pure part ------------------------------------------ */

/*
 * The sentences to embed: slices that make up the whole text, none above the
 * limit.  Then chunk_semantic with one vector for each.
 */
enum embed_status chunk_semantic_sentences(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error);

/*
 * Groups the sentences: cuts where neighbouring groups of vectors differ most,
 * and wherever the limit demands it, then at the largest difference in reach.
 * vectors[i] has `dimensions` floats, or is NULL (then its neighbours count as
 * equal).  The promises above hold.
 */
enum embed_status chunk_semantic(const char *bytes, size_t len, const embed_chunks *sentences,
    const float *const *vectors, size_t dimensions, const struct embed_chunk_options *options,
    embed_chunks **out, struct embed_error *error);

#endif
