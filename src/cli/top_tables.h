/* SPDX-License-Identifier: MIT */
/* Top's tables: upstreams, keys, latest errors; and reading a snapshot's members.  Threads: none. */
#ifndef CLI_TOP_TABLES_H
#define CLI_TOP_TABLES_H

#include "cli/top_view.h"

/* A member, 0 or "" when it is not there: an older gateway has fewer. */
uint64_t top_number(const json_t *object, const char *name);
uint64_t top_number_in(const json_t *object, const char *inner, const char *name);
const char *top_text(const json_t *object, const char *name);

void top_draw_times(struct top_lines *lines, struct buffer *line, const struct top_view *view);
void top_draw_upstreams(struct top_lines *lines, struct buffer *line, const struct top_view *view);
void top_draw_keys(struct top_lines *lines, struct buffer *line, const struct top_view *view);
void top_draw_errors(struct top_lines *lines, struct buffer *line, const struct top_view *view);

#endif
