/* SPDX-License-Identifier: MIT */
/*
 * A program that uses both encodings to the full: every token is looked up,
 * merged and given back as bytes, and then texts that never repeat fill all
 * that an encoder keeps.  Prints what of it is in memory; fails at 16 MB.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "tokens/tokens.h"

#define LIMIT_BYTES 16000000
#define TEXT_BYTES  4096
#define TEXTS       8000

static const char *const names[2] = {"cl100k_base", "o200k_base"};

static void fail(const char *what)
{
	fprintf(stderr, "tokens_memory: %s\n", what);
	exit(1);
}

static size_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	if (file == NULL || fscanf(file, "%*u %zu", &pages) != 1)
		fail("no /proc/self/statm");
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t count(const struct tokens_encoding *encoding, const char *bytes, size_t len)
{
	size_t tokens = 0;

	if (tokens_count(tokens_encoder_of_thread(encoding), bytes, len, &tokens) != EMBED_OK)
		fail("cannot count");
	return tokens;
}

static void use_every_token(const struct tokens_encoding *encoding)
{
	const char *bytes;
	size_t len;

	for (uint32_t id = 0; (bytes = tokens_bytes_of(encoding, id, &len)) != NULL; id++)
		if (len == 0 || count(encoding, bytes, len) == 0)
			fail("a token is empty");
}

/* Words of letters of several alphabets, each word met once. */
static void use_random_text(const struct tokens_encoding *encoding, struct random *random)
{
	static const uint32_t alphabets[][2] = {{'a', 26}, {0x3B1, 25}, {0x430, 32}, {0x5D0, 27},
	    {0x905, 50}, {0xE01, 46}, {0x4E00, 20000}};
	char text[TEXT_BYTES];
	size_t len = 0;

	while (len + 64 < sizeof(text)) {
		const uint32_t *alphabet = alphabets[random_below(random, 7)];

		text[len++] = ' ';
		for (uint64_t left = 3 + random_below(random, 8); left > 0; left--) {
			uint32_t c = alphabet[0] + (uint32_t)random_below(random, alphabet[1]);

			if (c >= 0x800)
				text[len++] = (char)(0xE0 | c >> 12);
			if (c >= 0x80)
				text[len++] =
				    (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6);
			text[len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c);
		}
	}
	count(encoding, text, len);
}

int main(void)
{
	struct random random = {3};
	size_t resident;

	for (int e = 0; e < 2; e++)
		use_every_token(tokens_encoding_find(names[e]));
	for (int text = 0; text < TEXTS; text++)
		use_random_text(tokens_encoding_find(names[text % 2]), &random);
	resident = resident_bytes();
	printf("resident with both encodings in full use: %zu bytes\n", resident);
	return resident < LIMIT_BYTES ? 0 : 1;
}
