/* SPDX-License-Identifier: MIT */
#include "service/vector.h"

#include <math.h>
#include <string.h>

void vector_normalize(float *vector, size_t dimensions)
{
	double square = 0, scale;

	for (size_t i = 0; i < dimensions; i++)
		square += (double)vector[i] * vector[i];
	if (square == 0)
		return;
	scale = 1 / sqrt(square);
	for (size_t i = 0; i < dimensions; i++)
		vector[i] = (float)(vector[i] * scale);
}

void vector_shorten(float *out, const float *vector, size_t count, size_t dimensions)
{
	memcpy(out, vector, dimensions * sizeof(*out));
	if (dimensions < count)
		vector_normalize(out, dimensions);
}

void vector_add(double *sum, const float *vector, size_t dimensions, double weight)
{
	for (size_t i = 0; i < dimensions; i++)
		sum[i] += weight * vector[i];
}

void vector_from_sum(float *out, const double *sum, size_t dimensions)
{
	double square = 0, scale;

	for (size_t i = 0; i < dimensions; i++)
		square += sum[i] * sum[i];
	scale = square == 0 ? 0 : 1 / sqrt(square);
	for (size_t i = 0; i < dimensions; i++)
		out[i] = (float)(sum[i] * scale);
}
