/* SPDX-License-Identifier: MIT */
/*
 * Pseudo vectors: what the stand-in gives instead of a model's.
 *
 * A vector is a sum of pseudo-random directions, one for each feature of the
 * text: its words and their three-letter parts, letters folded to lower case
 * (characters and pairs of characters where a script has no blanks).  Texts
 * that share words therefore lie nearer than texts that do not.  A tenth of
 * its energy comes from a direction of the exact bytes, so that different
 * texts never share a vector.  It is no model: words that mean the same but
 * are written differently have nothing in common.
 *
 * Deterministic from (model, text), on every machine.  Length 1.  A vector
 * with fewer dimensions is the beginning of the full one, scaled to length 1
 * (PROTOCOL 5).
 *
 * Pure; threads: any.
 */
#ifndef EMULATOR_PSEUDO_H
#define EMULATOR_PSEUDO_H

#include <stddef.h>
#include <stdint.h>

#define PSEUDO_DIMENSIONS_MAX 4096

struct pseudo_shape {
	const char *model;
	uint32_t full;       /* the model's own dimensions, at most PSEUDO_DIMENSIONS_MAX */
	uint32_t dimensions; /* wanted: 1..full */
};

/* Writes `shape->dimensions` numbers. */
void pseudo_vector(const struct pseudo_shape *shape, const char *bytes, size_t len, float *vector);

/*
 * Disturbs a vector a little, as the real models do when asked twice
 * (PROTOCOL 11): 1 - cosine about 1e-6.  Another seed, another disturbance.
 */
void pseudo_noise(float *vector, uint32_t dimensions, uint64_t seed);

/* Rounds each number to the nearest 16-bit float (ties to even), as the newer layout does. */
void pseudo_round_to_half(float *vector, uint32_t dimensions);

#endif
