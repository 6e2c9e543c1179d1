/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tokens/generate/generate.h"
#include "tokens/tables.h"

#define BUCKET_MAX 64

struct bucket {
	uint32_t number;
	uint32_t count;
	uint32_t first; /* in the list of members */
};

static int by_size_falling(const void *a, const void *b)
{
	const struct bucket *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return left->number < right->number ? -1 : left->number > right->number;
}

/* Buckets with the numbers of their hashes listed one bucket after the other. */
static struct bucket *fill_buckets(
    const struct entry_hash *hashes, uint32_t count, unsigned int bucket_shift, uint32_t *members)
{
	uint32_t bucket_count = 1u << (64 - bucket_shift);
	struct bucket *buckets = allocate(bucket_count, sizeof(*buckets));
	uint32_t first = 0;

	for (uint32_t i = 0; i < count; i++)
		buckets[tables_bucket(hashes[i].bucket, bucket_shift)].count++;
	for (uint32_t b = 0; b < bucket_count; b++) {
		if (buckets[b].count > BUCKET_MAX)
			fail("a bucket is too full", "displace");
		buckets[b].number = b;
		buckets[b].first = first;
		first += buckets[b].count;
		buckets[b].count = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct bucket *bucket = &buckets[tables_bucket(hashes[i].bucket, bucket_shift)];

		members[bucket->first + bucket->count++] = i;
	}
	return buckets;
}

/* Places a bucket's hashes with this pilot if all slots are free. */
static int try_pilot(uint32_t slot_count, const struct bucket *bucket,
    const struct entry_hash *hashes, const uint32_t *members, uint16_t pilot, uint8_t *taken,
    uint32_t *slots)
{
	uint32_t placed = 0;

	while (placed < bucket->count) {
		uint32_t member = members[bucket->first + placed];
		uint32_t slot = tables_place(hashes[member].slot, pilot, slot_count);

		if (taken[slot])
			break;
		taken[slot] = 1;
		slots[member] = slot;
		placed++;
	}
	if (placed == bucket->count)
		return 1;
	while (placed > 0)
		taken[slots[members[bucket->first + --placed]]] = 0;
	return 0;
}

void displace(uint32_t slot_count, unsigned int bucket_shift, const struct entry_hash *hashes,
    uint32_t count, uint16_t *pilots, uint32_t *slots)
{
	uint32_t *members = allocate(count, sizeof(*members));
	uint32_t bucket_count = 1u << (64 - bucket_shift);
	struct bucket *buckets = fill_buckets(hashes, count, bucket_shift, members);
	uint8_t *taken = allocate(slot_count, 1);

	qsort(buckets, bucket_count, sizeof(*buckets), by_size_falling);
	for (uint32_t b = 0; b < bucket_count; b++) {
		uint32_t pilot = 1;

		while (!try_pilot(
		    slot_count, &buckets[b], hashes, members, (uint16_t)pilot, taken, slots))
			if ((pilot += 2) > UINT16_MAX)
				fail("no pilot places a bucket", "displace");
		pilots[buckets[b].number] = (uint16_t)pilot;
	}
	free(taken);
	free(buckets);
	free(members);
}
