/* SPDX-License-Identifier: MIT */
#include "engine/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

/* What goes out in one piece, so that sending takes no time of its own. */
#define SMALL_BODY 65536

/* libcurl reads so much at a time; replies have 8 KB a vector. */
#define READ_BYTES 262144L

/* ---- Reading --------------------------------------------------------- */

static void on_vector(void *context, size_t index, const float *vector, uint32_t dimensions)
{
	struct exchange *exchange = context;

	if (exchange->reply_error.status == EMBED_OK &&
	    !attempt_vector(exchange->attempt, index, vector, dimensions))
		error_set(&exchange->reply_error, EMBED_NO_MEMORY, "no memory for the vectors");
}

static void begin_reply(struct exchange *exchange, int http_status)
{
	exchange->http_status = http_status;
	wire_headers_init(&exchange->reply_headers);
	if (http_status / 100 != 2)
		return;
	if (wire_reply_start(&exchange->reply, exchange->attempt->batch->texts.texts,
		exchange->attempt->expected, on_vector, exchange) != EMBED_OK)
		error_set(&exchange->reply_error, EMBED_NO_MEMORY, "no memory to read the reply");
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	size_t len = size * count;

	exchange->has_bytes = true;
	exchange->last_byte_us = *exchange->now_us;
	/* Every answer in a row (100 Continue first) starts again; the last one counts. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
		const char *blank = memchr(line, ' ', len);

		begin_reply(exchange, blank ? atoi(blank + 1) : 0);
	} else {
		wire_headers_read_line(&exchange->reply_headers, line, len);
	}
	return len;
}

/* What is given back is not `len` when the reading should stop. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	size_t len = size * count;
	size_t room;

	exchange->last_byte_us = *exchange->now_us;
	if (exchange->http_status / 100 == 2) {
		if (exchange->reply_error.status == EMBED_OK)
			wire_reply_feed(&exchange->reply, bytes, len, &exchange->reply_error);
		return exchange->reply_error.status == EMBED_OK ? len : 0;
	}
	room = WIRE_FAULT_BODY_BYTES - exchange->error_body.len;
	buffer_append(&exchange->error_body, bytes, len < room ? len : room);
	return len;
}

/*
 * On a kept connection that turns out dead libcurl would send again by itself, and upstream might
 * bill twice what the ledger has once.  So the second time is ours, as an attempt of its own.
 */
static int on_send(void *context, char *ip, char *own_ip, int port, int own_port)
{
	struct exchange *exchange = context;

	(void)ip, (void)own_ip, (void)port, (void)own_port;
	return exchange->sends++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- The handle ------------------------------------------------------ */

static void set_always(struct exchange *exchange)
{
	CURL *easy = exchange->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BYTES);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)exchange->options->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)exchange->options->retry_deadline_ms);
}

struct exchange *exchange_create(const struct engine_options *options, const int64_t *now_us)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->options = options;
	exchange->now_us = now_us;
	buffer_init(&exchange->body, JOB_BODY_BYTES_MAX);
	buffer_init(&exchange->error_body, WIRE_FAULT_BODY_BYTES);
	wire_reply_init(&exchange->reply);
	exchange->easy = curl_easy_init();
	if (!exchange->easy) {
		exchange_destroy(exchange);
		return NULL;
	}
	set_always(exchange);
	return exchange;
}

void exchange_destroy(struct exchange *exchange)
{
	if (!exchange)
		return;
	curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->headers);
	buffer_fini(&exchange->body);
	buffer_fini(&exchange->error_body);
	wire_reply_fini(&exchange->reply);
	free(exchange);
}

/* ---- Writing --------------------------------------------------------- */

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

