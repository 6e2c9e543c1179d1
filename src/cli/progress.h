/* SPDX-License-Identifier: MIT */
/*
 * Progress: what a long command shows on stderr while it runs.
 *
 *	bar    one line, redrawn five times a second:
 *	       rows [######------]  52%  12,345 texts  3,210/s  1.2M tokens  $0.0246  cache 45%  0:42 left
 *	lines  one such line, without the bar, every ten seconds
 *	none   nothing
 *
 * Each ends with a summary line but for `none`.  Colour only on a terminal and
 * without NO_COLOR.  progress_line is pure; the rest writes to stderr.
 *
 * Threads: none; one owner.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "app/settings.h"

struct progress_state {
	uint64_t texts, failed, hits, joined, tokens, cost_nano;
	uint64_t bytes_done, bytes_total; /* total 0: unknown */
	int64_t elapsed_us;
	bool is_over; /* done or stopped: no time is left to tell */
};

struct progress {
	const char *name;
	enum settings_progress mode; /* never AUTO after start */
	bool has_colour;
	int64_t started_us;
	int64_t shown_us;
};

struct progress_options {
	const char *name;
	enum settings_progress mode;
	bool is_small;           /* AUTO: a few texts need no report */
	bool has_data_on_stdout; /* AUTO: no bar where records are printed */
	struct log_sink *log;    /* learns that a bar is there; may be NULL */
};

/* Before the threads that log are started. */
void progress_start(struct progress *progress, const struct progress_options *options);

/* Shows the state when it is time to; cheap otherwise. */
void progress_update(struct progress *progress, struct progress_state *state);

/* When progress_update wants to be called again, in ms; -1: never. */
int progress_wait_ms(const struct progress *progress);

/* Wipes the bar and prints the summary; `is_complete` false: it was interrupted. */
void progress_end(struct progress *progress, struct progress_state *state, bool is_complete);

/* Appends the line for a state; `bar_columns` 0: no bar. */
void progress_line(struct buffer *out, const char *name, const struct progress_state *state,
    size_t bar_columns, bool has_colour);

/* 12345678 as "12,345,678"; 1234567 as "1.2M"; nano-dollars as "$0.0246". */
void progress_append_count(struct buffer *out, uint64_t count);
void progress_append_short(struct buffer *out, uint64_t count);
void progress_append_dollars(struct buffer *out, uint64_t nano);

#endif
