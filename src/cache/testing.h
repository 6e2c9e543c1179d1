/* SPDX-License-Identifier: MIT */
/* Testing: a home in a fresh folder, vectors that can be told apart, short calls.  For tests only. */
#ifndef CACHE_TESTING_H
#define CACHE_TESTING_H

#include "base/random.h"
#include "base/test_folder.h"
#include "cache/cache.h"

#define TEST_NOW            1700000000
#define TEST_DIMENSIONS_MAX 4096

static inline struct cache *test_open_with(
    const struct test_folder *home, uint64_t cap_bytes, uint64_t ttl_s)
{
	const struct cache_options options = {home->path, cap_bytes, ttl_s};
	struct embed_error error;
	struct cache *cache = NULL;

	if (cache_open(&cache, &options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	return cache;
}

static inline struct cache *test_open(const struct test_folder *home)
{
	return test_open_with(home, 64u << 20, 0);
}

static inline struct digest test_key(uint64_t number)
{
	struct digest key;
	const struct digest_part part = {&number, sizeof(number)};

	assert_true(digest_parts(&key, &part, 1));
	return key;
}

/* Halves that depend on `number`; with `is_wide` one of them needs 32 bits. */
static inline void test_fill(float *numbers, uint32_t dimensions, uint64_t number, bool is_wide)
{
	struct random random = {number + 1};

	for (uint32_t i = 0; i < dimensions; i++)
		numbers[i] = ((float)random_below(&random, 2047) - 1023.0f) / 2048.0f;
	numbers[0] = is_wide ? 0.1f : 0.5f;
}

/* One record a put: for tests that don't care about groups. */
static inline void test_put_at(
    struct cache *cache, uint64_t number, uint32_t dimensions, int64_t created_s)
{
	static _Thread_local float numbers[TEST_DIMENSIONS_MAX];
	struct cache_put put = {test_key(number), numbers, dimensions, 7, created_s};
	struct embed_error error;

	test_fill(numbers, dimensions, number, false);
	if (cache_put_many(cache, &put, 1, NULL, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

static inline void test_put(struct cache *cache, uint64_t number, uint32_t dimensions)
{
	test_put_at(cache, number, dimensions, TEST_NOW);
}

/* A group of records first .. first + count - 1. */
static inline enum embed_status test_put_group(struct cache *cache, uint64_t first, size_t count,
    uint32_t dimensions, struct cache_written *written, struct embed_error *error)
{
	float *numbers = malloc(count * dimensions * sizeof(float));
	struct cache_put *puts = calloc(count, sizeof(*puts));
	enum embed_status status;

	assert_true(numbers != NULL && puts != NULL);
	for (size_t i = 0; i < count; i++) {
		test_fill(numbers + i * dimensions, dimensions, first + i, false);
		puts[i] = (struct cache_put){
		    test_key(first + i), numbers + i * dimensions, dimensions, 7, TEST_NOW};
	}
	status = cache_put_many(cache, puts, count, written, error);
	free(puts);
	free(numbers);
	return status;
}

static inline enum embed_status test_get(struct cache *cache, uint64_t number, uint32_t dimensions,
    float *numbers, struct cache_hit *hit)
{
	const struct cache_want want = {dimensions, true, TEST_NOW};
	struct digest key = test_key(number);

	return cache_get(cache, &key, &want, numbers, TEST_DIMENSIONS_MAX, hit);
}

/* EMBED_OK only for exactly the vector that was put. */
static inline enum embed_status test_check(
    struct cache *cache, uint64_t number, uint32_t dimensions)
{
	static _Thread_local float numbers[TEST_DIMENSIONS_MAX], expected[TEST_DIMENSIONS_MAX];
	struct cache_hit hit;
	enum embed_status status = test_get(cache, number, dimensions, numbers, &hit);

	test_fill(expected, dimensions, number, false);
	if (status == EMBED_OK && memcmp(numbers, expected, dimensions * sizeof(float)) != 0)
		return EMBED_BAD_REPLY;
	return status;
}

static inline uint64_t test_records(struct cache *cache)
{
	struct cache_level level;

	assert_int_equal(cache_level(cache, &level), EMBED_OK);
	return level.records;
}

#endif
