/* SPDX-License-Identifier: MIT */
#include "tokens/tokens.h"

#include <stdlib.h>

#include "tokens/encoder.h"

_Static_assert(
    sizeof(struct tokens_encoder) + sizeof(struct memo) + MEMO_MEMORY_BYTES <= TOKENS_ENCODER_BYTES,
    "an encoder has outgrown its promise");

struct tokens_encoder *encoder_create(const struct tokens_encoding *encoding, struct memo *memo)
{
	struct tokens_encoder *encoder =
	    calloc(1, sizeof(*encoder)); /* untouched pages cost nothing */

	if (encoder == NULL)
		return NULL;
	encoder->encoding = encoding;
	buffer_init(&encoder->scratch, MEMO_BYTES * sizeof(uint32_t));
	encoder->split = split_best();
	encoder->merge_jobs = merge_jobs_best();
	encoder->has_own_memo = memo == NULL;
	encoder->memo = memo == NULL ? memo_create() : memo;
	if (encoder->memo == NULL) {
		free(encoder);
		return NULL;
	}
	return encoder;
}

struct tokens_encoder *tokens_encoder_create(const struct tokens_encoding *encoding)
{
	return encoder_create(encoding, NULL);
}

void tokens_encoder_destroy(struct tokens_encoder *encoder)
{
	if (encoder == NULL)
		return;
	if (encoder->has_own_memo)
		memo_destroy(encoder->memo);
	buffer_fini(&encoder->scratch);
	free(encoder);
}

enum embed_status tokens_count_up_to(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t limit, size_t *tokens)
{
	struct encoder_sink sink = {.limit = limit};
	enum embed_status status;

	if (encoder == NULL)
		return EMBED_NO_MEMORY;
	status = encoder_run(encoder, (const uint8_t *)bytes, len, 0, &sink);
	if (status == EMBED_OK)
		*tokens = sink.tokens;
	return status;
}

enum embed_status tokens_count(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t *tokens)
{
	return tokens_count_up_to(encoder, bytes, len, SIZE_MAX, tokens);
}

enum embed_status tokens_encode(
    struct tokens_encoder *encoder, const char *bytes, size_t len, struct buffer *ids)
{
	struct encoder_sink sink = {.ids = ids, .limit = SIZE_MAX};

	if (encoder == NULL)
		return EMBED_NO_MEMORY;
	return encoder_run(encoder, (const uint8_t *)bytes, len, 0, &sink);
}
