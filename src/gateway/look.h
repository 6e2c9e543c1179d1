/* SPDX-License-Identifier: MIT */
/*
 * Look: gathers a snapshot from the service, the gateway's counts, the HTTP
 * server and the keys, and tells what the last second brought.
 *
 * Threads: none; the dashboard's thread owns it.
 */
#ifndef GATEWAY_LOOK_H
#define GATEWAY_LOOK_H

#include "gateway/snapshot.h"

struct gateway;

struct look {
	struct gateway *gateway;
	struct snapshot snapshot; /* of the last look */
	struct key_table *keys;   /* that it shows */
	uint64_t answered;        /* of all time, at the last look */
	int64_t store_looked_us;
	int64_t spending_looked_us;
	uint64_t spending_mark; /* of the counters, at that look */
	embed_latency_watch *seconds[EMBED_LATENCY_COUNT];
	embed_latency_watch *minutes[EMBED_LATENCY_COUNT];
};

/* False: out of memory.  fini copes with what is half made. */
bool look_init(struct look *look, struct gateway *gateway);
void look_fini(struct look *look);

void look_now(struct look *look);

/* Sets the latencies of a minute: of what ended since the last such call. */
void look_at_minute(struct look *look, struct history_point *minute);

#endif
