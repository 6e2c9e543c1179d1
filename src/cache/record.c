/* SPDX-License-Identifier: MIT */
#include "cache/record.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define RECORD_VERSION 1

/* As it lies in memory on every host that key.c lets us build for. */
struct layout {
	uint64_t checksum;
	uint8_t version;
	uint8_t numbers;
	uint16_t zero_16;
	uint32_t dimensions;
	uint32_t tokens;
	uint32_t zero_32;
	int64_t created_s;
};
_Static_assert(sizeof(struct layout) == RECORD_HEAD_BYTES, "the record's head has no padding");

static uint64_t checksum_of(const struct digest *key, const uint8_t *bytes, size_t len)
{
	uint64_t key_start;

	memcpy(&key_start, key->bytes, sizeof(key_start));
	return XXH3_64bits(bytes + sizeof(uint64_t), len - sizeof(uint64_t)) ^ key_start;
}

static size_t number_bytes(unsigned numbers)
{
	return numbers == RECORD_HALVES ? sizeof(uint16_t) : sizeof(float);
}

/* Four numbers as whole ones: the compiler has vector code for these. */
typedef int32_t four __attribute__((vector_size(16)));

bool record_numbers_are_sound(const float *numbers, size_t count)
{
	four not_finite = {0}, seen = {0};

	for (size_t at = 0; at < count; at += 4) {
		four bits = {0};

		if (count - at >= 4)
			memcpy(&bits, numbers + at, sizeof(bits));
		else
			memcpy(&bits, numbers + at, (count - at) * sizeof(float));
		bits &= 0x7fffffff;
		not_finite |= bits >= 0x7f800000;
		seen |= bits;
	}
	return (not_finite[0] | not_finite[1] | not_finite[2] | not_finite[3]) == 0 &&
	       (seen[0] | seen[1] | seen[2] | seen[3]) != 0;
}

size_t record_encode(uint8_t *out, const struct half *half, const struct cache_put *put)
{
	struct layout head = {
	    .version = RECORD_VERSION,
	    .dimensions = put->dimensions,
	    .tokens = put->tokens,
	    .created_s = put->created_s,
	};
	uint8_t *numbers = out + RECORD_HEAD_BYTES;
	size_t len;

	assert(put->dimensions > 0 && put->dimensions <= CACHE_DIMENSIONS_MAX);
	head.numbers = RECORD_HALVES;
	if (!half->from_float((uint16_t *)(void *)numbers, put->numbers, put->dimensions)) {
		head.numbers = RECORD_FLOATS;
		memcpy(numbers, put->numbers, put->dimensions * sizeof(float));
	}
	len = RECORD_HEAD_BYTES + put->dimensions * number_bytes(head.numbers);
	memcpy(out, &head, sizeof(head));
	head.checksum = checksum_of(&put->key, out, len);
	memcpy(out, &head.checksum, sizeof(head.checksum));
	return len;
}

bool record_decode(
    struct record_head *head, const struct digest *key, const uint8_t *bytes, size_t len)
{
	struct layout found;

	if (len < RECORD_HEAD_BYTES)
		return false;
	memcpy(&found, bytes, sizeof(found));
	if (found.version != RECORD_VERSION || found.zero_16 != 0 || found.zero_32 != 0)
		return false;
	if (found.numbers != RECORD_HALVES && found.numbers != RECORD_FLOATS)
		return false;
	if (found.dimensions == 0 || found.dimensions > CACHE_DIMENSIONS_MAX)
		return false;
	if (len != RECORD_HEAD_BYTES + found.dimensions * number_bytes(found.numbers))
		return false;
	if (found.checksum != checksum_of(key, bytes, len))
		return false;
	head->numbers = found.numbers;
	head->dimensions = found.dimensions;
	head->tokens = found.tokens;
	head->created_s = found.created_s;
	return true;
}

void record_copy(float *out, const struct half *half, const struct record_head *head,
    const uint8_t *bytes, size_t count)
{
	const uint8_t *numbers = bytes + RECORD_HEAD_BYTES;

	assert(count <= head->dimensions);
	if (head->numbers == RECORD_HALVES)
		half->to_float(out, numbers, count);
	else
		memcpy(out, numbers, count * sizeof(*out));
}

bool record_renormalise(float *numbers, size_t count)
{
	double squares = 0.0, length;

	for (size_t i = 0; i < count; i++)
		squares += (double)numbers[i] * (double)numbers[i];
	if (!(squares > 0.0) || !isfinite(squares))
		return false;
	length = sqrt(squares);
	for (size_t i = 0; i < count; i++)
		numbers[i] = (float)((double)numbers[i] / length);
	return true;
}

bool record_is_expired(int64_t created_s, int64_t now_s, uint64_t ttl_s)
{
	return ttl_s != 0 && now_s > created_s && (uint64_t)now_s - (uint64_t)created_s > ttl_s;
}
