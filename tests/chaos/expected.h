/* SPDX-License-Identifier: MIT */
/* Expected: what the stand-in must have answered for a text, so that any other vector is a wrong one. */
#ifndef CHAOS_EXPECTED_H
#define CHAOS_EXPECTED_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "emulator/pseudo.h"

#define EXPECTED_MODEL "text-embedding-3-small"

static inline bool is_expected(const char *text, const float *vector, uint32_t dimensions)
{
	const struct pseudo_shape shape = {EXPECTED_MODEL, 1536, dimensions};
	float right[1536];

	pseudo_vector(&shape, text, strlen(text), right);
	pseudo_round_to_half(right, dimensions);
	return memcmp(right, vector, dimensions * sizeof(*right)) == 0;
}

/* A cut of a stored vector is scaled after it was rounded: not to the bit, but no other text's is as near. */
static inline bool is_near_expected(const char *text, const float *vector, uint32_t dimensions)
{
	const struct pseudo_shape shape = {EXPECTED_MODEL, 1536, dimensions};
	float right[1536];
	double distance = 0;

	pseudo_vector(&shape, text, strlen(text), right);
	for (uint32_t i = 0; i < dimensions; i++)
		distance += pow((double)right[i] - (double)vector[i], 2);
	return distance < 1e-6;
}

#endif
