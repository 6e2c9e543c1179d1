/* SPDX-License-Identifier: MIT */
/*
 * Snapshot: the gateway at one moment, as the one JSON object that the
 * dashboard, `embed top` and scripts read (GET /dashboard/snapshot).
 *
 * Names are those of the tables: "stats" has the rows of EMBED_STATS_TABLE,
 * "latency" those of EMBED_LATENCY_TABLE, "sizes" those of EMBED_SIZE_TABLE,
 * "second" those of HISTORY_TABLE; "errors" has a row for each status that ended a text.
 * Money is in nano-dollars, times in seconds since 1970 unless the name says
 * otherwise.  The object holds no key, text or vector, and is one line.
 *
 * Pure: whoever makes a snapshot fills it in.  Threads: none.
 */
#ifndef GATEWAY_SNAPSHOT_H
#define GATEWAY_SNAPSHOT_H

#include <embed.h>

#include "app/log_flood.h"
#include "gateway/alarm.h"
#include "gateway/history.h"
#include "gateway/keys.h"
#include "gateway/outbox.h"
#include "gateway/process.h"
#include "gateway/spending.h"
#include "http/http.h"

/* More are counted, but not shown. */
#define SNAPSHOT_KEYS_MAX      100
#define SNAPSHOT_UPSTREAMS_MAX 64
#define SNAPSHOT_ALARMS_MAX    32
#define SNAPSHOT_FAULTS_MAX    16
#define SNAPSHOT_LANES         2 /* interactive, bulk */

struct snapshot_key {
	const struct key *key;               /* NULL: known to the ledger only */
	const struct spending_key *used;     /* NULL: nothing this month */
	uint64_t requests_left, tokens_left; /* of a minute's limits */
	uint64_t spent_nano;                 /* of the budget, in its period */
};

/* Texts that ended in one kind of error. */
struct snapshot_error {
	uint64_t count;
	int64_t last_s; /* when the count last rose, to the second */
};

struct snapshot {
	uint64_t sequence; /* 1 and up since the start */
	int64_t time_ms;   /* since 1970 */
	int64_t started_s;
	bool is_draining;
	struct embed_stats stats;
	struct embed_latency latency[EMBED_LATENCY_COUNT]; /* since the start */
	struct embed_sizes sizes[EMBED_SIZE_COUNT];        /* since the start */
	struct embed_lane_state lanes[SNAPSHOT_LANES];
	struct snapshot_error errors[EMBED_STATUS_COUNT];
	struct process process;
	size_t fault_count;
	struct log_recent faults[SNAPSHOT_FAULTS_MAX]; /* of the log, newest first */
	size_t raised_count, event_count;
	struct alarm_event raised[SNAPSHOT_ALARMS_MAX]; /* alarms that are on */
	struct alarm_event
	    events[SNAPSHOT_ALARMS_MAX]; /* the latest to go on or off, newest first */
	struct history_point second;     /* the last one */
	struct http_server_stats http;
	uint64_t answers[6]; /* by first digit of the status; 0: gone */
	uint64_t rejected;
	struct outbox outbox;
	struct embed_store_stats store;
	struct spending spending;
	size_t upstream_count;
	struct embed_upstream_state upstreams[SNAPSHOT_UPSTREAMS_MAX];
	size_t key_total; /* of the file */
	size_t key_rows;  /* those, and others in the ledger; shown_keys.h */
	size_t key_count;
	struct snapshot_key keys[SNAPSHOT_KEYS_MAX];
};

void snapshot_write(struct buffer *out, const struct snapshot *snapshot);

#endif
