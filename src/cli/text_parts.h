/* SPDX-License-Identifier: MIT */
/*
 * Text parts: a text of any length, read in parts that can be counted apart.
 *
 * Parts end after a line end that a letter follows.  No encoding has a piece
 * across such a place, so the ids of the parts put together are the ids of the
 * whole.  Memory is bounded by the longest stretch without one, which is at
 * most TEXT_PARTS_MAX_BYTES.
 */
#ifndef CLI_TEXT_PARTS_H
#define CLI_TEXT_PARTS_H

#include <embed.h>

#define TEXT_PARTS_MAX_BYTES (256u << 20)

/* Takes one part; a status other than EMBED_OK ends the reading. */
typedef enum embed_status text_parts_fn(const char *bytes, size_t len, void *context);

/* Reads `fd` to its end; `name` is for messages.  An empty text is no part. */
enum embed_status text_parts_read(
    int fd, const char *name, text_parts_fn *fn, void *context, struct embed_error *error);

/* Where the last part of the bytes may end; 0: nowhere yet.  Looks back from the end. */
size_t text_parts_end(const char *bytes, size_t len);

#endif
