/* SPDX-License-Identifier: MIT */
/*
 * Which eviction policy keeps most of what is asked for again?  Runs traces
 * over a cache of CAPACITY records and prints the share of requests that hit:
 * the store's policy (src/cache/use.c, lowest scores of a random run of keys)
 * beside exact LRU, exact LFU of what is resident, FIFO and random.
 *
 *	eviction [REQUESTS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "cache/use.h"

#define CAPACITY  20000u
#define ITEMS     (10u * CAPACITY)
#define SCAN_BASE (1u << 24)
#define NOWHERE   UINT32_MAX

enum policy { USE, USE_RESTARTED, LRU, LFU, FIFO, RANDOM, POLICIES };
static const char *const policy_names[] = {"ours", "ours, amnesic", "LRU", "LFU", "FIFO", "random"};

enum trace { ZIPF_09, ZIPF_07, ZIPF_SCANS, ZIPF_DRIFT, LOOP, TRACES };
static const char *const trace_names[] = {
    "zipf 0.9", "zipf 0.7", "zipf 0.9, half of it scans", "zipf 0.9, drifting", "loop over 1.5x"};

struct item {
	uint32_t id;
	uint64_t used, made, count;
};

struct simulation {
	enum policy policy;
	struct random random;
	struct use *use;
	struct item items[CAPACITY];
	uint32_t count;
	uint32_t *where; /* of each id in items, or NOWHERE */
	size_t ids;
	uint64_t now, hits;
	unsigned run, evict; /* of a run of so many keys, the lowest so many go */
};

static struct digest key_of(uint32_t id)
{
	struct random random = {(uint64_t)id * 0x9e3779b97f4a7c15u + 1};
	struct digest key;

	for (size_t i = 0; i < sizeof(key.bytes); i += 8) {
		uint64_t part = random_next(&random);

		memcpy(key.bytes + i, &part, 8);
	}
	return key;
}

/* The smallest goes.  Exact policies look at 64 random records, which comes within a hair of all. */
static uint64_t rank(struct simulation *s, const struct item *item)
{
	struct digest key;

	switch (s->policy) {
	case LRU:
		return item->used;
	case LFU:
		return item->count * ((uint64_t)1 << 40) + item->used;
	case FIFO:
		return item->made;
	case USE:
	case USE_RESTARTED:
		key = key_of(item->id);
		return use_score(s->use, &key);
	default:
		return 0;
	}
}

static void drop(struct simulation *s, uint32_t at)
{
	s->where[s->items[at].id] = NOWHERE;
	s->items[at] = s->items[--s->count];
	if (at < s->count)
		s->where[s->items[at].id] = at;
}

static void evict_lowest_of_run(struct simulation *s)
{
	unsigned run = s->policy == USE || s->policy == USE_RESTARTED ? s->run
		       : s->policy == RANDOM                          ? 1
								      : 64;
	unsigned evict = s->policy == USE || s->policy == USE_RESTARTED ? s->evict : 1;
	uint32_t ids[64];
	uint64_t ranks[64];

	for (unsigned i = 0; i < run; i++) {
		uint32_t at = (uint32_t)random_below(&s->random, s->count);

		ids[i] = s->items[at].id;
		ranks[i] = rank(s, &s->items[at]);
	}
	for (unsigned e = 0; e < evict; e++) {
		unsigned lowest = 0;

		for (unsigned i = 1; i < run; i++)
			if (ranks[i] < ranks[lowest])
				lowest = i;
		if (s->where[ids[lowest]] != NOWHERE)
			drop(s, s->where[ids[lowest]]);
		ranks[lowest] = UINT64_MAX;
	}
}

static void request(struct simulation *s, uint32_t id)
{
	struct digest key = key_of(id);
	uint32_t at = s->where[id];

	s->now++;
	if (at != NOWHERE) {
		s->hits++;
		s->items[at].used = s->now;
		s->items[at].count++;
		use_note_hit(s->use, &key);
		return;
	}
	if (s->count == CAPACITY)
		evict_lowest_of_run(s);
	s->where[id] = s->count;
	s->items[s->count++] = (struct item){id, s->now, s->now, 1};
	use_note_put(s->use, &key);
	use_age(s->use, s->count);
}

