/* SPDX-License-Identifier: MIT */
/* The handle, the reply as it comes in, and how long that may take. */
#include "engine/exchange.h"

#include <stdlib.h>
#include <string.h>

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

	exchange->last_byte_us = *exchange->now_us;
	/* From here on it is the idle timeout that counts, however long a first byte might have taken. */
	if (!exchange->has_bytes)
		exchange->check_us =
		    exchange->last_byte_us + (int64_t)exchange->options->idle_timeout_ms * 1000;
	exchange->has_bytes = true;
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

/* False: no memory for what libcurl copies. */
static bool set_always(struct exchange *exchange)
{
	CURL *easy = exchange->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Else an end before the name is found waits for the name server, and all other requests with it. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	/* What a proxy says of a tunnel is not upstream's answer. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
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
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
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
	if (!exchange->easy || !set_always(exchange)) {
		exchange_destroy(exchange);
		return NULL;
	}
	return exchange;
}

void exchange_destroy(struct exchange *exchange)
{
	if (!exchange)
		return;
	curl_easy_cleanup(exchange->easy);
	exchange_forget_headers(exchange);
	buffer_fini(&exchange->body);
	buffer_fini(&exchange->error_body);
	wire_reply_fini(&exchange->reply);
	free(exchange);
}

bool exchange_prepare(struct exchange *exchange, struct attempt *attempt)
{
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
	return exchange_write(exchange, attempt);
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
