/* SPDX-License-Identifier: MIT */
/* What the dashboard's page and `embed top` read: snapshot, history, and the stream of snapshots. */
#include "gateway/state.h"

#include <string.h>

#include "gateway/dashboard.h"

/* Viewers in groups, one after the other: no worker writes to all in one go, nor wakes for each. */
#define GROUPS       8
#define GROUP_GAP_US 10000

static void add_fields(struct http_exchange *exchange)
{
	http_reply_field(exchange, "cache-control", "no-store");
	http_reply_field(exchange, "x-content-type-options", "nosniff");
}

static void reply_json(struct http_exchange *exchange, struct http_slice json)
{
	add_fields(exchange);
	http_reply(exchange, 200, "application/json", json.bytes, json.len);
}

void handle_snapshot(struct call *call)
{
	struct dashboard_bytes *bytes = dashboard_latest(call->gateway->dashboard);

	reply_json(call->exchange, bytes->json);
	dashboard_bytes_unref(bytes);
}

/* ---- History ---------------------------------------------------------------- */

static enum dashboard_span find_span(struct call *call)
{
	static const char *const names[DASHBOARD_SPANS] = {"15m", "24h", "90d"};
	struct http_slice value;
	size_t span = 0;

	if (!http_query_find(http_exchange_request(call->exchange)->query, "span", &value))
		return DASHBOARD_15_MINUTES;
	while (span < DASHBOARD_SPANS && !http_slice_equals(value, names[span]))
		span++;
	return span;
}

static void refuse_for_now(struct call *call, const char *message)
{
	call_retry_after(call, 1000000);
	call_refuse_with(call, 503, message, "server_error", NULL, NULL);
}

static void on_history(struct http_exchange *exchange, struct dashboard_bytes *bytes)
{
	if (bytes)
		reply_json(exchange, bytes->json);
	else
		refuse_for_now(
		    call_of(exchange), "There is no history now. Ask again in a second.");
	dashboard_bytes_unref(bytes);
}

void handle_history(struct call *call)
{
	enum dashboard_span span = find_span(call);

	if (span == DASHBOARD_SPANS)
		call_refuse_with(call, 400, "There is 'span' 15m, 24h and 90d.",
		    "invalid_request_error", "span", NULL);
	else
		dashboard_ask_history(call->gateway->dashboard, span, call->exchange, on_history);
}

/* ---- Events ------------------------------------------------------------------ */

/* A viewer that reads slower than we write misses snapshots; the newest is what counts. */
static void send_latest(struct http_exchange *exchange, void *arg)
{
	struct call *call = call_of(exchange);
	struct dashboard *dashboard = call->gateway->dashboard;
	struct dashboard_bytes *bytes;

	if (atomic_load(&call->gateway->is_draining)) {
		http_stream_end(exchange);
		return;
	}
	bytes = dashboard_latest(dashboard);
	if (bytes->sequence != call->seen &&
	    http_stream_write(exchange, bytes->event.bytes, bytes->event.len))
		call->seen = bytes->sequence;
	dashboard_bytes_unref(bytes);
	http_exchange_after(exchange,
	    dashboard_next_us(dashboard) +
		(int64_t)(http_exchange_id(exchange) % GROUPS * GROUP_GAP_US),
	    send_latest, arg);
}

/* The snapshot that the viewer had last, when it comes back; of another process it is as good as none. */
static uint64_t last_seen(struct call *call)
{
	const struct http_slice *field =
	    http_request_field(http_exchange_request(call->exchange), "last-event-id");
	uint64_t seen = 0;

	for (size_t i = 0; field && i < field->len && i < 18; i++) {
		if (field->bytes[i] < '0' || field->bytes[i] > '9')
			return 0;
		seen = seen * 10 + (uint64_t)(field->bytes[i] - '0');
	}
	return seen;
}

void handle_events(struct call *call)
{
	static const char retry[] = "retry: 1000\n\n";

	if (http_slice_equals(http_exchange_request(call->exchange)->method, "HEAD")) {
		add_fields(call->exchange);
		http_reply(call->exchange, 200, "text/event-stream", NULL, 0);
		return;
	}
	call->is_viewer = dashboard_enter(call->gateway->dashboard);
	if (!call->is_viewer) {
		refuse_for_now(call, "Too many dashboards are open. Close some, or ask again.");
		return;
	}
	call->seen = last_seen(call);
	add_fields(call->exchange);
	http_reply_field(
	    call->exchange, "x-accel-buffering", "no"); /* nginx must not hold it back */
	http_stream_start(call->exchange, 200, "text/event-stream", HTTP_CHUNKED);
	http_stream_write(call->exchange, retry, sizeof(retry) - 1);
	send_latest(call->exchange, NULL);
}