static bool write_url(const struct attempt *attempt, char url[EXCHANGE_URL_BYTES])
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	const char *model = model_of(attempt);
	size_t base_len = strlen(settings->base_url);
	char deployment[3 * 256 + 1];
	int len;

	while (base_len > 0 && settings->base_url[base_len - 1] == '/')
		base_len--;
	if (settings->kind != EMBED_UPSTREAM_AZURE) {
		len = snprintf(
		    url, EXCHANGE_URL_BYTES, "%.*s/embeddings", (int)base_len, settings->base_url);
		return len < EXCHANGE_URL_BYTES;
	}
	if (strlen(model) > 256)
		return false;
	escape_path(deployment, model);
	/* The settings may name the resource with or without its first folder. */
	if (base_len >= 7 && strncmp(settings->base_url + base_len - 7, "/openai", 7) == 0)
		base_len -= 7;
	len = snprintf(url, EXCHANGE_URL_BYTES,
	    "%.*s/openai/deployments/%s/embeddings?api-version=%s", (int)base_len,
	    settings->base_url, deployment, settings->api_version);
	return len < EXCHANGE_URL_BYTES;
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
	curl_slist_free_all(exchange->headers);
	exchange->headers = NULL;
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

static void set_for_attempt(
    struct exchange *exchange, const struct attempt *attempt, const char *url)
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	CURL *easy = exchange->easy;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body.bytes);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.len);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, http_version(settings));
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, needs_new_connection(attempt) ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, settings->http2_prior_knowledge ? 1L : 0L);
	if (settings->ca_file && settings->ca_file[0])
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
}

bool exchange_prepare(struct exchange *exchange, struct attempt *attempt)
{
	char url[EXCHANGE_URL_BYTES];

	exchange->attempt = attempt;
	attempt->transport = exchange;
	exchange->http_status = 0;
	exchange->has_bytes = false;
	exchange->sends = 0;
	exchange->is_timed_out = false;
	exchange->body_sent_seen = 0;
	exchange->curl_error[0] = '\0';
	exchange->started_us = exchange->last_byte_us = *exchange->now_us;
	exchange->check_us =
	    exchange->started_us + (int64_t)exchange->options->first_byte_timeout_ms * 1000;
	buffer_reset(&exchange->error_body);
	error_clear(&exchange->reply_error);
	wire_headers_init(&exchange->reply_headers);
	if (!write_url(attempt, url) || !write_headers(exchange, attempt) ||
	    !write_body(exchange, attempt))
		return false;
	set_for_attempt(exchange, attempt, url);
	return true;
}

/* ---- Taking too long ------------------------------------------------- */

static bool is_past(struct exchange *exchange, int64_t due_us)
{
	exchange->check_us = due_us;
	exchange->is_timed_out = *exchange->now_us >= due_us;
	return exchange->is_timed_out;
}

static bool is_first_byte_overdue(struct exchange *exchange)
{
	int64_t timeout_us = (int64_t)exchange->options->first_byte_timeout_ms * 1000;
	curl_off_t sent = 0, ready_us = 0;
	int64_t total = (int64_t)exchange->body.len;

	curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	/* A long body that made progress since the last look gets another wait. */
	if (total > SMALL_BODY && sent > exchange->body_sent_seen) {
		exchange->body_sent_seen = sent;
		return is_past(exchange, *exchange->now_us + timeout_us);
	}
	if (total > SMALL_BODY)
		return is_past(exchange, *exchange->now_us);
	return is_past(exchange, exchange->started_us + ready_us + timeout_us);
}

bool exchange_is_overdue(struct exchange *exchange)
{
	if (*exchange->now_us < exchange->check_us)
		return false;
	if (exchange->has_bytes)
		return is_past(exchange,
		    exchange->last_byte_us + (int64_t)exchange->options->idle_timeout_ms * 1000);
	return is_first_byte_overdue(exchange);
}

/* ---- Judging --------------------------------------------------------- */

static const char *name_of(const struct exchange *exchange)
{
	return exchange->attempt->upstream->settings.name;
}

static void set_fault(struct exchange *exchange, enum wire_verdict verdict,
    enum embed_status status, const char *what)
{
	struct wire_fault *fault = &exchange->fault;

	*fault = (struct wire_fault){
	    .verdict = verdict, .wait_ms = -1, .limit = -1, .used = -1, .requested = -1};
	error_set(&fault->error, status, "%s: %s", name_of(exchange), what);
	fault->error.http_status = exchange->http_status;
}

static const char *timeout_text(const struct exchange *exchange)
{
	if (exchange->has_bytes)
		return "the reply stopped coming; it is tried again on a new connection";
	return "no answer in time; it is tried again on a new connection";
}

