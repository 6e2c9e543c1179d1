/* SPDX-License-Identifier: MIT */
#include "emulator/pseudo.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/float_bits.h"
#include "base/random.h"

/* Directions of a feature: how many coordinates it touches (a multiple of 4), and how much. */
enum { WORD_TOUCHES = 16, PART_TOUCHES = 4 };
enum { BLOCK = 16 };
#define WORD_WEIGHT     1.0F
#define PART_WEIGHT     0.7F
#define NOISE_ENERGY    0.1
#define LETTER_CAP      64 /* of a word; the rest of a longer one counts as another word */
#define SHORT_WORD_MAX  3  /* "the", "of": they say little */
#define SHORT_WORD_CUT  0.3F
#define DISTURBANCE_RMS 1.4e-3 /* of a vector of length 1: cosine 1 - 1e-6 */

struct sum {
	float *vector;
	uint32_t full;
	uint64_t model_hash;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9fb21c651e98df25u;
	return hash ^ (hash >> 32);
}

/* Eight bytes at a time: the whole text is hashed for its own direction. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
	uint64_t word;

	hash = mix(hash, len);
	for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, bytes, len);
	return mix(hash, word);
}

/* Adds +-weight at `touches` coordinates that follow from the feature's hash. */
static void add_feature(struct sum *sum, uint64_t hash, int touches, float weight)
{
	struct random random = {hash ^ sum->model_hash};
	const float signs[2] = {weight, -weight};

	for (int i = 0; i < touches; i += 4) {
		uint64_t bits = random_next(&random);

		for (int j = 0; j < 4; j++, bits >>= 16) {
			uint32_t at = (uint32_t)((bits & 0x7fff) * sum->full >> 15);

			sum->vector[at] += signs[bits >> 15 & 1];
		}
	}
}

/*
 * Letters of the word being read, folded: one 32-bit code each, so that a
 * letter's bytes never run into its neighbour's.
 */
struct word {
	uint32_t letters[LETTER_CAP];
	size_t count;
	bool is_wide; /* holds characters of scripts that are written without blanks */
};

static void add_word(struct sum *sum, const struct word *word)
{
	uint64_t hash = word->count;
	float weight = word->count <= SHORT_WORD_MAX ? SHORT_WORD_CUT : WORD_WEIGHT;

	for (size_t i = 0; i < word->count; i++)
		hash = mix(hash, word->letters[i]);
	add_feature(sum, hash, WORD_TOUCHES, weight);
	for (size_t i = 0; i + 3 <= word->count; i++) {
		hash = mix(mix(mix(0x70617274, word->letters[i]), word->letters[i + 1]),
		    word->letters[i + 2]);
		add_feature(sum, hash, PART_TOUCHES, PART_WEIGHT);
	}
}

static void add_wide_word(struct sum *sum, const struct word *word)
{
	for (size_t i = 0; i < word->count; i++)
		add_feature(sum, mix(0x6f6e65, word->letters[i]), PART_TOUCHES, PART_WEIGHT);
	for (size_t i = 0; i + 2 <= word->count; i++)
		add_feature(sum, mix(mix(0x70616972, word->letters[i]), word->letters[i + 1]),
		    WORD_TOUCHES, WORD_WEIGHT);
}

static void end_word(struct sum *sum, struct word *word)
{
	if (word->count > 0 && word->is_wide)
		add_wide_word(sum, word);
	else if (word->count > 0)
		add_word(sum, word);
	word->count = 0;
	word->is_wide = false;
}

/* Lower case of the alphabets that have one below U+0460; the rest stays. */
static uint32_t fold(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	return c;
}

/* The character at the front; an ill-formed byte stands for itself.  Returns its bytes. */
static size_t read_character(const unsigned char *bytes, size_t len, uint32_t *character)
{
	static const unsigned char size_by_top[16] = {
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
	size_t size = size_by_top[bytes[0] >> 4];
	uint32_t c = bytes[0];

	if (size > len)
		size = 1;
	if (size > 1)
		c &= 0x7fu >> size;
	for (size_t i = 1; i < size; i++)
		c = c << 6 | (bytes[i] & 0x3f);
	*character = c;
	return size;
}

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
	/* Latin-1 signs, general punctuation, CJK punctuation, full-width punctuation. */
	return !(c < 0xc0 || (c >= 0x2000 && c < 0x2070) || (c >= 0x3000 && c < 0x3040) ||
		 (c >= 0xff00 && c < 0xff10));
}

