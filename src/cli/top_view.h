/* SPDX-License-Identifier: MIT */
/*
 * Top's view: what a snapshot of the gateway looks like in so many columns
 * and lines.
 *
 * Pure: JSON and a size in, lines of UTF-8 out, none of them wider than asked.
 * Threads: none.
 */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include <jansson.h>

#include "base/buffer.h"

#define TOP_WIDTH_MIN 40
#define TOP_WIDTH_MAX 400
#define TOP_TREND_MAX 240

/* The places of --sort. */
enum top_sort {
	TOP_BY_NAME,
	TOP_BY_TEXTS,
	TOP_BY_TOKENS,
	TOP_BY_COST,
	TOP_BY_MONTH,
	TOP_BY_SAVED,
	TOP_SORTS
};

enum top_style { TOP_PLAIN, TOP_STRONG, TOP_DIM, TOP_HEAD, TOP_BAD };

/* The last seconds' texts and billed tokens, oldest first. */
struct top_trend {
	uint64_t texts[TOP_TREND_MAX];
	uint64_t billed_tokens[TOP_TREND_MAX];
	uint64_t free_texts[TOP_TREND_MAX]; /* hits and joined */
	size_t count;
};

/* From GET /dashboard/history?span=15m, and each snapshot's "second" after it. */
void top_trend_fill(struct top_trend *trend, const json_t *history);
void top_trend_add(struct top_trend *trend, const json_t *second);

struct top_view {
	const json_t *snapshot;
	const struct top_trend *trend;
	const char *notice; /* said at the top, when there is something wrong; or NULL */
	enum top_sort sort;
	bool is_rising; /* smallest first */
	size_t width;   /* columns */
};

struct top_line {
	size_t start, len; /* in top_lines.text */
	enum top_style style;
};

#define TOP_LINES_MAX 256

struct top_lines {
	struct buffer text;
	struct top_line lines[TOP_LINES_MAX];
	size_t count;
	size_t width;
};

void top_lines_init(struct top_lines *lines);
void top_lines_fini(struct top_lines *lines);

/* Writes the picture anew.  Lines past TOP_LINES_MAX are left out. */
void top_view_draw(struct top_lines *lines, const struct top_view *view);

#endif
