/* SPDX-License-Identifier: MIT */
#include "service/too_long.h"

#include "chunk/chunk.h"
#include "service/input.h"
#include "text/utf8.h"

/* The longest token of either encoding (../tokens). */
#define LONGEST_TOKEN_BYTES 128

static enum embed_status truncate_ids(const struct scope *scope, const struct embed_text *input,
    struct embed_text *out, uint32_t *tokens)
{
	*out = (struct embed_text){.ids = input->ids, .id_count = scope->text_tokens};
	*tokens = scope->text_tokens;
	return EMBED_OK;
}

/* The last safe cut with at most `limit` tokens; 0 when the first piece is longer already. */
static size_t cut_within(const struct buffer *cuts, size_t limit, uint32_t *tokens)
{
	const struct tokens_cut *cut = (const struct tokens_cut *)(const void *)cuts->bytes;
	size_t count = cuts->len / sizeof(*cut), low = 0, high = count - 1, middle;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (cut[middle].tokens <= limit)
			low = middle;
		else
			high = middle - 1;
	}
	*tokens = (uint32_t)cut[low].tokens;
	return cut[low].offset;
}

static enum embed_status truncate_inside_a_piece(
    const struct scope *scope, struct embed_text *out, size_t len, uint32_t *tokens)
{
	enum embed_status status;
	size_t prefix_len, prefix_tokens;

	status = tokens_prefix(tokens_encoder_of_thread(scope->encoding), out->bytes, len,
	    scope->text_tokens, &prefix_len, &prefix_tokens);
	if (status != EMBED_OK)
		return status;
	out->len = prefix_len;
	*tokens = (uint32_t)prefix_tokens;
	return prefix_len > 0 ? EMBED_OK : EMBED_TEXT_TOO_LONG;
}

enum embed_status too_long_truncate(const struct scope *scope, const struct embed_text *input,
    struct embed_text *out, uint32_t *tokens)
{
	size_t reach = (size_t)scope->text_tokens * LONGEST_TOKEN_BYTES;
	enum embed_status status;
	struct buffer cuts;

	if (input_is_ids(input))
		return truncate_ids(scope, input, out, tokens);
	if (reach > input->len)
		reach = input->len;
	reach = utf8_floor(input->bytes, input->len, reach);
	buffer_init(&cuts, SIZE_MAX / 2);
	status = tokens_cuts(tokens_encoder_of_thread(scope->encoding), input->bytes, reach, &cuts);
	if (status == EMBED_OK) {
		*out = (struct embed_text){.bytes = input->bytes};
		out->len = cut_within(&cuts, scope->text_tokens, tokens);
		if (out->len == 0)
			status = truncate_inside_a_piece(scope, out, reach, tokens);
	}
	buffer_fini(&cuts);
	return status;
}

static enum embed_status split_ids(
    const struct scope *scope, const struct embed_text *input, too_long_fn *fn, void *context)
{
	size_t limit = scope->text_tokens, count = (input->id_count + limit - 1) / limit;
	enum embed_status status = EMBED_OK;
	struct embed_text part;

	for (size_t i = 0; i < count && status == EMBED_OK; i++) {
		part = (struct embed_text){.ids = input->ids + i * limit,
		    .id_count = i + 1 < count ? limit : input->id_count - i * limit};
		status = fn(&part, (uint32_t)part.id_count, i, count, context);
	}
	return status;
}

enum embed_status too_long_split(const struct scope *scope, const struct embed_text *input,
    too_long_fn *fn, void *context, struct embed_error *error)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	const struct embed_chunk *chunk;
	enum embed_status status;
	embed_chunks *chunks;
	struct embed_text part;

	if (input_is_ids(input))
		return split_ids(scope, input, fn, context);
	options.strategy = EMBED_CHUNK_TOKENS;
	options.max = scope->text_tokens;
	options.encoding = tokens_encoding_name(scope->encoding);
	status = chunk_text(input->bytes, input->len, &options, &chunks, error);
	if (status != EMBED_OK)
		return status;
	for (size_t i = 0; i < chunk_count(chunks) && status == EMBED_OK; i++) {
		chunk = chunk_at(chunks, i);
		part = (struct embed_text){
		    .bytes = input->bytes + chunk->start, .len = chunk->end - chunk->start};
		status = fn(&part, (uint32_t)chunk->tokens, i, chunk_count(chunks), context);
	}
	chunk_destroy(chunks);
	return status;
}
