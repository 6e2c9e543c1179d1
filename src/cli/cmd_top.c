/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/signals.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/top_fetch.h"
#include "cli/top_screen.h"
#include "cli/top_view.h"

#define SECOND_US  1000000
#define ONCE_WIDTH 120
#define PAGE_LINES 10
#define FOOT       "q quit  s sort keys by: %s  r turn round  p %s  arrows scroll"
#define JSON_MAX   (32u << 20)
#define SNAPSHOT   "/dashboard/snapshot"
#define HISTORY    "/dashboard/history?span=15m"

struct top_options {
#define OPTION OPTION_FIELD
#include "cli/top.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct top_options, __VA_ARGS__)
#include "cli/top.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("top", "Options of embed top", struct top_options, rows);

static const char *const sort_names[TOP_SORTS] = {
    "name", "texts today", "tokens today", "cost today", "cost this month", "saved this month"};

struct top {
	struct top_fetch *fetch;
	json_t *snapshot; /* the newest; NULL before the first */
	struct top_trend trend;
	struct embed_error error; /* of the last fetch */
	int64_t fetched_us;
	struct top_view view;
	struct top_lines lines;
	size_t first; /* line shown at the top */
	bool is_paused;
};

/* ---- Looking ----------------------------------------------------------------------- */

static enum embed_status fill_trend(struct top *top)
{
	json_t *history;
	enum embed_status status = top_fetch_json(top->fetch, HISTORY, &history, &top->error);

	if (status != EMBED_OK)
		return status;
	top_trend_fill(&top->trend, history);
	json_decref(history);
	return EMBED_OK;
}

/* When the gateway was not asked for a while, or is another one, its history tells what was missed. */
static enum embed_status take(struct top *top, json_t *snapshot)
{
	json_int_t before = json_integer_value(json_object_get(top->snapshot, "sequence"));
	json_int_t now = json_integer_value(json_object_get(snapshot, "sequence"));
	bool is_first = top->snapshot == NULL;

	json_decref(top->snapshot);
	top->snapshot = snapshot;
	if (!is_first && now == before)
		return EMBED_OK;
	if (is_first || now != before + 1)
		return fill_trend(top);
	top_trend_add(&top->trend, json_object_get(snapshot, "second"));
	return EMBED_OK;
}

static enum embed_status look(struct top *top)
{
	json_t *snapshot;
	enum embed_status status = top_fetch_json(top->fetch, SNAPSHOT, &snapshot, &top->error);

	top->fetched_us = clock_now_us();
	if (status == EMBED_OK)
		status = take(top, snapshot);
	top->view.notice = status == EMBED_OK ? NULL : top->error.message;
	return status;
}

static void draw(struct top *top, size_t width)
{
	top->view.snapshot = top->snapshot;
	top->view.trend = &top->trend;
	top->view.width = width < TOP_WIDTH_MIN   ? TOP_WIDTH_MIN
			  : width > TOP_WIDTH_MAX ? TOP_WIDTH_MAX
						  : width;
	top_view_draw(&top->lines, &top->view);
}

/* ---- Once ------------------------------------------------------------------------------ */

static size_t output_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return ONCE_WIDTH;
}

static int print_json(struct top *top)
{
	struct buffer body;
	enum embed_status status;

	buffer_init(&body, JSON_MAX);
	status = top_fetch_get(top->fetch, SNAPSHOT, &body, &top->error);
	buffer_append_char(&body, '\n');
	if (status == EMBED_OK)
		return command_print_all(&body);
	buffer_fini(&body);
	return command_fail(&top->error);
}

static int print_once(struct top *top)
{
	struct buffer out;

	if (look(top) != EMBED_OK)
		return command_fail(&top->error);
	draw(top, output_width());
	buffer_init(&out, JSON_MAX);
	for (size_t i = 0; i < top->lines.count; i++) {
		const struct top_line *line = &top->lines.lines[i];

		if (line->len > 0)
			buffer_append(&out, top->lines.text.bytes + line->start, line->len);
		buffer_append_char(&out, '\n');
	}
	return command_print_all(&out);
}

/* ---- Live ------------------------------------------------------------------------------ */

static void show(struct top *top)
{
	char foot[160];

	draw(top, top_screen_width());
	snprintf(foot, sizeof(foot), FOOT, sort_names[top->view.sort],
	    top->is_paused ? "go on" : "pause");
	top->first = top_screen_draw(&top->lines, top->first, foot);
}

static void scroll(struct top *top, long lines)
{
	if (lines < 0 && top->first < (size_t)-lines)
		top->first = 0;
	else
		top->first += (size_t)lines;
}

/* False: it is to end. */
static bool act(struct top *top, enum top_key key)
{
	switch (key) {
	case TOP_KEY_QUIT:
		return false;
	case TOP_KEY_SORT:
		top->view.sort = (top->view.sort + 1) % TOP_SORTS;
		break;
	case TOP_KEY_TURN:
		top->view.is_rising = !top->view.is_rising;
		break;
	case TOP_KEY_PAUSE:
		top->is_paused = !top->is_paused;
		break;
	case TOP_KEY_UP:
		scroll(top, -1);
		break;
	case TOP_KEY_DOWN:
		scroll(top, 1);
		break;
	case TOP_KEY_PAGE_UP:
		scroll(top, -PAGE_LINES);
		break;
	case TOP_KEY_PAGE_DOWN:
		scroll(top, PAGE_LINES);
		break;
	case TOP_KEY_RESIZED:
	case TOP_KEY_NONE:
		break;
	}
	return true;
}

static void live(struct top *top)
{
	bool goes_on = true;

	while (goes_on && !signals_stop_asked()) {
		int64_t wait_us = top->fetched_us + SECOND_US - clock_now_us();

		if (wait_us <= 0) {
			if (!top->is_paused)
				look(top);
			else
				top->fetched_us = clock_now_us();
			wait_us = SECOND_US;
		}
		show(top);
		goes_on = act(top, top_screen_key((int)(wait_us / 1000)));
	}
}

static int run_live(struct top *top)
{
	if (look(top) != EMBED_OK)
		return command_fail(&top->error);
	if (!top_screen_open())
		return command_misuse("this terminal cannot be drawn on; use --once");
	live(top);
	top_screen_close();
	return COMMAND_GOOD;
}

static int run(const struct command_input *input)
{
	const struct top_options *own = input->own;
	struct top_fetch_options options = {own->url, own->key, own->ca_file};
	struct top *top;
	struct embed_error error;
	int exit_status;

	if (input->argument_count)
		return command_misuse("top takes no arguments: \"%.60s\"", input->arguments[0]);
	top = calloc(1, sizeof(*top));
	if (top == NULL)
		return COMMAND_SOME_FAILED;
	top_lines_init(&top->lines);
	top->view.sort = (enum top_sort)own->sort;
	if (top_fetch_open(&top->fetch, &options, &error) != EMBED_OK)
		exit_status = command_fail(&error);
	else if (own->once && own->format == 1)
		exit_status = print_json(top);
	else if (own->once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		exit_status = print_once(top);
	else
		exit_status = run_live(top);
	top_fetch_close(top->fetch);
	top_lines_fini(&top->lines);
	json_decref(top->snapshot);
	free(top);
	return exit_status;
}

const struct command command_top = {
    .name = "top",
    .arguments = "",
    .summary = "Show live what a gateway does, what it costs and what it saved",
    .details = "The same numbers as the dashboard that the gateway serves at /. Keys while it\n"
	       "runs: q ends, s chooses the order of the keys, r turns it round, p pauses,\n"
	       "arrows scroll.",
    .own = &set,
    .run = run,
};
