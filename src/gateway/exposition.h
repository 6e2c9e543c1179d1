/* SPDX-License-Identifier: MIT */
/*
 * Exposition: metrics as Prometheus reads them, in its text format 0.0.4 or as
 * OpenMetrics 1.0.0.  The two differ in the names of counters' families and in
 * the last line; everything else is written once.
 *
 * A family is begun with its name without "_total"; then come its samples.
 * Labels are given as pairs, ended by NULL; their values are escaped.
 *
 * Threads: none; one owner.
 */
#ifndef GATEWAY_EXPOSITION_H
#define GATEWAY_EXPOSITION_H

#include "base/buffer.h"

#define EXPOSITION_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define EXPOSITION_OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum exposition_kind {
	EXPOSITION_COUNTER,
	EXPOSITION_GAUGE,
	EXPOSITION_SUMMARY,
	EXPOSITION_HISTOGRAM,
};

struct exposition {
	struct buffer *out;
	bool is_open; /* OpenMetrics */
	const char *name;
	enum exposition_kind kind;
};

/* Whether an Accept field asks for OpenMetrics at least as much as for plain text. */
bool exposition_wants_open(const char *accept, size_t len);

void exposition_init(struct exposition *exposition, struct buffer *out, bool is_open);

/* `name` stays until the next family. */
void exposition_begin(
    struct exposition *exposition, const char *name, enum exposition_kind kind, const char *help);

/* A counter's or gauge's sample; or, with a suffix such as "_count", a summary's or histogram's. */
void exposition_count(struct exposition *exposition, const char *suffix, uint64_t value, ...)
    __attribute__((sentinel));
void exposition_number(struct exposition *exposition, const char *suffix, double value, ...)
    __attribute__((sentinel));

/* A label's number as both formats want it: 0.5, 1.0. */
void exposition_bound(char text[32], double bound);

void exposition_end(struct exposition *exposition);

#endif