/* Inverse of the cumulative weights by binary search. */
static uint32_t zipf_draw(const double *cumulative, uint32_t count, double unit)
{
	uint32_t low = 0, high = count - 1;
	double wanted = unit * cumulative[count - 1];

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (cumulative[middle] < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void zipf_fill(double *cumulative, uint32_t count, double exponent)
{
	double sum = 0;

	for (uint32_t i = 0; i < count; i++)
		cumulative[i] = sum += pow(i + 1.0, -exponent);
}

static uint32_t draw(enum trace trace, const double *cumulative, struct random *random, uint64_t i)
{
	uint32_t popular;

	if (trace == LOOP)
		return (uint32_t)(i % (CAPACITY * 3 / 2));
	popular = zipf_draw(cumulative, ITEMS, random_unit(random));
	/* Bulk jobs of two capacities of texts that are never seen again, half of the time. */
	if (trace == ZIPF_SCANS && (i / (2 * CAPACITY)) % 2 == 1)
		return SCAN_BASE + (uint32_t)i;
	if (trace == ZIPF_DRIFT)
		return (uint32_t)((popular + i / 20) % ITEMS);
	return popular;
}

static double run(
    enum trace trace, enum policy policy, uint64_t requests, unsigned run_keys, unsigned evict)
{
	struct simulation *s = calloc(1, sizeof(*s));
	double *cumulative = malloc(ITEMS * sizeof(*cumulative)), share;
	struct random random = {42};
	uint64_t counted = 0;

	s->policy = policy;
	s->random.state = 1;
	s->run = run_keys;
	s->evict = evict;
	s->use = use_create(CAPACITY);
	s->ids = SCAN_BASE + requests + 1;
	s->where = malloc(s->ids * sizeof(*s->where));
	memset(s->where, 0xff, s->ids * sizeof(*s->where));
	zipf_fill(cumulative, ITEMS, trace == ZIPF_07 ? 0.7 : 0.9);
	for (uint64_t i = 0; i < requests; i++) {
		if (i == requests / 4) /* warm by now */
			s->hits = 0;
		if (policy == USE_RESTARTED && i % (10 * CAPACITY) == 0) {
			use_destroy(s->use);
			s->use = use_create(CAPACITY);
		}
		request(s, draw(trace, cumulative, &random, i));
		counted += i >= requests / 4;
	}
	share = 100.0 * (double)s->hits / (double)counted;
	use_destroy(s->use);
	free(s->where);
	free(cumulative);
	free(s);
	return share;
}

int main(int argc, char **argv)
{
	static const unsigned shapes[][2] = {{8, 1}, {16, 2}, {32, 4}, {32, 8}, {64, 4}};
	uint64_t requests = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;

	printf("hits in %% of requests; %u records of room, %u texts\n%-28s", CAPACITY, ITEMS, "");
	for (int policy = 0; policy < POLICIES; policy++)
		printf("%14s", policy_names[policy]);
	printf("\n");
	for (int trace = 0; trace < TRACES; trace++) {
		printf("%-28s", trace_names[trace]);
		for (int policy = 0; policy < POLICIES; policy++)
			printf("%14.1f", run(trace, policy, requests, 32, 4));
		printf("\n");
	}
	printf("\nours, by keys in a run / evicted of them\n%-28s", "");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		printf("%11u/%u ", shapes[i][0], shapes[i][1]);
	printf("\n");
	for (int trace = 0; trace < TRACES; trace++) {
		printf("%-28s", trace_names[trace]);
		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			printf("%14.1f", run(trace, USE, requests, shapes[i][0], shapes[i][1]));
		printf("\n");
	}
	return 0;
}
