/* SPDX-License-Identifier: MIT */
/* The list that chunking gives out (embed_chunks); chunk.h has its accessors. */
#ifndef CHUNK_LIST_H
#define CHUNK_LIST_H

#include <embed.h>

#include "base/buffer.h"

/* Takes over the contents of both buffers (struct embed_chunk, struct heading), on success only. */
enum embed_status chunk_list_create(
    embed_chunks **out, struct buffer *chunks, struct buffer *headings);

#endif
