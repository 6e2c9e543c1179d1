/* SPDX-License-Identifier: MIT */
#include "cli/top_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"
#include "cli/top_lines.h"

#define CELL_MAX_BYTES 512
#define KEYS_MAX       128
#define REST_MIN       12 /* columns that a last, open column wants */

uint64_t top_number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (uint64_t)value : 0;
}

uint64_t top_number_in(const json_t *object, const char *inner, const char *name)
{
	return top_number(json_object_get(object, inner), name);
}

const char *top_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* ---- Columns ------------------------------------------------------------------- */

typedef void cell_fn(struct buffer *out, const json_t *row);

struct column {
	const char *title;
	size_t width; /* 0: what is left of the line */
	bool is_right;
	cell_fn *cell;
};

/* As many whole columns as the line holds. */
static void draw_row(struct top_lines *lines, struct buffer *line, const struct column *columns,
    size_t count, const json_t *row, enum top_style style)
{
	size_t used = 0;
	struct buffer cell;

	buffer_init(&cell, CELL_MAX_BYTES);
	for (size_t i = 0; i < count; i++) {
		size_t left = lines->width > used ? lines->width - used : 0;
		size_t width = columns[i].width ? columns[i].width : left;

		if (width > left || (columns[i].width == 0 && left < REST_MIN))
			break;
		buffer_reset(&cell);
		if (row)
			columns[i].cell(&cell, row);
		else
			buffer_append_text(&cell, columns[i].title);
		buffer_append_char(&cell, '\0');
		if (cell.status == EMBED_OK)
			top_append_cell(line, cell.bytes, width, columns[i].is_right);
		buffer_append_text(line, "  ");
		used += width + 2;
	}
	buffer_fini(&cell);
	top_line_take(lines, style, line);
}

#define COUNT(columns) (sizeof(columns) / sizeof((columns)[0]))

static void draw_blank(struct top_lines *lines)
{
	top_line_add(lines, TOP_PLAIN, "", 0);
}

/* ---- Times and sizes ---------------------------------------------------------------- */

/* What a row is called, where it lies in the snapshot, and whether it is a time. */
struct measure {
	const char *title, *group, *name;
	bool is_time;
};

static const char *const quantiles[] = {"p50", "p90", "p99", "p999", "max"};

static void draw_measure(struct top_lines *lines, struct buffer *line,
    const struct measure *measure, const json_t *snapshot)
{
	const json_t *of =
	    json_object_get(json_object_get(snapshot, measure->group), measure->name);
	struct buffer cell;
	char name[16];

	buffer_init(&cell, CELL_MAX_BYTES);
	top_append_cell(line, measure->title, 14, false);
	for (size_t i = 0; i < COUNT(quantiles); i++) {
		snprintf(name, sizeof(name), "%s%s", quantiles[i], measure->is_time ? "_us" : "");
		buffer_reset(&cell);
		if (measure->is_time)
			top_append_time(&cell, top_number(of, name));
		else
			progress_append_short(&cell, top_number(of, name));
		buffer_append_char(&cell, '\0');
		if (cell.status == EMBED_OK)
			top_append_cell(line, cell.bytes, 8, true);
	}
	buffer_fini(&cell);
	top_line_take(lines, TOP_PLAIN, line);
}

void top_draw_times(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	static const struct measure measures[] = {
	    {"hits", "latency", "hit", true},
	    {"misses", "latency", "miss", true},
	    {"  for a slot", "latency", "queue", true},
	    {"  for limits", "latency", "pacing", true},
	    {"  upstream", "latency", "attempt", true},
	    {"  tried again", "latency", "retry", true},
	    {"batch, texts", "sizes", "batch_texts", false},
	    {"batch, tokens", "sizes", "batch_tokens", false},
	};

	draw_blank(lines);
	top_append_cell(line, "TIMES", 14, false);
	for (size_t i = 0; i < COUNT(quantiles); i++)
		top_append_cell(line, i == 3 ? "p99.9" : quantiles[i], 8, true);
	top_line_take(lines, TOP_HEAD, line);
	for (size_t i = 0; i < COUNT(measures); i++)
		draw_measure(lines, line, &measures[i], view->snapshot);
}

/* ---- Upstreams -------------------------------------------------------------------- */

