/* SPDX-License-Identifier: MIT */
/* Microseconds of CPU that printf("%.9g") takes for a vector of 1,536 numbers: the median of rounds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DIMENSIONS 1536
#define VECTORS    100
#define ROUNDS     9

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static char text[DIMENSIONS * 24];
	double rounds[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double started_us = cpu_us();

		for (int vector = 0; vector < VECTORS; vector++) {
			char *at = text;

			for (int i = 0; i < DIMENSIONS; i++)
				at += sprintf(at, "%.9g,", (double)sinf((float)(i + vector)) / 40);
		}
		rounds[round] = (cpu_us() - started_us) / VECTORS;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_size);
	printf("%.1f\n", rounds[ROUNDS / 2]);
	return 0;
}
