/* SPDX-License-Identifier: MIT */
/* Trace contexts (W3C) and spans as OTLP's JSON (opentelemetry-proto 1.x). */
#include "telemetry/tracer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json_text.h"

/* ---- traceparent ------------------------------------------------------- */

/* So many lower-case hex digits, not all of them 0. */
static bool is_id(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len && strspn(text, "0") < len;
}

bool trace_context_read(struct trace_context *context, const char *text, size_t len)
{
	char copy[TRACE_PARENT_LEN + 1];

	if (len != TRACE_PARENT_LEN)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strncmp(copy, "00-", 3) != 0 || copy[35] != '-' || copy[52] != '-' ||
	    !is_id(copy + 3, 32) || !is_id(copy + 36, 16) ||
	    strspn(copy + 53, "0123456789abcdef") != 2)
		return false;
	memcpy(context->trace_id, copy + 3, 32);
	memcpy(context->parent_id, copy + 36, 16);
	context->trace_id[32] = context->parent_id[16] = '\0';
	context->is_sampled = strtoul(copy + 53, NULL, 16) & 1;
	return true;
}

void trace_parent_write(
    char text[TRACE_PARENT_LEN + 1], const struct trace_context *context, uint64_t span_id)
{
	snprintf(text, TRACE_PARENT_LEN + 1, "00-%s-%016" PRIx64 "-%s", context->trace_id, span_id,
	    context->is_sampled ? "01" : "00");
}

/* ---- Spans ---------------------------------------------------------------- */

static void put_string(struct buffer *out, const char *text)
{
	buffer_append_char(out, '"');
	json_text_append_repaired(out, text, strlen(text));
	buffer_append_char(out, '"');
}

static void put_name(struct buffer *out, const char *name)
{
	buffer_printf(
	    out, "%s{\"key\":\"%s\",\"value\":{", out->bytes[out->len - 1] == '[' ? "" : ",", name);
}

/* Nothing is written for an empty text, or for 0. */
static void put_text(struct buffer *out, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	put_name(out, name);
	buffer_append_text(out, "\"stringValue\":");
	put_string(out, value);
	buffer_append_text(out, "}}");
}

static void put_number(struct buffer *out, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	put_name(out, name);
	buffer_printf(out, "\"intValue\":\"%" PRIu64 "\"}}", value);
}

static void put_server(struct buffer *out, const char *server)
{
	const char *colon = strrchr(server, ':');
	bool has_port =
	    colon && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
	char host[128];

	snprintf(host, sizeof(host), "%.*s", (int)(has_port ? colon - server : 127), server);
	put_text(out, "server.address", host);
	if (has_port)
		put_number(out, "server.port", strtoul(colon + 1, NULL, 10));
}

static void put_attributes(struct buffer *out, const struct trace_span *span)
{
	buffer_append_text(out, "\"attributes\":[");
	put_text(out, "gen_ai.operation.name", "embeddings");
	put_text(out, "gen_ai.provider.name", "openai");
	put_text(out, "gen_ai.request.model", span->model);
	put_number(out, "gen_ai.usage.input_tokens", span->tokens);
	put_server(out, span->server);
	put_number(out, "http.response.status_code",
	    (uint64_t)(span->http_status > 0 ? span->http_status : 0));
	put_text(out, "error.type", span->error);
	put_text(out, "embed.upstream", span->upstream);
	put_number(out, "embed.texts", span->texts);
	put_number(out, "embed.hits", span->hits);
	put_number(out, "http.request.resend_count", span->retry);
	buffer_append_char(out, ']');
}

static void put_span(struct buffer *out, const struct trace_span *span)
{
	char name[160];

	snprintf(name, sizeof(name), "embeddings%s%s", span->model[0] ? " " : "", span->model);
	buffer_printf(out, "{\"traceId\":\"%s\",\"spanId\":\"%016" PRIx64 "\",",
	    span->context.trace_id, span->span_id);
	if (span->context.parent_id[0])
		buffer_printf(out, "\"parentSpanId\":\"%s\",", span->context.parent_id);
	buffer_append_text(out, "\"name\":");
	put_string(out, name);
	buffer_printf(out,
	    ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64 "000\",\"endTimeUnixNano\":\"%" PRId64
	    "000\",",
	    (int)span->kind, span->start_us, span->end_us);
	put_attributes(out, span);
	buffer_append_text(out, span->error[0] ? ",\"status\":{\"code\":2}}" : ",\"status\":{}}");
}

void otlp_write(struct buffer *out, const struct trace_span *spans, size_t count)
{
	buffer_append_text(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	put_text(out, "service.name", "embed");
	put_text(out, "service.version", EMBED_VERSION_TEXT);
	buffer_append_text(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"embed\"},\"spans\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_append_char(out, ',');
		put_span(out, &spans[i]);
	}
	buffer_append_text(out, "]}]}]}");
}
