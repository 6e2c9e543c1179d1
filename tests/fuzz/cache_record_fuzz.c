/* SPDX-License-Identifier: MIT */
/*
 * A record as it might lie in a damaged store.  The checksum turns away nearly
 * everything, so each input is also tried with its checksum made right: then
 * what is accepted must copy out in both ways alike and encode to itself.
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_copies(const struct record_head *head, const uint8_t *bytes)
{
	float *fast = malloc(head->dimensions * sizeof(float));
	float *slow = malloc(head->dimensions * sizeof(float));

	record_copy(fast, half_best(), head, bytes, head->dimensions);
	record_copy(slow, half_portable(), head, bytes, head->dimensions);
	if (record_numbers_are_sound(slow, head->dimensions)) {
		if (memcmp(fast, slow, head->dimensions * sizeof(float)) != 0)
			abort();
		record_renormalise(fast, head->dimensions);
	}
	free(fast);
	free(slow);
}

static void check_encodes_to_itself(
    const struct digest *key, const struct record_head *head, const uint8_t *bytes, size_t size)
{
	float *numbers = malloc(head->dimensions * sizeof(float));
	uint8_t *again = malloc(RECORD_BYTES_MAX);
	struct cache_put put = {*key, numbers, head->dimensions, head->tokens, head->created_s};

	record_copy(numbers, half_best(), head, bytes, head->dimensions);
	/* Floats that would have fitted halves become halves: only these are not the same again. */
	if (record_numbers_are_sound(numbers, head->dimensions) &&
	    record_encode(again, half_best(), &put) == size && memcmp(again, bytes, size) != 0)
		abort();
	free(numbers);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct digest key = {{1, 2, 3}};
	struct record_head head;
	uint64_t checksum, key_start;
	uint8_t *bytes;

	if (record_decode(&head, &key, data, size))
		check_copies(&head, data);
	if (size < RECORD_HEAD_BYTES)
		return 0;
	bytes = malloc(size);
	memcpy(bytes, data, size);
	memcpy(&key_start, key.bytes, sizeof(key_start));
	checksum = XXH3_64bits(bytes + 8, size - 8) ^ key_start;
	memcpy(bytes, &checksum, sizeof(checksum));
	if (record_decode(&head, &key, bytes, size)) {
		check_copies(&head, bytes);
		check_encodes_to_itself(&key, &head, bytes, size);
	}
	free(bytes);
	return 0;
}
