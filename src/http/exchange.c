/* SPDX-License-Identifier: MIT */
/* What the user asks and tells about an exchange, but for the reply's bytes. */
#include "http/worker.h"

#include <assert.h>

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
	return &exchange->request;
}

const char *http_exchange_peer(struct http_exchange *exchange)
{
	if (!exchange->peer[0])
		http_address_text(
		    &exchange->conn->peer.any, exchange->peer, sizeof(exchange->peer));
	return exchange->peer;
}

bool http_exchange_is_loopback(struct http_exchange *exchange)
{
	return http_address_is_loopback(&exchange->conn->peer.any);
}

uint64_t http_exchange_id(const struct http_exchange *exchange)
{
	return exchange->id;
}

int64_t http_exchange_started_us(const struct http_exchange *exchange)
{
	return exchange->started_us;
}

void *http_exchange_worker_user(const struct http_exchange *exchange)
{
	return exchange->conn->worker->user;
}

void http_exchange_set_user(struct http_exchange *exchange, void *user)
{
	exchange->user = user;
}

void *http_exchange_user(const struct http_exchange *exchange)
{
	return exchange->user;
}

void http_exchange_set_body_cap(struct http_exchange *exchange, size_t max_body_bytes)
{
	exchange->body_cap = max_body_bytes;
}

void http_exchange_close_after(struct http_exchange *exchange)
{
	exchange->closes = true;
	exchange->lingers = true;
}

bool http_exchange_is_gone(const struct http_exchange *exchange)
{
	return exchange->is_gone;
}

int http_exchange_status(const struct http_exchange *exchange)
{
	return exchange->status;
}

uint64_t http_exchange_sent_bytes(const struct http_exchange *exchange)
{
	return exchange->sent_bytes;
}

void http_exchange_after(
    struct http_exchange *exchange, int64_t us, http_exchange_fn *fn, void *arg)
{
	struct http_worker *worker = exchange->conn->worker;

	if (exchange->is_gone)
		return;
	exchange->on_timer = (struct http_callback){fn, arg};
	if (!http_timer_set(worker, exchange, clock_now_us() + us))
		exchange->conn->is_broken = true; /* it would wait for ever */
}

void http_exchange_on_gone(struct http_exchange *exchange, http_exchange_fn *fn, void *arg)
{
	exchange->on_gone = (struct http_callback){fn, arg};
}

void http_exchange_on_writable(struct http_exchange *exchange, http_exchange_fn *fn, void *arg)
{
	exchange->on_writable = (struct http_callback){fn, arg};
	if (!exchange->conn->out)
		http_conn_come_again(exchange->conn);
}

void http_exchange_park(struct http_exchange *exchange)
{
	assert(!exchange->is_parked);
	exchange->is_parked = true;
}

void http_exchange_resume(struct http_exchange *exchange, http_exchange_fn *fn, void *arg)
{
	struct http_worker *worker = exchange->conn->worker;
	struct http_exchange *first;

	/* Counted, so that the worker outlives the wake below even if it runs ahead and stops. */
	atomic_fetch_add_explicit(&worker->resuming, 1, memory_order_relaxed);
	exchange->on_resume = (struct http_callback){fn, arg};
	first = atomic_load_explicit(&worker->resumed, memory_order_relaxed);
	do
		exchange->next = first;
	while (!atomic_compare_exchange_weak_explicit(
	    &worker->resumed, &first, exchange, memory_order_release, memory_order_relaxed));
	if (!first) /* others in the list: the one before us has woken it */
		http_worker_wake(worker);
	atomic_fetch_sub_explicit(&worker->resuming, 1, memory_order_release);
}

void http_exchange_close(struct http_exchange *exchange)
{
	exchange->is_complete = true;
	http_exchange_close_after(exchange);
}

void http_exchange_reset(struct http_exchange *exchange)
{
	exchange->is_complete = true;
	exchange->wants_reset = true;
}
