/* SPDX-License-Identifier: MIT */
/*
 * Worker: one thread, one epoll loop, the connections it accepted.
 *
 * Idle connections hold no read buffer: bytes are read into a buffer that the
 * worker lends, and a connection keeps it only while a request is incomplete
 * or being answered.
 *
 * Deadlines of one kind all have the same length, so each kind is a list in
 * the order of falling due; timers of exchanges are a heap.
 *
 * Threads: everything belongs to the worker's own thread, except `resumed`,
 * `orders` and the counters, which are atomic.
 */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "http/connection.h"
#include "http/listen.h"

enum http_order { HTTP_ORDER_DRAIN = 1, HTTP_ORDER_STOP = 2 };

/* Added up by http_server_stats. */
struct http_counters {
	atomic_uint_fast64_t connections, accepted, exchanges, refused, timed_out, over_cap;
};

struct http_deadline_list {
	struct http_conn *first, *last;
	int64_t timeout_us;
};

struct http_timer_heap {
	struct http_exchange **items;
	size_t count, cap;
};

struct http_worker {
	struct http_server *server;
	const struct http_options *options; /* the server's, defaults filled in */
	unsigned index;
	pthread_t thread;
	bool has_thread;
	void *user;
	int epoll_fd;
	int wake_fd;
	int spare_fd; /* given up to accept and close when descriptors run out */
	struct http_listener *listeners;
	size_t listener_count;
	int64_t now_us;
	bool is_draining;
	bool is_stopping;
	struct http_conn *conns; /* all of them */
	struct http_conn *dead;  /* closed in this turn, freed at its end */
	struct http_conn *again; /* have more pipelined requests than one turn takes */
	struct http_deadline_list deadlines[HTTP_DEADLINE_KINDS];
	struct http_timer_heap timers;
	struct http_inbuf *spare_inbufs;
	size_t spare_inbuf_count;
	struct http_exchange *spare_exchanges;
	size_t spare_exchange_count;
	struct buffer head; /* of the reply being written */
	int64_t date_s;
	char date[32];
	uint64_t next_id;
	_Atomic(struct http_exchange *) resumed;
	atomic_uint resuming; /* threads inside http_exchange_resume */
	atomic_uint orders;
	struct http_counters counters;
};

enum embed_status http_worker_init(
    struct http_worker *worker, struct http_server *server, unsigned index);
void http_worker_fini(struct http_worker *worker);

/* The thread's body; returns when stopped and nothing is left. */
void http_worker_run(struct http_worker *worker);

/* Any thread: makes the loop turn. */
void http_worker_wake(struct http_worker *worker);
void http_worker_order(struct http_worker *worker, enum http_order order);

/* A connection is no more: counts, and tells whoever waits for the last one. */
void http_worker_forget_connection(struct http_worker *worker);

/* ---- For connections, on the worker's thread ------------------------- */

struct http_inbuf *http_worker_take_inbuf(struct http_worker *worker);
void http_worker_give_inbuf(struct http_worker *worker, struct http_inbuf *inbuf);
struct http_exchange *http_worker_take_exchange(struct http_worker *worker);
void http_worker_give_exchange(struct http_worker *worker, struct http_exchange *exchange);

/* "Sun, 06 Nov 1994 08:49:37 GMT", of now. */
const char *http_worker_date(struct http_worker *worker);

/* The certificate to use for a new connection, or NULL without TLS. */
SSL *http_worker_new_ssl(struct http_worker *worker);

/* ---- accept.c --------------------------------------------------------- */

/* Takes connections that wait at a listener, a turn's share at most. */
void http_accept_some(struct http_worker *worker, struct http_listener *listener);
/* Takes whoever still waits, then closes the worker's listeners. */
void http_accept_no_more(struct http_worker *worker);

/* ---- deadline.c ------------------------------------------------------- */

/* Sets the kind, unless it is set already; HTTP_DEADLINE_NONE takes it off. */
void http_deadline_set(struct http_conn *conn, enum http_deadline_kind kind);
/* When the next one falls due; INT64_MAX: never. */
int64_t http_deadline_next(const struct http_worker *worker);
/* One that is due by `now_us`, or NULL. */
struct http_conn *http_deadline_due(struct http_worker *worker);

/* False: out of memory.  Replaces the exchange's timer. */
bool http_timer_set(struct http_worker *worker, struct http_exchange *exchange, int64_t due_us);
void http_timer_clear(struct http_worker *worker, struct http_exchange *exchange);
int64_t http_timer_next(const struct http_worker *worker);
/* Takes one that is due, or NULL. */
struct http_exchange *http_timer_due(struct http_worker *worker);

#endif