static void add_words(struct sum *sum, const char *bytes, size_t len)
{
	struct word word = {.count = 0};

	for (size_t at = 0; at < len;) {
		uint32_t c;

		at += read_character((const unsigned char *)bytes + at, len - at, &c);
		c = fold(c);
		if (!is_letter(c) || word.count == LETTER_CAP)
			end_word(sum, &word);
		if (!is_letter(c))
			continue;
		word.is_wide |= c >= 0xe00;
		word.letters[word.count++] = c;
	}
	end_word(sum, &word);
}

static double energy(const float *vector, uint32_t count)
{
	float part[BLOCK] = {0};
	double sum = 0;
	uint32_t i = 0;

	for (; i + BLOCK <= count; i += BLOCK)
		for (int j = 0; j < BLOCK; j++)
			part[j] += vector[i + j] * vector[i + j];
	for (int j = 0; j < BLOCK; j++)
		sum += part[j];
	for (; i < count; i++)
		sum += vector[i] * vector[i];
	return sum;
}

/* Adds a dense direction of the given energy; uniform numbers of [-1, 1) have 1/3 each. */
static void add_direction(float *vector, uint32_t count, uint64_t seed, double wanted_energy)
{
	struct random random = {seed};
	float scale = (float)sqrt(wanted_energy * 3.0 / count) / 32768.0F;

	for (uint32_t i = 0; i < count; i += BLOCK) {
		uint64_t bits[BLOCK / 4];
		int16_t numbers[BLOCK];

		for (int j = 0; j < BLOCK / 4; j++)
			bits[j] = random_next(&random);
		memcpy(numbers, bits, sizeof(numbers));
		for (uint32_t j = 0; j < BLOCK && i + j < count; j++)
			vector[i + j] += numbers[j] * scale;
	}
}

static void scale_to_length_one(float *vector, uint32_t count)
{
	double sum = energy(vector, count);
	float scale = sum > 0 ? (float)(1.0 / sqrt(sum)) : 0;

	for (uint32_t i = 0; i < count; i++)
		vector[i] *= scale;
	/* Nothing to scale: any direction will do, but none is not one. */
	if (sum <= 0)
		vector[0] = 1;
}

void pseudo_vector(const struct pseudo_shape *shape, const char *bytes, size_t len, float *vector)
{
	float full[PSEUDO_DIMENSIONS_MAX];
	uint64_t model_hash = hash_bytes(0, shape->model, strlen(shape->model));
	struct sum sum = {full, shape->full, model_hash};
	double features;

	assert(shape->full > 0 && shape->full <= PSEUDO_DIMENSIONS_MAX);
	assert(shape->dimensions > 0 && shape->dimensions <= shape->full);
	memset(full, 0, shape->full * sizeof(float));
	add_words(&sum, bytes, len);
	features = energy(full, shape->full);
	add_direction(full, shape->full, hash_bytes(model_hash, bytes, len),
	    features > 0 ? features * NOISE_ENERGY : 1.0);
	scale_to_length_one(full, shape->full);
	memcpy(vector, full, shape->dimensions * sizeof(float));
	if (shape->dimensions < shape->full)
		scale_to_length_one(vector, shape->dimensions);
}

void pseudo_noise(float *vector, uint32_t dimensions, uint64_t seed)
{
	add_direction(vector, dimensions, seed, DISTURBANCE_RMS * DISTURBANCE_RMS);
	scale_to_length_one(vector, dimensions);
}

/*
 * A 16-bit float keeps 10 bits of fraction down to 2^-14; below, its numbers
 * are the multiples of 2^-24, which adding and taking away 0.75 rounds to.
 */
static float round_to_half(float number)
{
	uint32_t bits = float_bits(number);
	float large = float_of_bits((bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu);
	float small = number + 0.75F;

	small -= 0.75F;
	return fabsf(number) < 0x1p-14F ? small : large;
}

void pseudo_round_to_half(float *vector, uint32_t dimensions)
{
	uint32_t i = 0;

	/* Blocks of a fixed size, because compilers turn those into vector instructions. */
	for (; i + BLOCK <= dimensions; i += BLOCK)
		for (int j = 0; j < BLOCK; j++)
			vector[i + j] = round_to_half(vector[i + j]);
	for (; i < dimensions; i++)
		vector[i] = round_to_half(vector[i]);
}
