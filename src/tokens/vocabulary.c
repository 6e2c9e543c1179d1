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
		.slot_count = prefix##_SLOT_COUNT, .bucket_shift = prefix##_BUCKET_SHIFT,          \
		.pair_count = prefix##_PAIR_COUNT,                                                 \
		.pair_bucket_shift = prefix##_PAIR_BUCKET_SHIFT,                                   \
		.memo_tag = (cased) ? TABLES_MEMO_TAGS : 0,                                        \
		.slots = TABLE(uint32_t, tables, prefix##_SLOTS_AT),                               \
		.pilots = TABLE(uint16_t, tables, prefix##_PILOTS_AT),                             \
		.keys = TABLE(struct tables_key, tables, prefix##_KEYS_AT),                        \
		.bytes = TABLE(uint8_t, tables, prefix##_BYTES_AT),                                \
		.pairs = TABLE(uint64_t, tables, prefix##_PAIRS_AT),                               \
		.pair_pilots = TABLE(uint16_t, tables, prefix##_PAIR_PILOTS_AT),                   \
		.singles = TABLE(uint32_t, tables, prefix##_SINGLES_AT),                           \
		.couples = TABLE(uint32_t, tables, prefix##_COUPLES_AT),                           \
		.spans = TABLE(uint64_t, tables, prefix##_SPANS_AT), .specials = special_list,     \
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

uint32_t vocabulary_find(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint64_t hash)
{
	uint32_t slot = *vocabulary_slot(encoding, hash), id = slot & TABLES_ID_MASK;
	size_t token_len;
	const uint8_t *token;

	if (slot != tables_slot_of(hash, id))
		return TABLES_NONE;
	token = vocabulary_bytes(encoding, id, &token_len);
	return token_len == len && memcmp(token, bytes, len) == 0 ? id : TABLES_NONE;
}

const uint8_t tokens_first_bytes[TABLES_KEY_BYTES + 1][16] = {
#define ROW(n) [n] = {FIRST_##n}
#define FIRST_0
#define FIRST_1  255
#define FIRST_2  FIRST_1, 255
#define FIRST_3  FIRST_2, 255
#define FIRST_4  FIRST_3, 255
#define FIRST_5  FIRST_4, 255
#define FIRST_6  FIRST_5, 255
#define FIRST_7  FIRST_6, 255
#define FIRST_8  FIRST_7, 255
#define FIRST_9  FIRST_8, 255
#define FIRST_10 FIRST_9, 255
#define FIRST_11 FIRST_10, 255
#define FIRST_12 FIRST_11, 255
#define FIRST_13 FIRST_12, 255
#define FIRST_14 FIRST_13, 255
#define FIRST_15 FIRST_14, 255
    ROW(1),
    ROW(2),
    ROW(3),
    ROW(4),
    ROW(5),
    ROW(6),
    ROW(7),
    ROW(8),
    ROW(9),
    ROW(10),
    ROW(11),
    ROW(12),
    ROW(13),
    ROW(14),
    ROW(15),
};
