/* SPDX-License-Identifier: MIT */
#include "cli/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/option_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/json_row.h"
#include "telemetry/webhook.h"

#define FIELDS_MAX      16
#define ALARM_MAX_BYTES 4096

static enum embed_status check_url(const char *flag, const char *url, struct embed_error *error)
{
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
		return EMBED_OK;
	return error_set(error, EMBED_BAD_OPTION,
	    "%s is \"%.200s\"; it must begin with http:// or https://", flag, url);
}

/* ---- Spans ------------------------------------------------------------ */

/* "a=1,b=2" becomes {"a: 1", "b: 2", NULL}; the strings lie in `text`, which is changed. */
static enum embed_status split_fields(char *text, char lines[FIELDS_MAX][1024],
    const char *fields[FIELDS_MAX + 1], struct embed_error *error)
{
	size_t count = 0;
	char *rest = NULL;

	for (char *pair = strtok_r(text, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
		char *equals = strchr(pair, '=');

		if (!equals || count == FIELDS_MAX)
			return error_set(error, EMBED_BAD_OPTION,
			    "--otlp-headers: give NAME=VALUE pairs with commas between, at most %d",
			    FIELDS_MAX);
		snprintf(lines[count], sizeof(lines[count]), "%.*s: %s", (int)(equals - pair), pair,
		    equals + 1);
		fields[count] = lines[count];
		count++;
	}
	fields[count] = NULL;
	return EMBED_OK;
}

static enum embed_status open_tracer(
    struct reports *reports, const struct reports_options *options, struct embed_error *error)
{
	char lines[FIELDS_MAX][1024], headers[4096], url[4096];
	const char *fields[FIELDS_MAX + 1];
	const struct poster_options poster = {
	    .url = url, .ca_file = options->ca_file, .fields = fields};
	const char *base = options->otlp_endpoint;
	size_t len = base ? strlen(base) : 0;
	enum embed_status status;

	if (len == 0)
		return EMBED_OK;
	status = check_url("--otlp-endpoint", base, error);
	if (status != EMBED_OK)
		return status;
	snprintf(
	    headers, sizeof(headers), "%s", options->otlp_headers ? options->otlp_headers : "");
	status = split_fields(headers, lines, fields, error);
	if (status != EMBED_OK)
		return status;
	while (len > 0 && base[len - 1] == '/')
		len--;
	snprintf(url, sizeof(url), "%.*s/v1/traces", (int)(len < 4000 ? len : 4000), base);
	return tracer_create(&reports->tracer, &poster, error);
}

/* Host and port of a URL. */
static void copy_server(char *to, size_t cap, const char *url)
{
	const char *slashes = strstr(url, "://");
	const char *host = slashes ? slashes + 3 : url;
	size_t len = strcspn(host, "/");
	const char *at = memchr(host, '@', len);

	if (at) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	snprintf(to, cap, "%.*s", (int)len, host);
}

void reports_span(const struct embed_span *of, void *context)
{
	struct reports *reports = context;
	struct trace_span span = {.span_id = of->span_id,
	    .kind = SPAN_CLIENT,
	    .start_us = of->start_us,
	    .end_us = of->end_us,
	    .http_status = of->http_status,
	    .texts = of->texts,
	    .tokens = of->billed_tokens,
	    .retry = of->retry};

	if (!trace_context_read(&span.context, of->trace_parent, strlen(of->trace_parent)) ||
	    !span.context.is_sampled)
		return;
	snprintf(span.model, sizeof(span.model), "%s", of->model);
	snprintf(span.upstream, sizeof(span.upstream), "%.63s", of->upstream);
	copy_server(span.server, sizeof(span.server), of->base_url);
	if (of->status != EMBED_OK)
		snprintf(span.error, sizeof(span.error), "%s", embed_status_code(of->status));
	tracer_add(reports->tracer, &span);
}

/* ---- Alarms ------------------------------------------------------------ */

static void append_text(struct buffer *body, const char *name, const char *value)
{
	buffer_printf(body, ",\"%s\":", name);
	json_append_string(body, value, strlen(value));
}

void reports_alarm(const struct alarm_event *event, void *context)
{
	struct reports *reports = context;
	char field[WEBHOOK_FIELD_MAX];
	bool is_signed = reports->secret && reports->secret[0];
	struct buffer body;

	if (!reports->alarms)
		return;
	buffer_init(&body, ALARM_MAX_BYTES);
	buffer_printf(&body, "{\"time_s\":%lld,\"raised\":%s,\"value\":%.4g",
	    (long long)event->time_s, event->is_raised ? "true" : "false", event->value);
	append_text(&body, "alarm", alarm_code(event->kind));
	append_text(&body, "subject", event->subject);
	append_text(&body, "meaning", alarm_meaning(event->kind));
	append_text(&body, "do", alarm_advice(event->kind));
	buffer_append_char(&body, '}');
	if (body.status != EMBED_OK || (is_signed && !webhook_sign(field, reports->secret,
							 body.bytes, body.len, clock_unix_s())))
		buffer_fini(&body);
	else
		poster_post(reports->alarms, &body, is_signed ? field : NULL);
}

/* ---- Both --------------------------------------------------------------- */

enum embed_status reports_open(
    struct reports *reports, const struct reports_options *options, struct embed_error *error)
{
	const struct poster_options alarms = {
	    .url = options->alarm_url, .ca_file = options->ca_file};
	enum embed_status status;

	*reports = (struct reports){.secret = options->alarm_secret};
	status = option_file_check_readable(options->ca_file, "--alarm-ca-file", error);
	if (status == EMBED_OK)
		status = open_tracer(reports, options, error);
	if (status == EMBED_OK && options->alarm_url && options->alarm_url[0])
		status = check_url("--alarm-url", options->alarm_url, error);
	if (status == EMBED_OK && options->alarm_url && options->alarm_url[0])
		status = poster_create(&reports->alarms, &alarms, error);
	if (status != EMBED_OK)
		reports_close(reports, 0);
	return status;
}

void reports_close(struct reports *reports, uint32_t flush_ms)
{
	tracer_destroy(reports->tracer, flush_ms);
	poster_destroy(reports->alarms, flush_ms);
	*reports = (struct reports){0};
}
