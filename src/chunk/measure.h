/* SPDX-License-Identifier: MIT */
/*
 * Measure: how large a slice is, and how far a limit reaches, in the unit of
 * the options.
 *
 * Tokens: the text is encoded once, some way ahead of the questions; between
 * two cuts of the encoding a count is one subtraction, elsewhere only the
 * pieces at the ends are encoded again.  So every count is exact.  Cuts are
 * kept for a window of the text, from measure_forget's offset on, so that
 * memory is that of the largest chunk and not of the text.
 *
 * `start` and `end` are always at characters' starts.  What can fail (memory)
 * is remembered in `status`; results are then of no use.
 *
 * Threads: one owner; tokens need the calling thread's encoder.
 */
#ifndef CHUNK_MEASURE_H
#define CHUNK_MEASURE_H

#include <embed.h>

#include "base/buffer.h"
#include "tokens/tokens.h"

struct measure {
	const char *bytes;
	size_t len;
	enum embed_chunk_unit unit;
	struct tokens_encoder *encoder;           /* NULL: tokens are not counted */
	struct buffer cuts;                       /* struct tokens_cut, of the window */
	size_t ahead;                             /* bytes to encode next, at least */
	size_t near;                              /* index of a cut near the last question */
	size_t last_start, last_end, last_tokens; /* the last count, often asked for again */
	enum embed_status status;
};

/* Tokens are counted when the options ask for them in any way. */
enum embed_status measure_init(struct measure *measure, const char *bytes, size_t len,
    const struct embed_chunk_options *options, struct embed_error *error);
void measure_fini(struct measure *measure);

/* No question will be about what is before `offset`. */
void measure_forget(struct measure *measure, size_t offset);

/* Units in [start, end). */
size_t measure_size(struct measure *measure, size_t start, size_t end);

/* Told from the length alone, so that one piece of megabytes is not looked through for each chunk of it. */
bool measure_is_surely_above(
    const struct measure *measure, size_t start, size_t end, size_t budget);

/* Tokens in [start, end); 0 when they are not counted. */
size_t measure_tokens(struct measure *measure, size_t start, size_t end);

/*
 * An end, as far from `start` as can be told quickly, with at most `budget`
 * units in [start, end); above `start`.  start < len, budget at least
 * CHUNK_MIN_BYTES or CHUNK_MIN_TOKENS.
 */
size_t measure_reach(struct measure *measure, size_t start, size_t budget);

/* The first end after `offset` that measure_reach can give, whatever the start. */
size_t measure_step(struct measure *measure, size_t offset);

/* A start in [floor, end], as far back as can be told quickly, with at most `budget` units in [start, end). */
size_t measure_back(struct measure *measure, size_t floor, size_t end, size_t budget);

/* Where the text's last `budget` units begin, as measure_back tells it, or the text's end when that is surely above `reach`; not below `floor`. */
size_t measure_tail(struct measure *measure, size_t floor, size_t reach, size_t budget);

#endif
