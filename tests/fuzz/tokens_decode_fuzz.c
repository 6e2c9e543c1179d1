/* SPDX-License-Identifier: MIT */
/*
 * Decoder.  Any numbers: either all are tokens and the text is theirs put
 * together, or the first that is none is named.
 */
#include <stdlib.h>
#include <string.h>

#include "tokens/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name, const uint32_t *ids, size_t count)
{
	const struct tokens_encoding *encoding = tokens_encoding_find(name);
	struct buffer bytes, again;
	size_t bad = count;
	enum embed_status status;

	buffer_init(&bytes, SIZE_MAX / 2);
	buffer_init(&again, SIZE_MAX / 2);
	status = tokens_decode(encoding, ids, count, &bytes, &bad);
	if (status != EMBED_OK && (status != EMBED_BAD_TOKEN || bad >= count))
		abort();
	for (size_t i = 0; i < bad; i++)
		if (tokens_decode(encoding, ids + i, 1, &again, NULL) != EMBED_OK)
			abort();
	if (bad < count && tokens_decode(encoding, ids + bad, 1, &again, NULL) != EMBED_BAD_TOKEN)
		abort();
	if (again.len != bytes.len ||
	    (bytes.len > 0 && memcmp(again.bytes, bytes.bytes, bytes.len) != 0))
		abort();
	buffer_fini(&bytes);
	buffer_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / 3;
	uint32_t *ids = malloc(count * sizeof(*ids) + 1);

	/* Three bytes each, so that most are near or below the end of a vocabulary. */
	for (size_t i = 0; i < count; i++)
		ids[i] = data[3 * i] | (uint32_t)data[3 * i + 1] << 8 |
			 (uint32_t)(data[3 * i + 2] & 3) << 16;
	check("cl100k_base", ids, count);
	check("o200k_base", ids, count);
	free(ids);
	return 0;
}
