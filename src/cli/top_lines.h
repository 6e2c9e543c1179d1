/* SPDX-License-Identifier: MIT */
/*
 * Top's lines: how a view adds lines, and the parts that they are made of.
 * Threads: none.
 */
#ifndef CLI_TOP_LINES_H
#define CLI_TOP_LINES_H

#include "cli/top_view.h"

/* Characters of UTF-8, each of which is taken to fill one column. */
size_t top_columns(const char *text, size_t len);

/* Cut to the width, without blanks at its end. */
void top_line_add(struct top_lines *lines, enum top_style style, const char *text, size_t len);
/* The same with a buffer, which is empty then. */
void top_line_take(struct top_lines *lines, enum top_style style, struct buffer *text);

/* The whole of it, on as many lines as it needs; those after the first are indented. */
void top_line_wrap(struct top_lines *lines, enum top_style style, struct buffer *text);

/* Padded to `width` columns, or cut with an ellipsis. */
void top_append_cell(struct buffer *out, const char *text, size_t width, bool is_right);

void top_append_time(struct buffer *out, uint64_t us);     /* "31ms" */
void top_append_bytes(struct buffer *out, uint64_t bytes); /* "12MiB" */
void top_append_percent(struct buffer *out, uint64_t part, uint64_t whole);
void top_append_bar(struct buffer *out, double share, size_t width); /* "[##  ]" */
/* The last `width` values as blocks of eight heights. */
void top_append_trend(struct buffer *out, const uint64_t *values, size_t count, size_t width);

#endif
