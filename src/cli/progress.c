/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define BAR_EVERY_US   200000
#define LINES_EVERY_US 10000000

#define LINE_MAX_BYTES 1024

/* ---- Numbers ---------------------------------------------------------- */

void progress_append_count(struct buffer *out, uint64_t count)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buffer_append_char(out, ',');
		buffer_append_char(out, digits[i]);
	}
}

void progress_append_short(struct buffer *out, uint64_t count)
{
	static const char units[] = "kMGT";
	double value = (double)count;
	int unit = -1;

	if (count < 10000) {
		progress_append_count(out, count);
		return;
	}
	while (value >= 999.5 && unit < 3) {
		value /= 1000;
		unit++;
	}
	buffer_printf(out, value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

void progress_append_dollars(struct buffer *out, uint64_t nano)
{
	double dollars = (double)nano / 1e9;

	if (nano == 0)
		buffer_append_text(out, "$0");
	else if (dollars < 0.00005)
		buffer_printf(out, "$%.9f", dollars);
	else
		buffer_printf(out, dollars < 10 ? "$%.4f" : "$%.2f", dollars);
}

static void append_time(struct buffer *out, uint64_t seconds)
{
	if (seconds >= 3600)
		buffer_printf(out, "%llu:%02llu:%02llu", (unsigned long long)seconds / 3600,
		    (unsigned long long)seconds / 60 % 60, (unsigned long long)seconds % 60);
	else
		buffer_printf(out, "%llu:%02llu", (unsigned long long)seconds / 60,
		    (unsigned long long)seconds % 60);
}

/* ---- The line --------------------------------------------------------- */

static void append_bar(struct buffer *out, double share, size_t columns, bool has_colour)
{
	size_t full = (size_t)(share * (double)columns + 0.5);

	buffer_append_text(out, has_colour ? " [\033[32m" : " [");
	for (size_t i = 0; i < columns; i++) {
		if (i == full && has_colour)
			buffer_append_text(out, "\033[2m");
		buffer_append_char(out, i < full ? '#' : '-');
	}
	buffer_append_text(out, has_colour ? "\033[0m]" : "]");
}

static double share_done(const struct progress_state *state)
{
	double share = (double)state->bytes_done / (double)state->bytes_total;

	return share > 1 ? 1 : share;
}

static void append_left(struct buffer *out, const struct progress_state *state)
{
	double share = state->bytes_total == 0 ? 0 : share_done(state);

	if (state->is_over || share <= 0.001 || share >= 1 || state->elapsed_us < 1000000)
		return;
	buffer_append_text(out, "  ");
	append_time(out, (uint64_t)((double)state->elapsed_us * (1 - share) / share / 1e6 + 0.5));
	buffer_append_text(out, " left");
}

static void append_failed(struct buffer *out, uint64_t failed, bool has_colour)
{
	if (failed == 0)
		return;
	buffer_append_text(out, has_colour ? "  \033[31m" : "  ");
	progress_append_count(out, failed);
	buffer_append_text(out, has_colour ? " failed\033[0m" : " failed");
}

void progress_line(struct buffer *out, const char *name, const struct progress_state *state,
    size_t bar_columns, bool has_colour)
{
	double seconds = (double)state->elapsed_us / 1e6;

	buffer_append_text(out, name);
	if (state->bytes_total > 0 && bar_columns > 0)
		append_bar(out, share_done(state), bar_columns, has_colour);
	if (state->bytes_total > 0)
		buffer_printf(out, " %3d%%", (int)(share_done(state) * 100));
	buffer_append_text(out, "  ");
	progress_append_count(out, state->texts);
	buffer_append_text(out, state->texts == 1 ? " text" : " texts");
	append_failed(out, state->failed, has_colour);
	if (seconds > 0) {
		buffer_append_text(out, "  ");
		progress_append_count(out, (uint64_t)((double)state->texts / seconds + 0.5));
		buffer_append_text(out, "/s");
	}
	buffer_append_text(out, "  ");
	progress_append_short(out, state->tokens);
	buffer_append_text(out, " tokens  ");
	progress_append_dollars(out, state->cost_nano);
	if (state->texts > 0)
		buffer_printf(out, "  cache %d%%",
		    (int)((double)(state->hits + state->joined) * 100 / (double)state->texts));
	append_left(out, state);
}

/* ---- On stderr -------------------------------------------------------- */

/* A bar needs a terminal to itself: records that are printed on it get lines beside them instead. */
static enum settings_progress choose_mode(bool is_small, bool has_data_on_stdout)
{
	const char *term = getenv("TERM");
	bool is_terminal = isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;

	if (is_small)
		return PROGRESS_NONE;
	return is_terminal && !(has_data_on_stdout && isatty(STDOUT_FILENO) == 1) ? PROGRESS_BAR
										  : PROGRESS_LINES;
}

void progress_start(struct progress *progress, const struct progress_options *options)
{
	const char *no_colour = getenv("NO_COLOR");

	*progress = (struct progress){
	    .name = options->name,
	    .mode = options->mode,
	    .started_us = clock_now_us(),
	};
	if (progress->mode == PROGRESS_AUTO)
		progress->mode = choose_mode(options->is_small, options->has_data_on_stdout);
	progress->has_colour = isatty(STDERR_FILENO) == 1 && progress->mode == PROGRESS_BAR &&
			       (no_colour == NULL || *no_colour == '\0');
	progress->shown_us = progress->started_us;
	if (options->log != NULL)
		options->log->has_bar = progress->mode == PROGRESS_BAR;
}

static int64_t period_us(const struct progress *progress)
{
	return progress->mode == PROGRESS_BAR ? BAR_EVERY_US : LINES_EVERY_US;
}

int progress_wait_ms(const struct progress *progress)
{
	return progress->mode == PROGRESS_NONE ? -1 : (int)(period_us(progress) / 1000);
}

static size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

/* The bar takes what the rest of the line leaves, up to 30 columns; a narrow terminal has none. */
static void show_bar(const struct progress *progress, const struct progress_state *state)
{
	size_t columns = terminal_columns(), bar;
	struct buffer line;

	buffer_init(&line, LINE_MAX_BYTES);
	progress_line(&line, progress->name, state, 0, false);
	bar = columns > line.len + 5 ? columns - line.len - 5 : 0;
	if (bar > 30)
		bar = 30;
	if (bar < 5)
		bar = 0;
	if (line.len >= columns && columns > 1) {
		line.len = columns - 1;
	} else {
		buffer_reset(&line);
		progress_line(&line, progress->name, state, bar, progress->has_colour);
	}
	fprintf(stderr, "\r\033[K%.*s", (int)line.len, line.bytes == NULL ? "" : line.bytes);
	fflush(stderr);
	buffer_fini(&line);
}

static void show_line(
    const struct progress *progress, const struct progress_state *state, const char *end)
{
	struct buffer line;

	buffer_init(&line, LINE_MAX_BYTES);
	progress_line(&line, progress->name, state, 0, progress->has_colour);
	fprintf(stderr, "%.*s%s\n", (int)line.len, line.bytes == NULL ? "" : line.bytes, end);
	buffer_fini(&line);
}

void progress_update(struct progress *progress, struct progress_state *state)
{
	int64_t now_us;

	if (progress->mode == PROGRESS_NONE)
		return;
	now_us = clock_now_us();
	if (now_us - progress->shown_us < period_us(progress))
		return;
	progress->shown_us = now_us;
	state->elapsed_us = now_us - progress->started_us;
	if (progress->mode == PROGRESS_BAR)
		show_bar(progress, state);
	else
		show_line(progress, state, "");
}

void progress_end(struct progress *progress, struct progress_state *state, bool is_complete)
{
	struct progress_state last;
	struct buffer took;

	if (progress->mode == PROGRESS_BAR)
		fputs("\r\033[K", stderr);
	if (progress->mode == PROGRESS_NONE)
		return;
	state->elapsed_us = clock_now_us() - progress->started_us;
	last = *state;
	last.is_over = true;
	if (is_complete)
		last.bytes_total = 0;
	buffer_init(&took, LINE_MAX_BYTES);
	buffer_append_text(&took, is_complete ? "  in " : "  stopped after ");
	append_time(&took, (uint64_t)(last.elapsed_us + 500000) / 1000000);
	buffer_append_char(&took, '\0');
	show_line(progress, &last, took.bytes == NULL ? "" : took.bytes);
	buffer_fini(&took);
}
