/* SPDX-License-Identifier: MIT */
/* The public functions that need no service: tokens, cleaning, chunking. */
#include <embed.h>

#include <stdlib.h>

#include "base/buffer.h"
#include "chunk/chunk.h"
#include "text/clean.h"
#include "tokens/tokens.h"

enum embed_status embed_count_tokens(
    const char *encoding, const char *bytes, size_t len, size_t *tokens)
{
	const struct tokens_encoding *found = tokens_encoding_find(encoding);

	if (found == NULL)
		return EMBED_NOT_FOUND;
	return tokens_count(tokens_encoder_of_thread(found), bytes, len, tokens);
}

enum embed_status embed_encode(
    const char *encoding, const char *bytes, size_t len, uint32_t **ids, size_t *count)
{
	const struct tokens_encoding *found = tokens_encoding_find(encoding);
	enum embed_status status;
	struct buffer out;
	size_t out_len;

	if (found == NULL)
		return EMBED_NOT_FOUND;
	buffer_init(&out, SIZE_MAX / 2);
	status = tokens_encode(tokens_encoder_of_thread(found), bytes, len, &out);
	if (status == EMBED_OK) {
		*ids = (uint32_t *)(void *)buffer_take(&out, &out_len);
		*count = out_len / sizeof(uint32_t);
		status = *ids == NULL ? EMBED_NO_MEMORY : EMBED_OK;
	}
	buffer_fini(&out);
	return status;
}

enum embed_status embed_decode(
    const char *encoding, const uint32_t *ids, size_t count, char **bytes, size_t *len)
{
	const struct tokens_encoding *found = tokens_encoding_find(encoding);
	enum embed_status status;
	struct buffer out;

	if (found == NULL)
		return EMBED_NOT_FOUND;
	buffer_init(&out, SIZE_MAX / 2);
	status = tokens_decode(found, ids, count, &out, NULL);
	if (status == EMBED_OK) {
		*bytes = buffer_take(&out, len);
		status = *bytes == NULL ? EMBED_NO_MEMORY : EMBED_OK;
	}
	buffer_fini(&out);
	return status;
}

void embed_free(void *memory)
{
	free(memory);
}

enum embed_status embed_clean(
    const char *bytes, size_t len, uint32_t flags, embed_cleaned **out, struct embed_error *error)
{
	return clean_text(bytes, len, flags, out, error);
}

const char *embed_cleaned_bytes(const embed_cleaned *cleaned, size_t *len)
{
	return clean_bytes(cleaned, len);
}

const struct embed_clean_span *embed_cleaned_spans(const embed_cleaned *cleaned, size_t *count)
{
	return clean_spans(cleaned, count);
}

void embed_cleaned_source_range(const embed_cleaned *cleaned, size_t start, size_t end,
    size_t *source_start, size_t *source_end)
{
	clean_source_range(cleaned, start, end, source_start, source_end);
}

void embed_cleaned_destroy(embed_cleaned *cleaned)
{
	clean_destroy(cleaned);
}

enum embed_status embed_chunk(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error)
{
	return chunk_text(bytes, len, options, out, error);
}

size_t embed_chunks_count(const embed_chunks *chunks)
{
	return chunk_count(chunks);
}

const struct embed_chunk *embed_chunks_at(const embed_chunks *chunks, size_t index)
{
	return chunk_at(chunks, index);
}

void embed_chunks_destroy(embed_chunks *chunks)
{
	chunk_destroy(chunks);
}
