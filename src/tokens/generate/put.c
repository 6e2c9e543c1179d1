/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tokens/generate/generate.h"
#include "tokens/tables.h"

/* Entries of a bucket on average, at most; lines of keys are nearly always full, pairs have more room. */
#define KEY_BUCKET_MAX  4
#define PAIR_BUCKET_MAX 8
#define FILL_PERCENT    97

/* The smallest power of two of at least `count`, as 64 minus its logarithm. */
static unsigned int shift_for(uint32_t count)
{
	unsigned int shift = 64;

	while ((UINT64_C(1) << (64 - shift)) < count)
		shift--;
	return shift;
}

static uint32_t key_slot(uint64_t hash, uint16_t pilot, uint32_t lines)
{
	uint32_t place, line = tables_key_slot(hash, pilot, lines, &place);

	return line * 3 + place;
}

static uint32_t pair_slot(uint64_t hash, uint16_t pilot, uint32_t shift)
{
	return tables_pair_slot(hash, pilot, shift);
}

static void put_pilots(struct output *output, const char *section, const char *name,
    const uint16_t *pilots, unsigned int shift)
{
	put_section(output, section, pilots, (UINT64_C(1) << (64 - shift)) * sizeof(*pilots));
	put_number(output, name, shift);
}

static struct tables_key key_of(const struct token *token)
{
	uint8_t padded[16] = {0};
	struct tables_key key;

	memcpy(padded, token->bytes, token->len);
	padded[15] = (uint8_t)token->len;
	memcpy(&key, padded, sizeof(key));
	return key;
}

/* Tokens of at most 15 bytes; notes in `places` where each one went. */
static void put_keys(struct output *output, const struct vocabulary *vocabulary, uint32_t *places)
{
	uint32_t *ids = allocate(vocabulary->count, sizeof(*ids));
	struct entry_hash *hashes = allocate(vocabulary->count, sizeof(*hashes));
	uint32_t *slots = allocate(vocabulary->count, sizeof(*slots));
	uint32_t count = 0, line_count;
	struct tables_key_line *lines;
	struct table_shape shape;
	uint16_t *pilots;

	for (uint32_t id = 0; id < vocabulary->count; id++)
		if (vocabulary->tokens[id].len <= TABLES_KEY_BYTES) {
			hashes[count].bucket = tables_hash_key(key_of(&vocabulary->tokens[id]));
			hashes[count].slot = hashes[count].bucket;
			ids[count++] = id;
		}
	line_count = (uint32_t)((uint64_t)count * 100 / FILL_PERCENT / 3) + 1;
	shape = (struct table_shape){
	    key_slot, line_count, line_count * 3, shift_for(count / KEY_BUCKET_MAX)};
	pilots = allocate(UINT64_C(1) << (64 - shape.bucket_shift), sizeof(*pilots));
	lines = allocate(line_count, sizeof(*lines));
	displace(&shape, hashes, count, pilots, slots);
	for (uint32_t i = 0; i < count; i++) {
		lines[slots[i] / 3].key[slots[i] % 3] = key_of(&vocabulary->tokens[ids[i]]);
		lines[slots[i] / 3].id[slots[i] % 3] = ids[i];
		places[ids[i]] = slots[i];
	}
	put_section(output, "KEYS", lines, line_count * sizeof(*lines));
	put_number(output, "KEY_LINES", line_count);
	put_pilots(output, "KEY_PILOTS", "KEY_BUCKET_SHIFT", pilots, shape.bucket_shift);
	free(lines);
	free(pilots);
	free(slots);
	free(hashes);
	free(ids);
}

