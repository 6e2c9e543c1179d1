/* SPDX-License-Identifier: MIT */
/* Cleaner: any bytes, any flags (the first two bytes): idempotent, well-formed, spans that hold. */
#include <stdlib.h>
#include <string.h>

#include "text/clean.h"
#include "text/utf8.h"

#define ALL_FLAGS ((EMBED_CLEAN_MARKDOWN << 1) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spans(const char *source, size_t source_len, const embed_cleaned *cleaned)
{
	size_t len, count;
	const char *bytes = clean_bytes(cleaned, &len);
	const struct embed_clean_span *spans = clean_spans(cleaned, &count);

	if (spans[count - 1].clean != len || spans[count - 1].source != source_len)
		abort();
	for (size_t i = 0; i + 1 < count; i++) {
		size_t part = spans[i + 1].clean - spans[i].clean;

		if (spans[i + 1].clean < spans[i].clean || spans[i + 1].source < spans[i].source)
			abort();
		if (spans[i].is_verbatim &&
		    (spans[i + 1].source - spans[i].source != part ||
			memcmp(bytes + spans[i].clean, source + spans[i].source, part) != 0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	embed_cleaned *once, *twice;
	uint32_t flags;
	size_t len, again_len;
	const char *bytes, *again;

	if (size < 2)
		return 0;
	flags = ((uint32_t)data[0] | (uint32_t)data[1] << 8) & ALL_FLAGS;
	data += 2;
	size -= 2;
	if (clean_text((const char *)data, size, flags, &once, NULL) != EMBED_OK)
		return 0;
	bytes = clean_bytes(once, &len);
	check_spans((const char *)data, size, once);
	if (!utf8_is_well_formed(bytes, len))
		abort();
	if (clean_text(bytes, len, flags, &twice, NULL) != EMBED_OK)
		abort();
	again = clean_bytes(twice, &again_len);
	if (again_len != len || memcmp(again, bytes, len) != 0)
		abort();
	clean_destroy(twice);
	clean_destroy(once);
	return 0;
}
