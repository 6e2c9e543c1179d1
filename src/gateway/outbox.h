/* SPDX-License-Identifier: MIT */
/*
 * Outbox: what becomes of the spans and alarms that are sent elsewhere.
 * Counted by telemetry, told in /metrics and the snapshot, and where something
 * was lost also in the log.
 *
 * Threads: outbox_read from any; outbox_tell by the one that ticks the gateway.
 */
#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include "base/log.h"
#include "telemetry/tracer.h"

enum outbox_to { OUTBOX_COLLECTOR, OUTBOX_WEBHOOK, OUTBOX_COUNT };

/* All 0 for what is not sent. */
struct outbox {
	uint64_t spans, spans_dropped;
	struct poster_counts letters[OUTBOX_COUNT];
};

const char *outbox_name(enum outbox_to to);

/* Either may be NULL. */
void outbox_read(struct outbox *outbox, struct tracer *tracer, struct poster *webhook);

/* Logs what was lost between two readings. */
void outbox_tell(const struct outbox *before, const struct outbox *now, const struct log *log);

#endif
