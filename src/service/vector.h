/* SPDX-License-Identifier: MIT */
/*
 * Vector: the little arithmetic that the service does itself.  Sums are in
 * double, so that 3,072 rounding errors stay far below one of a float.
 *
 * Pure; any thread.
 */
#ifndef SERVICE_VECTOR_H
#define SERVICE_VECTOR_H

#include <stddef.h>

/* Divides by the L2 norm; a vector of norm 0 stays (PROTOCOL.md 5). */
void vector_normalize(float *vector, size_t dimensions);

/*
 * The first `dimensions` of `count` numbers, renormalised when that cuts any
 * off: what OpenAI answers when fewer dimensions are asked for (PROTOCOL.md 5).
 */
void vector_shorten(float *out, const float *vector, size_t count, size_t dimensions);

/* sum[i] += weight * vector[i] */
void vector_add(double *sum, const float *vector, size_t dimensions, double weight);

/* The direction of a sum, as a vector of length 1 (a sum of length 0 gives zeros). */
void vector_from_sum(float *out, const double *sum, size_t dimensions);

#endif
