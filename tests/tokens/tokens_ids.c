/* SPDX-License-Identifier: MIT */
/*
 * Texts in on stdin, ids out on stdout, for the comparison with the reference.
 *
 *	tokens_ids ENCODING
 *
 * In: length as a little-endian 32-bit number, then the bytes; repeated.  Out:
 * how many ids, then the ids, likewise.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tokens/tokens.h"

#define TEXT_MAX (64u << 20)

static int fail(const char *what)
{
	fprintf(stderr, "tokens_ids: %s\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	const struct tokens_encoding *encoding = argc == 2 ? tokens_encoding_find(argv[1]) : NULL;
	struct tokens_encoder *encoder;
	struct buffer text, ids;
	uint32_t len;

	if (encoding == NULL)
		return fail("usage: tokens_ids ENCODING");
	encoder = tokens_encoder_of_thread(encoding);
	buffer_init(&text, TEXT_MAX);
	buffer_init(&ids, SIZE_MAX / 2);
	while (fread(&len, sizeof(len), 1, stdin) == 1) {
		uint32_t count;
		char *room;

		buffer_reset(&text);
		buffer_reset(&ids);
		room = buffer_reserve(&text, len);
		if (room == NULL || fread(room, 1, len, stdin) != len)
			return fail("a text is too long or cut off");
		if (tokens_encode(encoder, room, len, &ids) != EMBED_OK)
			return fail("out of memory");
		count = (uint32_t)(ids.len / sizeof(uint32_t));
		fwrite(&count, sizeof(count), 1, stdout);
		fwrite(ids.bytes, 1, ids.len, stdout);
	}
	buffer_fini(&text);
	buffer_fini(&ids);
	return 0;
}
