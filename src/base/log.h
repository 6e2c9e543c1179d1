/* SPDX-License-Identifier: MIT */
/*
 * Log: formats events as logfmt pairs and hands them to the program's sink.
 *
 * An event is "event=NAME key=value ...".  Values with blanks, quotes or
 * control characters are quoted and escaped, so that one event is one line
 * whatever it holds.  Never pass a text, a vector or an API key.
 *
 *	log_event(log, EMBED_LOG_WARN, "breaker_open", "upstream", name, "do", "check its status page", NULL);
 *
 * Threads: any; the sink must cope.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <embed.h>

#include <stdatomic.h>

#include "base/buffer.h"

struct log {
	embed_log_fn *sink; /* NULL: nothing is logged */
	void *context;
	const atomic_int *level; /* an enum embed_log_level that may change; NULL: all pass */
};

/* Whether an event of this level would go anywhere: asked before anything is formatted for it. */
bool log_wants(const struct log *log, enum embed_log_level level);

/* Pairs of key and value, both const char *, ended by NULL.  A NULL value skips its pair. */
void log_event(const struct log *log, enum embed_log_level level, const char *name, ...)
    __attribute__((sentinel));

/* One " key=value" with quoting, for writers of other lines. */
void log_append_pair(struct buffer *line, const char *key, const char *value);

#endif