static void put_pairs(struct output *output, const struct vocabulary *vocabulary)
{
	struct entry_hash *hashes = allocate(vocabulary->count, sizeof(*hashes));
	uint64_t *packed = allocate(vocabulary->count, sizeof(*packed));
	uint32_t *slots = allocate(vocabulary->count, sizeof(*slots));
	struct table_shape shape;
	uint32_t count = 0;
	uint16_t *pilots;
	uint64_t *pairs;

	for (uint32_t id = 0; id < vocabulary->count; id++) {
		const struct token *token = &vocabulary->tokens[id];

		if (token->len < 2)
			continue;
		packed[count] = (uint64_t)token->left << TABLES_ID_BITS | token->right;
		hashes[count].bucket = tables_pair_bucket_hash(packed[count]);
		hashes[count].slot = tables_pair_slot_hash(packed[count]);
		packed[count] = packed[count] << TABLES_ID_BITS | id;
		count++;
	}
	shape.slot = pair_slot;
	shape.shape = shift_for(count);
	shape.slot_count = 1u << (64 - shape.shape);
	shape.bucket_shift = shift_for(count / PAIR_BUCKET_MAX);
	pilots = allocate(UINT64_C(1) << (64 - shape.bucket_shift), sizeof(*pilots));
	pairs = allocate(shape.slot_count, sizeof(*pairs));
	memset(pairs, 0xFF, shape.slot_count * sizeof(*pairs));
	displace(&shape, hashes, count, pilots, slots);
	for (uint32_t i = 0; i < count; i++)
		pairs[slots[i]] = packed[i];
	put_section(output, "PAIRS", pairs, shape.slot_count * sizeof(*pairs));
	put_number(output, "PAIR_SLOT_SHIFT", shape.shape);
	put_pilots(output, "PAIR_PILOTS", "PAIR_BUCKET_SHIFT", pilots, shape.bucket_shift);
	free(pairs);
	free(pilots);
	free(slots);
	free(packed);
	free(hashes);
}

static void put_bytes(struct output *output, const struct vocabulary *vocabulary)
{
	uint32_t *couples = allocate(256 * 256, sizeof(*couples));
	uint32_t singles[256];

	for (unsigned int first = 0; first < 256; first++) {
		uint8_t bytes[2] = {(uint8_t)first, 0};

		singles[first] = vocabulary_find(vocabulary, bytes, 1);
		for (unsigned int second = 0; second < 256; second++) {
			bytes[1] = (uint8_t)second;
			couples[first + 256 * second] =
			    first == TABLES_PADDING || second == TABLES_PADDING
				? TABLES_NONE
				: vocabulary_find(vocabulary, bytes, 2);
		}
	}
	put_section(output, "SINGLES", singles, sizeof(singles));
	put_section(output, "COUPLES", couples, 256 * 256 * sizeof(*couples));
	free(couples);
}

/* Tokens of 16 bytes and more, at most half full. */
static void put_longs(struct output *output, const struct vocabulary *vocabulary, uint32_t *places)
{
	uint32_t count = 0, mask = 1, longest = 0, len = 0;
	struct tables_long *longs;
	uint8_t *bytes;

	for (uint32_t id = 0; id < vocabulary->count; id++)
		if (vocabulary->tokens[id].len > TABLES_KEY_BYTES) {
			count++;
			len += vocabulary->tokens[id].len;
		}
	while (mask < 2 * count)
		mask = mask * 2 + 1;
	longs = allocate(mask + 1, sizeof(*longs));
	bytes = allocate(len, 1);
	for (uint32_t i = 0; i <= mask; i++)
		longs[i].id = TABLES_NONE;
	len = 0;
	for (uint32_t id = 0; id < vocabulary->count; id++) {
		const struct token *token = &vocabulary->tokens[id];
		uint64_t hash = tables_hash_bytes(token->bytes, token->len);
		uint32_t at = (uint32_t)(hash >> 32) & mask;

		if (token->len <= TABLES_KEY_BYTES)
			continue;
		while (longs[at].id != TABLES_NONE)
			at = (at + 1) & mask;
		longs[at] = (struct tables_long){(uint32_t)hash, id, len, token->len};
		memcpy(bytes + len, token->bytes, token->len);
		places[id] = TABLES_IS_LONG | at;
		len += token->len;
		longest = token->len > longest ? token->len : longest;
	}
	put_section(output, "LONGS", longs, (mask + 1) * sizeof(*longs));
	put_number(output, "LONG_MASK", mask);
	put_number(output, "LONGEST", longest);
	put_section(output, "LONG_BYTES", bytes, len);
	free(bytes);
	free(longs);
}

void put_vocabulary(struct output *output, const struct vocabulary *vocabulary)
{
	uint32_t *places = allocate(vocabulary->count, sizeof(*places));

	put_number(output, "COUNT", vocabulary->count);
	put_keys(output, vocabulary, places);
	put_pairs(output, vocabulary);
	put_bytes(output, vocabulary);
	put_longs(output, vocabulary, places);
	put_section(output, "PLACES", places, vocabulary->count * sizeof(*places));
	free(places);
}