/* The account's settings are at fault, which only a person can change. */
static bool is_for_a_person(CURLcode code)
{
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return true;
	default:
		return false;
	}
}

static bool is_resend(const struct exchange *exchange)
{
	return exchange->sends > 1;
}

static void judge_network(struct exchange *exchange, CURLcode code)
{
	const char *told =
	    exchange->curl_error[0] ? exchange->curl_error : curl_easy_strerror(code);
	char what[CURL_ERROR_SIZE + 128];

	if (is_resend(exchange)) {
		set_fault(exchange, WIRE_RETRY, EMBED_UPSTREAM,
		    "the kept connection was dead; it is tried again on a new one");
	} else if (code == CURLE_OUT_OF_MEMORY) {
		set_fault(exchange, WIRE_STOP_ALL, EMBED_NO_MEMORY, "no memory for the request");
	} else if (is_for_a_person(code)) {
		snprintf(what, sizeof(what), "%s (check base_url and ca_file)", told);
		set_fault(exchange, WIRE_STOP_ALL, EMBED_UPSTREAM, what);
		exchange->fault.is_account = true;
	} else {
		snprintf(what, sizeof(what), "%s (check that it can be reached)", told);
		set_fault(exchange, WIRE_RETRY, EMBED_UPSTREAM, what);
	}
}

static bool is_dead_connection(const struct exchange *exchange, CURLcode code)
{
	long connects = 1;

	if (is_resend(exchange))
		return true;
	curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connects);
	return connects == 0 && !exchange->has_bytes &&
	       (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING);
}

static void judge_vectors(struct exchange *exchange, CURLcode code)
{
	struct embed_error *error = &exchange->reply_error;

	if (error->status == EMBED_OK && code != CURLE_OK)
		error_set(error, EMBED_BAD_REPLY, "the reply was cut: %s",
		    exchange->curl_error[0] ? exchange->curl_error : curl_easy_strerror(code));
	if (error->status == EMBED_OK)
		wire_reply_end(&exchange->reply, error);
	if (error->status == EMBED_NO_MEMORY) {
		set_fault(exchange, WIRE_STOP_ALL, EMBED_NO_MEMORY, error->message);
	} else if (error->status != EMBED_OK) {
		error->http_status = exchange->http_status;
		wire_fault_from_reply(&exchange->fault, error);
	} else {
		exchange->fault =
		    (struct wire_fault){.verdict = WIRE_DONE, .wait_ms = -1, .limit = -1};
		error_clear(&exchange->fault.error);
		exchange->fault.error.http_status = exchange->http_status;
	}
}

static void judge_refusal(struct exchange *exchange)
{
	const struct wire_answer answer = {
	    .http_status = exchange->http_status,
	    .headers = &exchange->reply_headers,
	    .body = exchange->error_body.bytes,
	    .body_len = exchange->error_body.len,
	    .input_count = exchange->attempt->batch->texts.texts,
	    .unix_s = clock_unix_s(),
	};

	wire_fault_read(&exchange->fault, &answer);
}

struct core_answer exchange_judge(struct exchange *exchange, CURLcode code)
{
	struct core_answer answer = {
	    .fault = &exchange->fault,
	    .headers = exchange->http_status != 0 ? &exchange->reply_headers : NULL,
	};

	answer.is_timeout = exchange->is_timed_out || code == CURLE_OPERATION_TIMEDOUT;
	if (answer.is_timeout)
		set_fault(exchange, WIRE_RETRY, EMBED_UPSTREAM, timeout_text(exchange));
	else if (exchange->http_status / 100 == 2)
		judge_vectors(exchange, code);
	else if (exchange->http_status != 0 && code == CURLE_OK)
		judge_refusal(exchange);
	else
		judge_network(exchange, code);
	answer.is_stale = !answer.is_timeout && is_dead_connection(exchange, code);
	answer.has_usage = exchange->reply.usage.is_known;
	answer.prompt_tokens = exchange->reply.usage.prompt_tokens;
	return answer;
}

struct core_answer exchange_give_up(struct exchange *exchange, enum embed_status status)
{
	set_fault(exchange, WIRE_STOP_ALL, status, embed_status_meaning(status));
	return (struct core_answer){.fault = &exchange->fault};
}
