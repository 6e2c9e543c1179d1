/* SPDX-License-Identifier: MIT */
#include "engine/transport.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "engine/exchange.h"

struct transport {
	const struct engine_options *options;
	transport_done_fn *on_done;
	void *context;
	CURLM *multi;
	struct exchange *idle;  /* linked by `next` */
	struct exchange *busy;  /* linked both ways */
	struct exchange *unfit; /* could not be started; linked by `next` */
	int64_t now_us;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static char curl_text[512]; /* written once, by start_curl */

/* Of what the engine uses.  curl_version() would start LDAP for its part of the text, and crash there without memory. */
static void write_curl_text(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	snprintf(curl_text, sizeof(curl_text), "libcurl/%s %s nghttp2/%s zlib/%s", info->version,
	    info->ssl_version ? info->ssl_version : "without TLS",
	    info->nghttp2_version ? info->nghttp2_version : "none",
	    info->libz_version ? info->libz_version : "none");
}

/* Never undone: other parts of a program may use libcurl too. */
static void start_curl(void)
{
	curl_global_init_mem(
	    CURL_GLOBAL_DEFAULT, malloc, secret_free, secret_realloc, strdup, calloc);
	write_curl_text();
}

enum embed_status transport_create(struct transport **out, const struct engine_options *options,
    transport_done_fn *on_done, void *context)
{
	struct transport *transport;
	long connections = 0;

	pthread_once(&curl_once, start_curl);
	transport = calloc(1, sizeof(*transport));
	if (!transport)
		return EMBED_NO_MEMORY;
	transport->options = options;
	transport->on_done = on_done;
	transport->context = context;
	transport->multi = curl_multi_init();
	if (!transport->multi) {
		free(transport);
		return EMBED_IO;
	}
	for (size_t i = 0; i < options->upstream_count; i++)
		connections += options->upstreams[i].max_in_flight;
	curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, connections);
	*out = transport;
	return EMBED_OK;
}

static void destroy_list(struct exchange *exchange)
{
	while (exchange) {
		struct exchange *next = exchange->next;

		exchange_destroy(exchange);
		exchange = next;
	}
}

void transport_destroy(struct transport *transport)
{
	if (!transport)
		return;
	destroy_list(transport->idle);
	curl_multi_cleanup(transport->multi);
	free(transport);
}

static void link_busy(struct transport *transport, struct exchange *exchange)
{
	exchange->prev = NULL;
	exchange->next = transport->busy;
	if (transport->busy)
		transport->busy->prev = exchange;
	transport->busy = exchange;
}

static void unlink_busy(struct transport *transport, struct exchange *exchange)
{
	if (exchange->prev)
		exchange->prev->next = exchange->next;
	else
		transport->busy = exchange->next;
	if (exchange->next)
		exchange->next->prev = exchange->prev;
}

static struct exchange *take_idle(struct transport *transport)
{
	struct exchange *exchange = transport->idle;

	if (!exchange)
		return exchange_create(transport->options, &transport->now_us);
	transport->idle = exchange->next;
	return exchange;
}

static void put_idle(struct transport *transport, struct exchange *exchange)
{
	exchange->attempt = NULL;
	exchange->next = transport->idle;
	transport->idle = exchange;
}

/* Not even a handle could be had. */
static void fail_without(struct transport *transport, struct attempt *attempt)
{
	struct wire_fault fault = {.verdict = WIRE_STOP_ALL, .wait_ms = -1, .limit = -1};
	const struct core_answer answer = {.fault = &fault};

	fault.error = (struct embed_error){.status = EMBED_NO_MEMORY,
	    .index = EMBED_NO_INDEX,
	    .offset = EMBED_NO_INDEX,
	    .message = "no memory for the request"};
	transport->on_done(attempt, &answer, transport->context);
}

void transport_send(struct transport *transport, struct attempt *attempt, int64_t now_us)
{
	struct exchange *exchange;

	transport->now_us = now_us;
	exchange = take_idle(transport);
	if (!exchange) {
		fail_without(transport, attempt);
		return;
	}
	if (exchange_prepare(exchange, attempt) &&
	    curl_multi_add_handle(transport->multi, exchange->easy) == CURLM_OK) {
		link_busy(transport, exchange);
		return;
	}
	exchange->next = transport->unfit;
	transport->unfit = exchange;
}

