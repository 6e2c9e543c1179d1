/* SPDX-License-Identifier: MIT */
#include "cli/chunking.h"

enum embed_status chunking_check(
    const struct embed_chunk_options *options, struct embed_error *error)
{
	struct embed_chunk_options looked_at = *options;
	embed_chunks *chunks;
	enum embed_status status;

	if (looked_at.strategy == EMBED_CHUNK_SEMANTIC) /* needs vectors; sizes are judged alike */
		looked_at.strategy = EMBED_CHUNK_SENTENCES;
	status = embed_chunk("", 0, &looked_at, &chunks, error);
	if (status == EMBED_OK)
		embed_chunks_destroy(chunks);
	return status;
}

enum embed_status chunking_cut(embed_service *service, const char *bytes, size_t len,
    const struct embed_chunk_options *options, const struct embed_request *request,
    embed_chunks **out, struct embed_error *error)
{
	if (options->strategy == EMBED_CHUNK_SEMANTIC)
		return embed_chunk_semantic(service, bytes, len, options, request, out, error);
	return embed_chunk(bytes, len, options, out, error);
}