static void cell_name(struct buffer *out, const json_t *row)
{
	buffer_append_text(out, top_text(row, "name"));
}

static void cell_breaker(struct buffer *out, const json_t *row)
{
	static const char *const words[][2] = {
	    {"closed", "in use"}, {"open", "avoided"}, {"half-open", "being tried"}};
	const char *state = top_text(row, "breaker");

	if (json_is_true(json_object_get(row, "is_barred")))
		state = "refuses us";
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i][0], state) == 0)
			state = words[i][1];
	buffer_append_text(out, state);
}

static void cell_slots(struct buffer *out, const json_t *row)
{
	buffer_printf(out, "%llu of %llu", (unsigned long long)top_number(row, "in_flight"),
	    (unsigned long long)top_number(row, "slots"));
}

static void append_left(struct buffer *out, const json_t *row, const char *left, const char *limit)
{
	double most = json_number_value(json_object_get(row, limit));
	double there = json_number_value(json_object_get(row, left));

	if (most <= 0) {
		buffer_append_char(out, '-');
		return;
	}
	progress_append_short(out, there > 0 ? (uint64_t)there : 0);
	buffer_append_text(out, " of ");
	progress_append_short(out, (uint64_t)most);
}

static void cell_requests(struct buffer *out, const json_t *row)
{
	append_left(out, row, "requests_left", "requests_per_minute");
}

static void cell_tokens(struct buffer *out, const json_t *row)
{
	append_left(out, row, "tokens_left", "tokens_per_minute");
}

static void cell_attempts(struct buffer *out, const json_t *row)
{
	progress_append_short(out, top_number(row, "attempts"));
}

static void cell_failures(struct buffer *out, const json_t *row)
{
	progress_append_short(out, top_number(row, "failures"));
}

static void cell_last_error(struct buffer *out, const json_t *row)
{
	buffer_append_text(out, top_text(row, "last_error"));
}

void top_draw_upstreams(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	static const struct column columns[] = {
	    {"UPSTREAM", 22, false, cell_name},
	    {"STATE", 11, false, cell_breaker},
	    {"UNDER WAY", 9, true, cell_slots},
	    {"SENT", 7, true, cell_attempts},
	    {"FAILED", 7, true, cell_failures},
	    {"REQUESTS LEFT/MIN", 17, true, cell_requests},
	    {"TOKENS LEFT/MIN", 15, true, cell_tokens},
	    {"LAST ERROR", 0, false, cell_last_error},
	};
	const json_t *rows = json_object_get(view->snapshot, "upstreams");

	draw_blank(lines);
	draw_row(lines, line, columns, COUNT(columns), NULL, TOP_HEAD);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		bool is_open = strcmp(top_text(row, "breaker"), "closed") != 0 ||
			       json_is_true(json_object_get(row, "is_barred"));

		draw_row(lines, line, columns, COUNT(columns), row, is_open ? TOP_BAD : TOP_PLAIN);
	}
}

/* ---- Keys ---------------------------------------------------------------------------- */

static uint64_t texts_of(const json_t *row)
{
	const json_t *today = json_object_get(row, "today");

	return top_number(today, "billed_texts") + top_number(today, "hit_texts") +
	       top_number(today, "joined_texts");
}

static void cell_key(struct buffer *out, const json_t *row)
{
	const char *name = top_text(row, "name");

	buffer_append_text(out, *name ? name : "(no key)");
}

static void cell_lane(struct buffer *out, const json_t *row)
{
	buffer_append_text(out, top_text(row, "lane"));
}

static void cell_texts(struct buffer *out, const json_t *row)
{
	progress_append_short(out, texts_of(row));
}

static void cell_billed(struct buffer *out, const json_t *row)
{
	progress_append_short(out, top_number_in(row, "today", "billed_tokens"));
}

static void cell_cost(struct buffer *out, const json_t *row)
{
	progress_append_dollars(out, top_number_in(row, "today", "cost_nano"));
}

static void cell_month(struct buffer *out, const json_t *row)
{
	progress_append_dollars(out, top_number_in(row, "month", "cost_nano"));
}

static void cell_saved(struct buffer *out, const json_t *row)
{
	progress_append_dollars(out, top_number_in(row, "month", "saved_nano"));
}

