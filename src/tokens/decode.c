/* SPDX-License-Identifier: MIT */
#include "tokens/tokens.h"

#include "tokens/vocabulary.h"

const char *tokens_bytes_of(const struct tokens_encoding *encoding, uint32_t id, size_t *len)
{
	if (id >= encoding->count)
		return NULL;
	return (const char *)vocabulary_bytes(encoding, id, len);
}

static const char *special_text(const struct tokens_encoding *encoding, uint32_t id)
{
	const struct tokens_special *special = encoding->specials;

	while (special->text != NULL && special->id != id)
		special++;
	return special->text;
}

static bool append_token(const struct tokens_encoding *encoding, uint32_t id, struct buffer *bytes)
{
	size_t len;
	const char *text = tokens_bytes_of(encoding, id, &len);

	if (text != NULL) {
		buffer_append(bytes, text, len);
		return true;
	}
	text = special_text(encoding, id);
	if (text != NULL)
		buffer_append_text(bytes, text);
	return text != NULL;
}

enum embed_status tokens_decode(const struct tokens_encoding *encoding, const uint32_t *ids,
    size_t count, struct buffer *bytes, size_t *bad)
{
	for (size_t i = 0; i < count; i++) {
		if (!append_token(encoding, ids[i], bytes)) {
			if (bad != NULL)
				*bad = i;
			return EMBED_BAD_TOKEN;
		}
		if (bytes->status != EMBED_OK)
			return bytes->status;
	}
	return EMBED_OK;
}