static void finish(
    struct transport *transport, struct exchange *exchange, const struct core_answer *answer)
{
	struct attempt *attempt = exchange->attempt;

	transport->on_done(attempt, answer, transport->context);
	put_idle(transport, exchange);
}

static bool finish_unfit(struct transport *transport)
{
	bool any = transport->unfit != NULL;

	while (transport->unfit) {
		struct exchange *exchange = transport->unfit;
		struct core_answer answer = exchange_give_up(exchange, EMBED_NO_MEMORY);

		transport->unfit = exchange->next;
		finish(transport, exchange, &answer);
	}
	return any;
}

static void finish_handle(struct transport *transport, struct exchange *exchange, CURLcode code)
{
	struct core_answer answer = exchange_judge(exchange, code);

	curl_multi_remove_handle(transport->multi, exchange->easy);
	unlink_busy(transport, exchange);
	finish(transport, exchange, &answer);
}

static bool finish_done(struct transport *transport)
{
	bool any = false;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(transport->multi, &left))) {
		char *exchange = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
		finish_handle(transport, (struct exchange *)(void *)exchange, code);
		any = true;
	}
	return any;
}

/* A handle that is removed before it is done takes its connection down, which is what a stall wants. */
static bool finish_overdue(struct transport *transport)
{
	bool any = false;
	struct exchange *exchange = transport->busy;

	while (exchange) {
		struct exchange *next = exchange->next;

		if (exchange_is_overdue(exchange)) {
			finish_handle(transport, exchange, CURLE_OPERATION_TIMEDOUT);
			any = true;
		}
		exchange = next;
	}
	return any;
}

bool transport_perform(struct transport *transport, int64_t now_us)
{
	int running;
	bool any;

	transport->now_us = now_us;
	any = finish_unfit(transport);
	if (!transport->busy)
		return any;
	curl_multi_perform(transport->multi, &running);
	any |= finish_done(transport);
	return finish_overdue(transport) || any;
}

static int64_t earliest_check(const struct transport *transport, int64_t until_us)
{
	for (const struct exchange *exchange = transport->busy; exchange; exchange = exchange->next)
		if (exchange->check_us < until_us)
			until_us = exchange->check_us;
	return until_us;
}

void transport_wait(struct transport *transport, int64_t until_us, int64_t now_us)
{
	int64_t wait_ms;

	if (transport->unfit)
		return;
	until_us = earliest_check(transport, until_us);
	/* libcurl waits a second at most when it has nothing to do by itself, and so do we. */
	wait_ms = until_us == INT64_MAX ? 60000 : (until_us - now_us + 999) / 1000;
	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > 60000)
		wait_ms = 60000;
	curl_multi_poll(transport->multi, NULL, 0, (int)wait_ms, NULL);
}

void transport_wake(struct transport *transport)
{
	curl_multi_wakeup(transport->multi);
}

void transport_abort(struct transport *transport, enum embed_status status)
{
	finish_unfit(transport);
	while (transport->busy) {
		struct exchange *exchange = transport->busy;
		struct core_answer answer = exchange_give_up(exchange, status);

		curl_multi_remove_handle(transport->multi, exchange->easy);
		unlink_busy(transport, exchange);
		finish(transport, exchange, &answer);
	}
}

/* ---- The library ------------------------------------------------------ */

const char *transport_library(void)
{
	pthread_once(&curl_once, start_curl);
	return curl_text;
}

const char *transport_library_lack(void)
{
	/* By how much is lost without it. */
	static const struct {
		int feature;
		const char *lack;
	} wanted[] = {
	    {CURL_VERSION_SSL, "TLS: no https upstream can be reached"},
	    {CURL_VERSION_ASYNCHDNS,
		"asynchronous name look-ups: a slow name server stops all requests"},
	    {CURL_VERSION_THREADSAFE, "a safe start beside other users of it in one process"},
	    {CURL_VERSION_HTTP2, "HTTP/2: each request under way needs a connection of its own"},
	};
	const curl_version_info_data *info;

	pthread_once(&curl_once, start_curl);
	info = curl_version_info(CURLVERSION_NOW);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!(info->features & wanted[i].feature))
			return wanted[i].lack;
	return NULL;
}
