/* SPDX-License-Identifier: MIT */
/*
 * Chunking: how commands cut a text, whether or not the strategy needs vectors.
 */
#ifndef CLI_CHUNKING_H
#define CLI_CHUNKING_H

#include <embed.h>

/* Settings that can never work, told before anything is read: EMBED_BAD_OPTION. */
enum embed_status chunking_check(
    const struct embed_chunk_options *options, struct embed_error *error);

/*
 * As embed_chunk, or as embed_chunk_semantic where the strategy is semantic:
 * only then are `service` and `request` looked at.  The caller destroys the chunks.
 */
enum embed_status chunking_cut(embed_service *service, const char *bytes, size_t len,
    const struct embed_chunk_options *options, const struct embed_request *request,
    embed_chunks **out, struct embed_error *error);

#endif
