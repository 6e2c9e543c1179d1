/* SPDX-License-Identifier: MIT */
/*
 * Reports: what `embed serve` sends elsewhere: spans to a collector, alarms to
 * a webhook.  Both in the background; neither ever holds up the serving.
 *
 * Threads: reports_alarm and reports_span from any.
 */
#ifndef CLI_REPORTS_H
#define CLI_REPORTS_H

#include "gateway/alarm.h"
#include "telemetry/tracer.h"

/* Empty or NULL: not wanted. */
struct reports_options {
	const char *otlp_endpoint; /* base; "/v1/traces" is added */
	const char *otlp_headers;  /* NAME=VALUE,... */
	const char *alarm_url;
	const char *alarm_secret;
	const char *ca_file;
};

struct reports {
	struct tracer *tracer; /* or NULL */
	struct poster *alarms; /* or NULL */
	const char *secret;
};

enum embed_status reports_open(
    struct reports *reports, const struct reports_options *options, struct embed_error *error);

/* For at most `flush_ms` each, what waits is sent. */
void reports_close(struct reports *reports, uint32_t flush_ms);

/* An alarms_fn and an embed_span_fn; `context` is the reports. */
void reports_alarm(const struct alarm_event *event, void *context);
void reports_span(const struct embed_span *span, void *context);

#endif
