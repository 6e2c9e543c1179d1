/* SPDX-License-Identifier: MIT */
/*
 * Log sink: writes events to stderr, one line each, with time and level.
 *
 *	2026-11-22T21:40:07.123Z warn event=rate_limited upstream=main
 *
 * or, as JSON, {"time":"..","level":"warn","event":"rate_limited","upstream":"main"}.
 * While a progress bar is on the screen its line is wiped first.
 *
 * Threads: log_sink_write may be called on any; it locks `lock`.
 */
#ifndef APP_LOG_SINK_H
#define APP_LOG_SINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/buffer.h"

struct log_sink {
	pthread_mutex_t lock; /* guards the stream */
	FILE *stream;
	bool is_json;
	bool has_bar;     /* set before threads start */
	atomic_int level; /* an enum embed_log_level */
};

void log_sink_init(struct log_sink *sink, FILE *stream, bool is_json, enum embed_log_level level);
/* From now on; any thread. */
void log_sink_set_level(struct log_sink *sink, enum embed_log_level level);
void log_sink_fini(struct log_sink *sink);

/* An embed_log_fn; `context` is the sink. */
void log_sink_write(enum embed_log_level level, const char *event, void *context);

/* Appends a line for an event at a time; pure. */
void log_sink_format(struct buffer *line, bool is_json, int64_t unix_us, enum embed_log_level level,
    const char *event);

#endif
