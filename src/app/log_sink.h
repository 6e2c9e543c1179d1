/* SPDX-License-Identifier: MIT */
/*
 * Log sink: writes events to stderr, one line each, with time and level.
 *
 *	2026-11-22T21:40:07.123Z warn event=rate_limited upstream=main
 *
 * or, as JSON, {"time":"..","level":"warn","event":"rate_limited","upstream":"main"}.
 * While a progress bar is on the screen its line is wiped first.
 *
 * Or to systemd's journal (log_journal.h); what does not get there goes to
 * the stream.  Of a flood only so many lines a second are written (log_flood.h).
 *
 * Threads: log_sink_write and log_sink_recent may be called on any; they lock
 * `lock`.
 */
#ifndef APP_LOG_SINK_H
#define APP_LOG_SINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "app/log_flood.h"
#include "base/buffer.h"

struct log_sink {
	pthread_mutex_t lock; /* guards the stream and `flood` */
	FILE *stream;
	bool is_json;
	bool has_bar;     /* set before threads start */
	atomic_int level; /* an enum embed_log_level */
	struct log_flood flood;
	int journal_fd; /* -1: the stream */
	const char *journal_path;
};

void log_sink_init(struct log_sink *sink, FILE *stream, bool is_json, enum embed_log_level level);
/* From now on; any thread. */
void log_sink_set_level(struct log_sink *sink, enum embed_log_level level);
void log_sink_fini(struct log_sink *sink);

/* Before threads start: the journal at `path`, which stays; lines of a kind a second, 0: all. */
void log_sink_use_journal(struct log_sink *sink, const char *path);
void log_sink_set_rate(struct log_sink *sink, uint64_t per_second);

/* The latest faults, newest first, one of each kind, whether their lines were written or not; gives how many. */
size_t log_sink_recent(struct log_sink *sink, struct log_recent *out, size_t cap);

/* An embed_log_fn; `context` is the sink. */
void log_sink_write(enum embed_log_level level, const char *event, void *context);

/* Appends a line for an event at a time; pure. */
void log_sink_format(struct buffer *line, bool is_json, int64_t unix_us, enum embed_log_level level,
    const char *event);

#endif