static void cell_budget(struct buffer *out, const json_t *row)
{
	uint64_t budget = top_number(row, "budget_nano");
	uint64_t spent = top_number(row, "spent_nano");

	if (budget == 0) {
		buffer_append_char(out, '-');
		return;
	}
	top_append_bar(out, (double)spent / (double)budget, 10);
	buffer_append_char(out, ' ');
	top_append_percent(out, spent, budget);
	buffer_append_text(out, " of ");
	progress_append_dollars(out, budget);
	if (strcmp(top_text(row, "period"), "ever") != 0)
		buffer_printf(out, "/%s", top_text(row, "period"));
}

struct ranked {
	const json_t *row;
	const char *name;
	uint64_t rank;
};

static uint64_t rank_of(const json_t *row, enum top_sort sort)
{
	switch (sort) {
	case TOP_BY_TEXTS:
		return texts_of(row);
	case TOP_BY_TOKENS:
		return top_number_in(row, "today", "billed_tokens");
	case TOP_BY_COST:
		return top_number_in(row, "today", "cost_nano");
	case TOP_BY_MONTH:
		return top_number_in(row, "month", "cost_nano");
	case TOP_BY_SAVED:
		return top_number_in(row, "month", "saved_nano");
	default:
		return 0;
	}
}

/* Largest first; by name where they are equal. */
static int compare(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? 1 : -1;
	return strcmp(x->name, y->name);
}

void top_draw_keys(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	static const struct column columns[] = {
	    {"KEY", 20, false, cell_key},
	    {"TEXTS", 7, true, cell_texts},
	    {"TOKENS", 7, true, cell_billed},
	    {"COST TODAY", 12, true, cell_cost},
	    {"MONTH", 12, true, cell_month},
	    {"SAVED", 12, true, cell_saved},
	    {"LANE", 11, false, cell_lane},
	    {"BUDGET", 0, false, cell_budget},
	};
	const json_t *rows = json_object_get(view->snapshot, "keys");
	struct ranked ranked[KEYS_MAX];
	size_t count = json_array_size(rows) < KEYS_MAX ? json_array_size(rows) : KEYS_MAX;

	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(rows, i);

		ranked[i] = (struct ranked){row, top_text(row, "name"), rank_of(row, view->sort)};
	}
	qsort(ranked, count, sizeof(ranked[0]), compare);
	draw_blank(lines);
	draw_row(lines, line, columns, COUNT(columns), NULL, TOP_HEAD);
	for (size_t i = 0; i < count; i++)
		draw_row(lines, line, columns, COUNT(columns),
		    ranked[view->is_rising ? count - 1 - i : i].row, TOP_PLAIN);
	if (top_number(view->snapshot, "key_rows") > count) {
		buffer_printf(line, "and %llu that cost less this month",
		    (unsigned long long)(top_number(view->snapshot, "key_rows") - count));
		top_line_take(lines, TOP_DIM, line);
	}
}

/* ---- Errors --------------------------------------------------------------------------- */

static void cell_count(struct buffer *out, const json_t *row)
{
	progress_append_short(out, top_number(row, "count"));
}

static void cell_event(struct buffer *out, const json_t *row)
{
	buffer_append_text(out, top_text(row, "event"));
}

static void cell_why(struct buffer *out, const json_t *row)
{
	buffer_append_text(out, top_text(row, "text"));
	if (*top_text(row, "do"))
		buffer_printf(out, "; %s", top_text(row, "do"));
}

void top_draw_errors(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	static const struct column columns[] = {
	    {"ERROR", 22, false, cell_event},
	    {"TIMES", 7, true, cell_count},
	    {"WHY, AND WHAT TO DO", 0, false, cell_why},
	};
	const json_t *errors = json_object_get(view->snapshot, "errors");
	const json_t *faults = json_object_get(view->snapshot, "faults");

	if (json_array_size(errors) + json_array_size(faults) == 0)
		return;
	draw_blank(lines);
	draw_row(lines, line, columns, COUNT(columns), NULL, TOP_HEAD);
	for (size_t i = 0; i < json_array_size(errors); i++)
		draw_row(
		    lines, line, columns, COUNT(columns), json_array_get(errors, i), TOP_PLAIN);
	for (size_t i = 0; i < json_array_size(faults); i++)
		draw_row(
		    lines, line, columns, COUNT(columns), json_array_get(faults, i), TOP_PLAIN);
}
