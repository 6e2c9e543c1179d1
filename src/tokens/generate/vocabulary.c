/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tokens/generate/generate.h"
#include "tokens/tables.h"

static char *read_all(const char *directory, const char *name, size_t *len)
{
	FILE *file = open_file(directory, name, ".tiktoken", "rb");
	size_t cap = 8u << 20;
	char *text = allocate(cap, 1);

	*len = fread(text, 1, cap - 1, file);
	if (ferror(file) || !feof(file))
		fail("cannot be read, or has more than 8 MiB", name);
	fclose(file);
	return text;
}

static void check_digest(const char *name, const char *text, size_t len, const char *expected)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned int digest_len;

	if (!EVP_Digest(text, len, digest, &digest_len, EVP_sha256(), NULL))
		fail("cannot be hashed", name);
	for (unsigned int i = 0; i < digest_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	if (strcmp(hex, expected) != 0)
		fail("its SHA-256 is not the published one", name);
}

static int base64_value(char c)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == 0 ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* Decodes up to the blank that ends it; returns the bytes written. */
static uint32_t decode_base64(const char **text, uint8_t *out)
{
	uint32_t bits = 0, bit_count = 0, len = 0;
	int value;

	for (; (value = base64_value(**text)) >= 0; (*text)++) {
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			out[len++] = (uint8_t)(bits >> bit_count);
		}
	}
	while (**text == '=')
		(*text)++;
	return len;
}

static uint32_t *index_slot(const struct vocabulary *vocabulary, const uint8_t *bytes, size_t len)
{
	uint32_t at = (uint32_t)tables_hash_bytes(bytes, len) & vocabulary->index_mask;

	for (;; at = (at + 1) & vocabulary->index_mask) {
		uint32_t id = vocabulary->index[at];

		if (id == TABLES_NONE || (vocabulary->tokens[id].len == len &&
					     memcmp(vocabulary->tokens[id].bytes, bytes, len) == 0))
			return &vocabulary->index[at];
	}
}

uint32_t vocabulary_find(const struct vocabulary *vocabulary, const uint8_t *bytes, size_t len)
{
	return *index_slot(vocabulary, bytes, len);
}

static void parse_line(struct vocabulary *vocabulary, const char **text, uint8_t **free_bytes)
{
	struct token *token = &vocabulary->tokens[vocabulary->count];
	char *end;

	token->bytes = *free_bytes;
	token->len = decode_base64(text, *free_bytes);
	*free_bytes += token->len;
	if (token->len == 0 || **text != ' ' || strtoul(*text + 1, &end, 10) != vocabulary->count ||
	    *end != '\n')
		fail("a line is not BASE64 RANK with ranks counting up", vocabulary->name);
	*text = end + 1;
	*index_slot(vocabulary, token->bytes, token->len) = vocabulary->count++;
}

void vocabulary_read(
    struct vocabulary *vocabulary, const char *directory, const char *name, const char *sha256)
{
	size_t len;
	char *text = read_all(directory, name, &len);
	const char *at = text;
	uint8_t *free_bytes;

	check_digest(name, text, len, sha256);
	vocabulary->name = name;
	vocabulary->count = 0;
	vocabulary->bytes = free_bytes = allocate(len, 1);
	vocabulary->tokens = allocate(1u << TABLES_ID_BITS, sizeof(*vocabulary->tokens));
	vocabulary->index_mask = (2u << TABLES_ID_BITS) - 1;
	vocabulary->index = allocate(2u << TABLES_ID_BITS, sizeof(uint32_t));
	memset(vocabulary->index, 0xFF, (2u << TABLES_ID_BITS) * sizeof(uint32_t));
	while (*at != 0) {
		if (vocabulary->count == (1u << TABLES_ID_BITS) - 1)
			fail("more tokens than ids have bits", name);
		parse_line(vocabulary, &at, &free_bytes);
	}
	for (unsigned int byte = 0; byte < 256; byte++)
		if (vocabulary_find(vocabulary, &(uint8_t){(uint8_t)byte}, 1) == TABLES_NONE)
			fail("a byte is not a token", name);
	free(text);
}

void vocabulary_free(struct vocabulary *vocabulary)
{
	free(vocabulary->bytes);
	free(vocabulary->tokens);
	free(vocabulary->index);
}

/* One step of merging: the leftmost pair of lowest rank.  0: no pair is a token. */
static int merge_once(
    const struct vocabulary *vocabulary, const uint8_t *bytes, uint32_t *ends, uint32_t *count)
{
	uint32_t best = TABLES_NONE, best_at = 0;

	for (uint32_t i = 0; i + 1 < *count; i++) {
		uint32_t start = i == 0 ? 0 : ends[i - 1];
		uint32_t id = vocabulary_find(vocabulary, bytes + start, ends[i + 1] - start);

		if (id < best) {
			best = id;
			best_at = i;
		}
	}
	if (best == TABLES_NONE)
		return 0;
	memmove(ends + best_at, ends + best_at + 1, (--*count - best_at) * sizeof(*ends));
	return 1;
}

void vocabulary_find_merges(struct vocabulary *vocabulary)
{
	for (uint32_t id = 0; id < vocabulary->count; id++) {
		struct token *token = &vocabulary->tokens[id];
		uint32_t ends[256], count = token->len;

		if (token->len > 255)
			fail("a token is longer than 255 bytes", vocabulary->name);
		for (uint32_t i = 0; i < count; i++)
			ends[i] = i + 1;
		while (count > 2)
			if (!merge_once(vocabulary, token->bytes, ends, &count))
				fail("merging does not reach a token", vocabulary->name);
		if (count < 2)
			continue;
		token->left = vocabulary_find(vocabulary, token->bytes, ends[0]);
		token->right =
		    vocabulary_find(vocabulary, token->bytes + ends[0], token->len - ends[0]);
		if (token->left >= id || token->right >= id)
			fail("a token comes before its parts", vocabulary->name);
	}
}
