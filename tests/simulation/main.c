/* SPDX-License-Identifier: MIT */
/*
 * simulation [--seeds COUNT] [--from SEED] [--seconds MOST]
 *                                 runs seeds; stops at the first failure
 * simulation SEED                 runs one, and prints what happens
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

/* Large, so not on the stack. */
static struct world world;

static int report(void)
{
	printf("seed %" PRIu64 " FAILED: %s: %s\nreplay it: simulation %" PRIu64 "\n", world.seed,
	    world.failure, world.detail, world.seed);
	return 1;
}

static int run_one(uint64_t seed)
{
	world.has_trace = true;
	world_make(&world, seed);
	if (!world_run(&world))
		return report();
	printf("seed %" PRIu64 " is good: %zu jobs, %" PRIu64 " attempts, %" PRIu64 " retries\n",
	    seed, world.job_count, world.attempts, world.retries);
	return 0;
}

static int run_many(uint64_t from, uint64_t count, uint64_t most_s)
{
	time_t started = time(NULL);
	uint64_t attempts = 0, retries = 0, seed;

	for (seed = from; seed < from + count; seed++) {
		world_make(&world, seed);
		if (!world_run(&world))
			return report();
		attempts += world.attempts;
		retries += world.retries;
		if ((uint64_t)(time(NULL) - started) >= most_s)
			break;
	}
	printf("%" PRIu64 " seeds are good, %" PRIu64 " attempts, %" PRIu64 " retries\n",
	    seed - from, attempts, retries);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t from = 1, count = 2000, most_s = 10;

	if (argc == 2 && argv[1][0] != '-')
		return run_one(strtoull(argv[1], NULL, 10));
	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t value = strtoull(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--seeds") == 0)
			count = value;
		else if (strcmp(argv[i], "--from") == 0)
			from = value;
		else if (strcmp(argv[i], "--seconds") == 0)
			most_s = value;
	}
	return run_many(from, count, most_s);
}
