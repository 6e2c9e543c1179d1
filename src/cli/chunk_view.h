/* SPDX-License-Identifier: MIT */
/*
 * Chunk view: chunks for people.  chunk_view_show draws each chunk between
 * rules that tell its count, with what it shares with the chunk before dimmed;
 * chunk_view_stats draws a histogram of sizes.  Pure: they append to `out`.
 */
#ifndef CLI_CHUNK_VIEW_H
#define CLI_CHUNK_VIEW_H

#include <embed.h>

#include "base/buffer.h"

/*
 * `columns`: width of the rules; a heading that does not fit is cut.  Control
 * characters are shown as U+00B7, but for newline and tab of the text.
 */
void chunk_view_show(struct buffer *out, const char *bytes, const embed_chunks *chunks,
    size_t columns, bool has_color);

/* Sizes gathered over any number of texts. */
struct chunk_stats {
	size_t *tokens;
	size_t count, cap;
	size_t texts;
	size_t shared_bytes, bytes;
};

/* False: out of memory. */
bool chunk_stats_add(struct chunk_stats *stats, const embed_chunks *chunks);
void chunk_stats_fini(struct chunk_stats *stats);

void chunk_view_stats(struct buffer *out, struct chunk_stats *stats, size_t columns);

#endif
