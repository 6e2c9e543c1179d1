/* SPDX-License-Identifier: MIT */
#include "tokens/vocabulary.h"

#include "tokens/tables_layout.h"

/* Read-only bytes of a file of the build, at a cache line. */
#define INCLUDE_FILE(symbol, file)                                                                 \
	__asm__(".section .rodata\n"                                                               \
		".balign 64\n"                                                                     \
		".hidden " #symbol "\n"                                                            \
		".global " #symbol "\n" #symbol ":\n"                                              \
		".incbin \"" TOKENS_TABLES "/" file "\"\n"                                         \
		".previous\n");                                                                    \
	extern const uint8_t symbol[]

INCLUDE_FILE(tokens_cl100k_tables, "cl100k_base.bin");
INCLUDE_FILE(tokens_o200k_tables, "o200k_base.bin");
INCLUDE_FILE(tokens_class_tables, "classes.bin");

const uint8_t *const tokens_class_index = tokens_class_tables + CLASSES_INDEX_AT;
const uint8_t *const tokens_class_blocks = tokens_class_tables + CLASSES_BLOCKS_AT;

static const struct tokens_special cl100k_specials[] = {
    {100257, "<|endoftext|>"},
    {100258, "<|fim_prefix|>"},
    {100259, "<|fim_middle|>"},
    {100260, "<|fim_suffix|>"},
    {100276, "<|endofprompt|>"},
    {0, NULL},
};

static const struct tokens_special o200k_specials[] = {
    {199999, "<|endoftext|>"},
    {200018, "<|endofprompt|>"},
    {0, NULL},
};

#define TABLE(type, tables, at) ((const type *)(const void *)((tables) + (at)))

#define ENCODING(prefix, tables, label, cased, special_list)                                       \
	{                                                                                          \
		.name = label, .has_cased_words = cased, .count = prefix##_COUNT,                  \
		.key_lines = prefix##_KEY_LINES, .key_bucket_shift = prefix##_KEY_BUCKET_SHIFT,    \
		.pair_slot_shift = prefix##_PAIR_SLOT_SHIFT,                                       \
		.pair_bucket_shift = prefix##_PAIR_BUCKET_SHIFT, .long_mask = prefix##_LONG_MASK,  \
		.longest = prefix##_LONGEST,                                                       \
		.keys = TABLE(struct tables_key_line, tables, prefix##_KEYS_AT),                   \
		.key_pilots = TABLE(uint16_t, tables, prefix##_KEY_PILOTS_AT),                     \
		.pairs = TABLE(uint64_t, tables, prefix##_PAIRS_AT),                               \
		.pair_pilots = TABLE(uint16_t, tables, prefix##_PAIR_PILOTS_AT),                   \
		.singles = TABLE(uint32_t, tables, prefix##_SINGLES_AT),                           \
		.couples = TABLE(uint32_t, tables, prefix##_COUPLES_AT),                           \
		.longs = TABLE(struct tables_long, tables, prefix##_LONGS_AT),                     \
		.long_bytes = TABLE(uint8_t, tables, prefix##_LONG_BYTES_AT),                      \
		.places = TABLE(uint32_t, tables, prefix##_PLACES_AT), .specials = special_list,   \
	}

static const struct tokens_encoding encodings[] = {
    ENCODING(CL100K, tokens_cl100k_tables, "cl100k_base", false, cl100k_specials),
    ENCODING(O200K, tokens_o200k_tables, "o200k_base", true, o200k_specials),
};

const struct tokens_encoding *tokens_encoding_find(const char *name)
{
	if (name == NULL)
		return &encodings[0];
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		if (strcmp(encodings[i].name, name) == 0)
			return &encodings[i];
	return NULL;
}

const char *tokens_encoding_name(const struct tokens_encoding *encoding)
{
	return encoding->name;
}

uint32_t vocabulary_find_long(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> 32) & encoding->long_mask;

	for (;; at = (at + 1) & encoding->long_mask) {
		const struct tables_long *slot = &encoding->longs[at];

		if (slot->id == TABLES_NONE)
			return TABLES_NONE;
		if (slot->tag == (uint32_t)hash && slot->len == len &&
		    memcmp(encoding->long_bytes + slot->offset, bytes, len) == 0)
			return slot->id;
	}
}

const uint8_t *vocabulary_bytes(const struct tokens_encoding *encoding, uint32_t id, size_t *len)
{
	uint32_t place = encoding->places[id];
	const uint8_t *key;

	if (place & TABLES_IS_LONG) {
		const struct tables_long *slot = &encoding->longs[place & ~TABLES_IS_LONG];

		*len = slot->len;
		return encoding->long_bytes + slot->offset;
	}
	key = (const uint8_t *)&encoding->keys[place / 3].key[place % 3];
	*len = key[TABLES_KEY_BYTES];
	return key;
}
