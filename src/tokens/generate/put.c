/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tokens/generate/generate.h"
#include "tokens/tables.h"

/*
 * Entries of a bucket on average, at most, and how full the table is.  Merging
 * asks for pairs one after the other, so their pilots are to fit the first cache.
 */
struct fill {
	uint32_t bucket_max;
	uint32_t percent;
};

static const struct fill slot_fill = {4, 97}, pair_fill = {8, 88};

/* The smallest power of two of at least `count`, as 64 minus its logarithm. */
static unsigned int shift_for(uint32_t count)
{
	unsigned int shift = 64;

	while ((UINT64_C(1) << (64 - shift)) < count)
		shift--;
	return shift;
}

/* A table of `count` entries: its size, and its pilots, which are put out; *slots is each entry's place. */
static uint32_t put_pilots(struct output *output, const char *section, const char *name,
    struct fill fill, const struct entry_hash *hashes, uint32_t count, uint32_t *slots)
{
	uint32_t slot_count = (uint32_t)((uint64_t)count * 100 / fill.percent) + 1;
	unsigned int shift = shift_for(count / fill.bucket_max);
	size_t bucket_count = (size_t)1 << (64 - shift);
	uint16_t *pilots = allocate(bucket_count, sizeof(*pilots));

	displace(slot_count, shift, hashes, count, pilots, slots);
	put_section(output, section, pilots, bucket_count * sizeof(*pilots));
	put_number(output, name, shift);
	free(pilots);
	return slot_count;
}

static struct tables_key key_of(const struct token *token)
{
	uint8_t padded[16] = {0};
	struct tables_key key;

	memcpy(padded, token->bytes, token->len);
	padded[TABLES_KEY_BYTES] = (uint8_t)token->len;
	memcpy(&key, padded, sizeof(key));
	return key;
}

static uint64_t hash_of(const struct token *token)
{
	return token->len > TABLES_KEY_BYTES ? tables_hash_bytes(token->bytes, token->len)
					     : tables_hash_key(key_of(token));
}

static void put_slots(struct output *output, const struct vocabulary *vocabulary)
{
	struct entry_hash *hashes = allocate(vocabulary->count, sizeof(*hashes));
	uint32_t *places = allocate(vocabulary->count, sizeof(*places));
	uint32_t *slots, slot_count;

	for (uint32_t id = 0; id < vocabulary->count; id++)
		hashes[id].bucket = hashes[id].slot = hash_of(&vocabulary->tokens[id]);
	slot_count = put_pilots(
	    output, "PILOTS", "BUCKET_SHIFT", slot_fill, hashes, vocabulary->count, places);
	slots = allocate(slot_count, sizeof(*slots));
	for (uint32_t id = 0; id < vocabulary->count; id++)
		slots[places[id]] = tables_slot_of(hashes[id].slot, id);
	put_section(output, "SLOTS", slots, slot_count * sizeof(*slots));
	put_number(output, "SLOT_COUNT", slot_count);
	free(slots);
	free(places);
	free(hashes);
}

static void put_keys(struct output *output, const struct vocabulary *vocabulary)
{
	struct tables_key *keys = allocate(vocabulary->count, sizeof(*keys));
	uint8_t *bytes = allocate(vocabulary->count, TABLES_LONG);
	uint64_t len = 0;

	for (uint32_t id = 0; id < vocabulary->count; id++) {
		const struct token *token = &vocabulary->tokens[id];

		if (token->len <= TABLES_KEY_BYTES) {
			keys[id] = key_of(token);
			continue;
		}
		if (token->len >= TABLES_LONG)
			fail("a token is too long", vocabulary->name);
		((uint8_t *)&keys[id])[TABLES_KEY_BYTES] = TABLES_LONG;
		keys[id].lo = len << 8 | token->len;
		memcpy(bytes + len, token->bytes, token->len);
		len += token->len;
	}
	put_section(output, "KEYS", keys, vocabulary->count * sizeof(*keys));
	put_section(output, "BYTES", bytes, len);
	free(bytes);
	free(keys);
}

static void put_pairs(struct output *output, const struct vocabulary *vocabulary)
{
	struct entry_hash *hashes = allocate(vocabulary->count, sizeof(*hashes));
	uint64_t *packed = allocate(vocabulary->count, sizeof(*packed));
	uint32_t *slots = allocate(vocabulary->count, sizeof(*slots));
	uint32_t count = 0, slot_count;
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
	slot_count =
	    put_pilots(output, "PAIR_PILOTS", "PAIR_BUCKET_SHIFT", pair_fill, hashes, count, slots);
	pairs = allocate(slot_count, sizeof(*pairs));
	memset(pairs, 0xFF, slot_count * sizeof(*pairs));
	for (uint32_t i = 0; i < count; i++)
		pairs[slots[i]] = packed[i];
	put_section(output, "PAIRS", pairs, slot_count * sizeof(*pairs));
	put_number(output, "PAIR_COUNT", slot_count);
	free(pairs);
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

static unsigned int encode_utf8(uint32_t c, uint8_t *bytes)
{
	unsigned int width = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned int i = width - 1; i > 0; i--, c >>= 6)
		bytes[i] = (uint8_t)(0x80 | (c & 0x3F));
	bytes[0] = (uint8_t)(0xF00u >> width | c);
	return width;
}

/* Marks the character at the end of `bytes` as one that a token has after `before`. */
static void mark_span(uint64_t *rows, uint32_t code_point, uint8_t before)
{
	uint8_t bytes[4];
	unsigned int width = encode_utf8(code_point, bytes);

	rows[tables_span_row(bytes, width)] |= tables_span_bit(before);
}

/* Marks all characters that begin with the bytes that a token has from `at` on. */
static void mark_spans_at(uint64_t *rows, const struct token *token, uint32_t at)
{
	const uint8_t *c = token->bytes + at;
	unsigned int width = *c < 0xE0 ? 2 : *c < 0xF0 ? 3 : 4;
	unsigned int got = token->len - at < width ? token->len - at : width;
	unsigned int open_bits = 6 * (width - got);
	uint32_t first = *c & (0x7Fu >> width);

	for (unsigned int i = 1; i < got; i++)
		first = first << 6 | (c[i] & 0x3Fu);
	first <<= open_bits;
	for (uint32_t i = 0; i < 1u << open_bits; i++)
		mark_span(rows, first | i, c[-1]);
}

/* Which character can follow which byte inside a token; see tables_span_row. */
static void put_spans(struct output *output, const struct vocabulary *vocabulary)
{
	uint64_t *rows = allocate(TABLES_SPAN_ROWS, sizeof(*rows));

	for (uint32_t id = 0; id < vocabulary->count; id++) {
		const struct token *token = &vocabulary->tokens[id];

		for (uint32_t at = 1; at < token->len; at++)
			if (token->bytes[at] >= 0xC0 && token->bytes[at - 1] >= 0x80)
				mark_spans_at(rows, token, at);
	}
	put_section(output, "SPANS", rows, TABLES_SPAN_ROWS * sizeof(*rows));
	free(rows);
}

void put_vocabulary(struct output *output, const struct vocabulary *vocabulary)
{
	put_number(output, "COUNT", vocabulary->count);
	put_slots(output, vocabulary);
	put_keys(output, vocabulary);
	put_pairs(output, vocabulary);
	put_bytes(output, vocabulary);
	put_spans(output, vocabulary);
}
