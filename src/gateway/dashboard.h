/* SPDX-License-Identifier: MIT */
/*
 * Dashboard: looks at everything once a second, for everybody who watches.
 *
 * One thread adds up the counters, writes one snapshot (snapshot.h) and one
 * point of history (history.h), and publishes the bytes; workers hand the same
 * bytes to every viewer.  So a viewer costs one write a second, and an answer
 * that takes long to make (history) is made by this thread while its exchange
 * is parked: no worker ever waits here.
 *
 * Memory: 15 minutes of seconds and 24 hours of minutes, whatever happens; 90
 * days are asked of the ledger when somebody looks.
 *
 * Threads: create, start, stop and destroy belong to the gateway's starter;
 * the rest may be called by any worker, from create to destroy.
 */
#ifndef GATEWAY_DASHBOARD_H
#define GATEWAY_DASHBOARD_H

#include <embed.h>

#include <stdatomic.h>

#include "http/http.h"

struct dashboard;
struct gateway;

/* What many are sent; counted.  `event` is the snapshot as a server-sent event. */
struct dashboard_bytes {
	atomic_uint refs;
	uint64_t sequence;
	struct http_slice event;
	struct http_slice json; /* within `event` */
	char bytes[];
};

enum dashboard_span {
	DASHBOARD_15_MINUTES,
	DASHBOARD_24_HOURS,
	DASHBOARD_90_DAYS,
	DASHBOARD_SPANS
};

/* Holds a first snapshot already. */
enum embed_status dashboard_create(
    struct dashboard **out, struct gateway *gateway, struct embed_error *error);

/* From now on once a second; the gateway's server is there. */
enum embed_status dashboard_start(struct dashboard *dashboard, struct embed_error *error);

/* Ends the thread; who waits for history is answered with nothing. */
void dashboard_stop(struct dashboard *dashboard);

/* NULL is fine. */
void dashboard_destroy(struct dashboard *dashboard);

/* The newest; the caller unrefs. */
struct dashboard_bytes *dashboard_latest(struct dashboard *dashboard);
void dashboard_bytes_unref(struct dashboard_bytes *bytes);

/* Microseconds until there is a newer one. */
int64_t dashboard_next_us(struct dashboard *dashboard);

/*
 * Parks the exchange until the history is written, then calls `fn` on its
 * worker with `bytes` (only `json` is set; NULL: stopping, or out of memory),
 * which the callee unrefs.
 */
typedef void dashboard_history_fn(struct http_exchange *exchange, struct dashboard_bytes *bytes);
void dashboard_ask_history(struct dashboard *dashboard, enum dashboard_span span,
    struct http_exchange *exchange, dashboard_history_fn *fn);

/* False: there are too many already.  Each true wants a leave. */
bool dashboard_enter(struct dashboard *dashboard);
void dashboard_leave(struct dashboard *dashboard);

#endif
