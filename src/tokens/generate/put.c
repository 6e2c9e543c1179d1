/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tokens/generate/generate.h"
#include "tokens/tables.h"

/* Average entries of a bucket, and how full the slots get. */
#define BUCKET_AVERAGE 4
#define FILL_PERCENT   95

static uint32_t slots_for(uint32_t count)
{
	uint32_t slots = (uint32_t)((uint64_t)count * 100 / FILL_PERCENT) + 1;

	return (slots + 2) / 3 * 3;
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
	uint64_t *hashes = allocate(vocabulary->count, sizeof(*hashes));
	uint32_t *slots = allocate(vocabulary->count, sizeof(*slots));
	uint32_t count = 0, slot_count, bucket_count;
	struct tables_key_line *lines;
	uint16_t *pilots;

	for (uint32_t id = 0; id < vocabulary->count; id++)
		if (vocabulary->tokens[id].len <= TABLES_KEY_BYTES) {
			hashes[count] = tables_hash_key(key_of(&vocabulary->tokens[id]));
			ids[count++] = id;
		}
	slot_count = slots_for(count);
	bucket_count = count / BUCKET_AVERAGE;
	pilots = allocate(bucket_count, sizeof(*pilots));
	lines = allocate(slot_count / 3, sizeof(*lines));
	displace(hashes, count, pilots, bucket_count, slot_count, slots);
	for (uint32_t i = 0; i < count; i++) {
		lines[slots[i] / 3].key[slots[i] % 3] = key_of(&vocabulary->tokens[ids[i]]);
		lines[slots[i] / 3].id[slots[i] % 3] = ids[i];
		places[ids[i]] = slots[i];
	}
	put_section(output, "KEYS", lines, slot_count / 3 * sizeof(*lines));
	put_number(output, "KEY_SLOTS", slot_count);
	put_section(output, "KEY_PILOTS", pilots, bucket_count * sizeof(*pilots));
	put_number(output, "KEY_BUCKETS", bucket_count);
	free(lines);
	free(pilots);
	free(slots);
	free(hashes);
	free(ids);
}

static void put_pairs(struct output *output, const struct vocabulary *vocabulary)
{
	uint64_t *hashes = allocate(vocabulary->count, sizeof(*hashes));
	uint64_t *packed = allocate(vocabulary->count, sizeof(*packed));
	uint32_t *slots = allocate(vocabulary->count, sizeof(*slots));
	uint32_t count = 0, slot_count, bucket_count;
	uint16_t *pilots;
	uint64_t *pairs;

	for (uint32_t id = 0; id < vocabulary->count; id++) {
		const struct token *token = &vocabulary->tokens[id];

		if (token->len < 2)
			continue;
		hashes[count] = tables_hash_pair(token->left, token->right);
		packed[count++] = (uint64_t)token->left << 2 * TABLES_ID_BITS |
				  (uint64_t)token->right << TABLES_ID_BITS | id;
	}
	slot_count = slots_for(count);
	bucket_count = count / BUCKET_AVERAGE;
	pilots = allocate(bucket_count, sizeof(*pilots));
	pairs = allocate(slot_count, sizeof(*pairs));
	memset(pairs, 0xFF, slot_count * sizeof(*pairs));
	displace(hashes, count, pilots, bucket_count, slot_count, slots);
	for (uint32_t i = 0; i < count; i++)
		pairs[slots[i]] = packed[i];
	put_section(output, "PAIRS", pairs, slot_count * sizeof(*pairs));
	put_number(output, "PAIR_SLOTS", slot_count);
	put_section(output, "PAIR_PILOTS", pilots, bucket_count * sizeof(*pilots));
	put_number(output, "PAIR_BUCKETS", bucket_count);
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
			couples[first * 256 + second] = vocabulary_find(vocabulary, bytes, 2);
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
