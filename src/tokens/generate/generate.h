/* SPDX-License-Identifier: MIT */
/*
 * Generate: the parts of the build-time program.  Any failure ends it with a
 * sentence; it frees only what would otherwise pile up.
 */
#ifndef TOKENS_GENERATE_H
#define TOKENS_GENERATE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

_Noreturn void fail(const char *what, const char *which);
void *allocate(size_t count, size_t size);
FILE *open_file(const char *directory, const char *name, const char *extension, const char *mode);

/* A file of tables, and the header that says where they are in it. */
struct output {
	FILE *file;
	FILE *layout;
	const char *symbol;
	size_t len;
};

/* Sections start at multiples of 64 bytes. */
void put_section(struct output *output, const char *section, const void *bytes, size_t len);
void put_number(struct output *output, const char *name, size_t number);

struct token {
	const uint8_t *bytes;
	uint32_t len;
	uint32_t left, right; /* of its last merge */
};

struct vocabulary {
	const char *name;
	uint8_t *bytes;
	struct token *tokens;
	uint32_t count;
	uint32_t *index; /* hash table of ids, TABLES_NONE where empty */
	uint32_t index_mask;
};

/* Checks the file's SHA-256, dense ranks, and that all 256 bytes are tokens. */
void vocabulary_read(
    struct vocabulary *vocabulary, const char *directory, const char *name, const char *sha256);
void vocabulary_free(struct vocabulary *vocabulary);

/* The token with these bytes, or TABLES_NONE. */
uint32_t vocabulary_find(const struct vocabulary *vocabulary, const uint8_t *bytes, size_t len);

/* Fills left and right of every token; fails on one that merging its bytes does not give, or that its parts come after. */
void vocabulary_find_merges(struct vocabulary *vocabulary);

/*
 * Chooses pilots, one a bucket, so that all entries fall on distinct slots,
 * and writes each entry's slot to slots.  An entry's first hash chooses its
 * bucket, the second its slot.
 */
struct entry_hash {
	uint64_t bucket, slot;
};

void displace(uint32_t slot_count, unsigned int bucket_shift, const struct entry_hash *hashes,
    uint32_t count, uint16_t *pilots, uint32_t *slots);

void put_vocabulary(struct output *output, const struct vocabulary *vocabulary);
void put_classes(struct output *output, const char *directory);

#endif
