/* SPDX-License-Identifier: MIT */
/* The request that an attempt sends: address, headers, body. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "engine/exchange.h"

#define URL_BYTES 4096

static const char *model_of(const struct attempt *attempt)
{
	const char *own = attempt->upstream->settings.model;

	return own && own[0] ? own : attempt->batch->kind->model;
}

/* Letters, digits and a few signs as they are, the rest as %XX; `to` has room for three times the text. */
static void escape_path(char *to, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*text);
	}
	*to = '\0';
}

static bool write_url(const struct attempt *attempt, char url[URL_BYTES])
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	const char *model = model_of(attempt);
	size_t base_len = strlen(settings->base_url);
	char deployment[3 * 256 + 1];
	int len;

	while (base_len > 0 && settings->base_url[base_len - 1] == '/')
		base_len--;
	if (settings->kind != EMBED_UPSTREAM_AZURE) {
		len =
		    snprintf(url, URL_BYTES, "%.*s/embeddings", (int)base_len, settings->base_url);
		return len < URL_BYTES;
	}
	if (strlen(model) > 256)
		return false;
	escape_path(deployment, model);
	/* The settings may name the resource with or without its first folder. */
	if (base_len >= 7 && strncmp(settings->base_url + base_len - 7, "/openai", 7) == 0)
		base_len -= 7;
	len = snprintf(url, URL_BYTES, "%.*s/openai/deployments/%s/embeddings?api-version=%s",
	    (int)base_len, settings->base_url, deployment, settings->api_version);
	return len < URL_BYTES;
}

/* The key is among them, and an allocator of the program's own may not care. */
void exchange_forget_headers(struct exchange *exchange)
{
	for (const struct curl_slist *header = exchange->headers; header; header = header->next)
		secret_forget(header->data);
	curl_slist_free_all(exchange->headers);
	exchange->headers = NULL;
}

/* False when memory runs out; nothing is added for an empty value. */
static bool add_header(struct exchange *exchange, const char *name, const char *value)
{
	char line[8192];
	struct curl_slist *longer;

	if (!value || !value[0])
		return true;
	if (snprintf(line, sizeof(line), "%s%s", name, value) >= (int)sizeof(line))
		return false;
	longer = curl_slist_append(exchange->headers, line);
	secret_forget(line);
	if (!longer)
		return false;
	exchange->headers = longer;
	return true;
}

static bool add_key(struct exchange *exchange, const struct attempt *attempt)
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	const char *own = attempt->batch->kind->authorization;
	const char *key = own[0] ? own : settings->api_key;

	/* A caller's may be the whole header's value already. */
	if (own[0] && strncasecmp(own, "Bearer ", 7) == 0)
		return add_header(exchange, "Authorization: ", own);
	if (settings->kind == EMBED_UPSTREAM_AZURE)
		return add_header(exchange, "api-key: ", key);
	return add_header(exchange, "Authorization: Bearer ", key);
}

/* With the attempt's span as the parent, where it has one. */
static bool add_trace(struct exchange *exchange, const struct attempt *attempt)
{
	const char *parent = attempt->record.trace_parent;
	char own[56];

	if (attempt->record.span_id == 0 || strlen(parent) != 55)
		return add_header(exchange, "traceparent: ", parent);
	snprintf(own, sizeof(own), "%.36s%016" PRIx64 "%s", parent, attempt->record.span_id,
	    parent + 52);
	return add_header(exchange, "traceparent: ", own);
}

static bool write_headers(struct exchange *exchange, const struct attempt *attempt)
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	char request_id[64];

	/* For support cases; two engines started in one microsecond may share one. */
	snprintf(request_id, sizeof(request_id), "embed-%" PRIx64 "-%" PRIx64,
	    (uint64_t)attempt->record.sent_unix_us, attempt->id);
	exchange_forget_headers(exchange);
	/* "Expect:" empty: no 100 Continue, which costs a round trip. */
	return add_header(exchange, "Expect:", " ") &&
	       add_header(exchange, "Content-Type: ", "application/json") &&
	       add_header(exchange, "Accept: ", "application/json") &&
	       add_header(exchange, "User-Agent: ", "embed/" EMBED_VERSION_TEXT) &&
	       add_header(exchange, "X-Client-Request-Id: ", request_id) &&
	       add_key(exchange, attempt) &&
	       add_header(exchange, "OpenAI-Organization: ", settings->organization) &&
	       add_header(exchange, "OpenAI-Project: ", settings->project) &&
	       add_trace(exchange, attempt);
}

static bool write_body(struct exchange *exchange, const struct attempt *attempt)
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	const struct kind *kind = attempt->batch->kind;
	const struct wire_request_tail tail = {
	    .format = settings->no_base64 ? WIRE_FORMAT_FLOAT : WIRE_FORMAT_BASE64,
	    .dimensions = attempt->dimensions,
	    .user = kind->user[0] ? kind->user : NULL,
	    .extra = kind->extra,
	    .extra_len = strlen(kind->extra),
	};
	struct wire_request_writer writer;
	char *at;

	buffer_reset(&exchange->body);
	wire_request_begin(&writer, &exchange->body,
	    settings->kind == EMBED_UPSTREAM_AZURE ? NULL : model_of(attempt));
	at = buffer_reserve(&exchange->body, attempt->batch->texts.json_bytes + UPSTREAM_BODY_ROOM);
	if (!at)
		return false;
	for (const struct flight *flight = attempt->batch->texts.first; flight;
	     flight = flight->next) {
		if (flight != attempt->batch->texts.first)
			*at++ = ',';
		memcpy(at, flight->json, flight->json_len);
		at += flight->json_len;
	}
	exchange->body.len = (size_t)(at - exchange->body.bytes);
	return wire_request_end(&writer, &tail) == EMBED_OK;
}

static long http_version(const struct embed_upstream *settings)
{
	return settings->http2_prior_knowledge ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
					       : CURL_HTTP_VERSION_2TLS;
}

/*
 * libcurl 7.88 (Debian 12) cannot send a second request on a connection that
 * began as HTTP/2 without TLS (CURLE_HTTP2), so each has one of its own.
 */
static bool needs_new_connection(const struct attempt *attempt)
{
	return attempt->batch->is_fresh || attempt->upstream->settings.http2_prior_knowledge;
}

/* False: no memory for what libcurl copies, without which it would go elsewhere or trust others. */
static bool set_for_attempt(
    struct exchange *exchange, const struct attempt *attempt, const char *url)
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	CURL *easy = exchange->easy;

	if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
		return false;
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body.bytes);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.len);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, http_version(settings));
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, needs_new_connection(attempt) ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, settings->http2_prior_knowledge ? 1L : 0L);
	return !settings->ca_file || !settings->ca_file[0] ||
	       curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file) == CURLE_OK;
}

bool exchange_write(struct exchange *exchange, const struct attempt *attempt)
{
	char url[URL_BYTES];

	if (!write_url(attempt, url) || !write_headers(exchange, attempt) ||
	    !write_body(exchange, attempt))
		return false;
	return set_for_attempt(exchange, attempt, url);
}
