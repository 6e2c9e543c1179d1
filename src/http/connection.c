/* SPDX-License-Identifier: MIT */
#include "http/connection.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/worker.h"

/* Requests that one connection may have answered before others get their turn. */
#define REQUESTS_PER_TURN 16
/* What a closing connection may still send us before it is cut. */
#define LINGER_BYTES (4u << 20)

/* ---- Opening and closing ---------------------------------------------- */

struct http_conn *http_conn_open(struct http_worker *worker, int fd, const struct sockaddr *peer)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));
	struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = conn}};

	if (!conn) {
		close(fd);
		return NULL;
	}
	conn->event_kind = HTTP_EVENT_CONN;
	conn->fd = fd;
	conn->worker = worker;
	conn->deadline = HTTP_DEADLINE_NONE;
	if (peer->sa_family == AF_INET)
		memcpy(&conn->peer, peer, sizeof(struct sockaddr_in));
	else if (peer->sa_family == AF_INET6)
		memcpy(&conn->peer, peer, sizeof(struct sockaddr_in6));
	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		free(conn);
		return NULL;
	}
	conn->next = worker->conns;
	if (conn->next)
		conn->next->prev = conn;
	worker->conns = conn;
	http_deadline_set(conn, HTTP_DEADLINE_IDLE);
	return conn;
}

void http_conn_end_exchange(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	const struct http_options *options = conn->worker->options;

	http_timer_clear(conn->worker, exchange);
	if (exchange->is_known && options->on_end)
		options->on_end(exchange, options->context);
	conn->exchange = NULL;
	http_worker_give_exchange(conn->worker, exchange);
}

void http_conn_close(struct http_conn *conn)
{
	struct http_worker *worker = conn->worker;

	http_deadline_set(conn, HTTP_DEADLINE_NONE);
	http_io_drop(conn);
	http_conn_drop_inbuf(conn);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		worker->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	close(conn->fd); /* leaves epoll by itself */
	conn->is_dead = true;
	conn->next = worker->dead;
	worker->dead = conn;
}

void http_conn_free(struct http_conn *conn)
{
	SSL_free(conn->ssl);
	free(conn);
}

/* The kernel forgets what waits and resets the connection. */
static void set_reset(struct http_conn *conn)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

enum http_progress http_conn_abandon(struct http_conn *conn)
{
	if (conn->exchange) {
		conn->exchange->is_gone = true;
		http_conn_end_exchange(conn);
	}
	http_conn_close(conn);
	return HTTP_WAIT;
}

/* ---- Answering --------------------------------------------------------- */

static void mark_gone(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	struct http_callback callback = exchange->on_gone;

	exchange->is_gone = true;
	http_timer_clear(conn->worker, exchange);
	http_io_drop(conn);
	if (callback.fn && !exchange->is_complete) {
		exchange->on_gone.fn = NULL;
		callback.fn(exchange, callback.arg);
	}
}

/* Ready for the next request; bytes that came with this one stay. */
static void next_request(struct http_conn *conn)
{
	size_t left = conn->in_len - conn->request_end;

	if (left)
		memmove(conn->in->bytes, conn->in->bytes + conn->request_end, left);
	conn->in_len = left;
	if (!left)
		http_conn_drop_inbuf(conn);
	memset(&conn->scan, 0, sizeof(conn->scan));
	conn->state = HTTP_CONN_HEAD;
	http_deadline_set(conn, HTTP_DEADLINE_NONE);
}

/* The reply is with the kernel. */
static enum http_progress finish(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	bool closes = exchange->closes || !exchange->is_body_read;
	bool lingers = exchange->lingers || !exchange->is_body_read;

	if (exchange->is_known)
		atomic_fetch_add_explicit(
		    &conn->worker->counters.exchanges, 1, memory_order_relaxed);
	http_conn_end_exchange(conn);
	if (!closes) {
		next_request(conn);
		return HTTP_GO_ON;
	}
	http_conn_drop_inbuf(conn);
	http_io_shutdown(conn);
	if (!lingers) {
		http_conn_close(conn);
		return HTTP_WAIT;
	}
	conn->state = HTTP_CONN_LINGER;
	return HTTP_GO_ON;
}

static void tell_writable(struct http_conn *conn)
{
	struct http_callback callback = conn->exchange->on_writable;

	if (conn->is_broken || conn->exchange->is_gone)
		return;
	if (callback.fn && conn->out_bytes <= conn->worker->options->max_pending_bytes / 2) {
		conn->exchange->on_writable.fn = NULL;
		callback.fn(conn->exchange, callback.arg);
	}
}

static enum http_progress drive_answer(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	bool is_cut = conn->is_broken || exchange->wants_reset;

	if (!exchange->is_gone && (is_cut || (conn->has_hung_up && !exchange->is_complete)))
		mark_gone(conn);
	if (exchange->is_parked)
		return HTTP_WAIT;
	if (exchange->is_gone) {
		if (exchange->wants_reset)
			set_reset(conn);
		http_conn_end_exchange(conn);
		http_conn_close(conn);
		return HTTP_WAIT;
	}
	if (exchange->is_complete)
		return conn->out ? HTTP_WAIT : finish(conn);
	return HTTP_WAIT;
}

static enum http_progress drive_linger(struct http_conn *conn)
{
	char bytes[4096];
	ssize_t got;

	http_deadline_set(conn, HTTP_DEADLINE_LINGER);
	if (!conn->is_readable && !conn->is_broken)
		return HTTP_WAIT;
	got = conn->is_broken ? HTTP_IO_ERROR : http_io_read(conn, bytes, sizeof(bytes));
	if (got == HTTP_IO_AGAIN) {
		conn->is_readable = false;
		return HTTP_WAIT;
	}
	if (got > 0 && (conn->lingered_bytes += (size_t)got) < LINGER_BYTES)
		return HTTP_GO_ON;
	http_conn_close(conn);
	return HTTP_WAIT;
}

static void set_deadline(struct http_conn *conn)
{
	switch (conn->state) {
	case HTTP_CONN_HEAD:
		http_deadline_set(conn, conn->in_len ? HTTP_DEADLINE_HEAD : HTTP_DEADLINE_IDLE);
		break;
	case HTTP_CONN_BODY:
		http_deadline_set(conn, HTTP_DEADLINE_BODY);
		break;
	case HTTP_CONN_ANSWERING:
		http_deadline_set(conn, conn->out ? HTTP_DEADLINE_WRITE : HTTP_DEADLINE_NONE);
		break;
	case HTTP_CONN_LINGER:
		http_deadline_set(conn, HTTP_DEADLINE_LINGER);
		break;
	}
}

void http_conn_come_again(struct http_conn *conn)
{
	if (conn->is_again)
		return;
	conn->is_again = true;
	conn->again_next = conn->worker->again;
	conn->worker->again = conn;
}

void http_conn_drive(struct http_conn *conn)
{
	enum http_progress progress = HTTP_GO_ON;
	unsigned answered = 0;

	if (conn->is_broken && (conn->state == HTTP_CONN_HEAD || conn->state == HTTP_CONN_BODY))
		progress = http_conn_abandon(conn);
	while (progress == HTTP_GO_ON && !conn->is_dead) {
		switch (conn->state) {
		case HTTP_CONN_HEAD:
			progress = http_conn_read_head(conn);
			break;
		case HTTP_CONN_BODY:
			progress = http_conn_read_body(conn);
			break;
		case HTTP_CONN_ANSWERING:
			progress = drive_answer(conn);
			if (progress == HTTP_GO_ON && ++answered == REQUESTS_PER_TURN) {
				http_conn_come_again(conn);
				progress = HTTP_WAIT;
			}
			break;
		case HTTP_CONN_LINGER:
			progress = drive_linger(conn);
			break;
		}
	}
	if (!conn->is_dead)
		set_deadline(conn);
}

/* ---- What moves it ----------------------------------------------------- */

void http_conn_on_event(struct http_conn *conn, uint32_t events)
{
	if (conn->is_dead)
		return;
	if (events & (EPOLLERR | EPOLLHUP))
		conn->is_broken = true;
	if (events & EPOLLRDHUP)
		conn->has_hung_up = true;
	if (conn->ssl || events & (EPOLLIN | EPOLLRDHUP))
		conn->is_readable = true;
	if (events & EPOLLOUT && conn->out) {
		http_io_flush(conn);
		if (!conn->out) /* the write deadline counts from bytes waiting to none */
			http_deadline_set(conn, HTTP_DEADLINE_NONE);
		if (conn->exchange && conn->state == HTTP_CONN_ANSWERING)
			tell_writable(conn);
	}
	http_conn_drive(conn);
}

void http_conn_on_turn(struct http_conn *conn)
{
	if (conn->is_dead)
		return;
	if (conn->exchange && conn->state == HTTP_CONN_ANSWERING)
		tell_writable(conn);
	http_conn_drive(conn);
}

void http_conn_call(struct http_exchange *exchange, struct http_callback callback)
{
	struct http_conn *conn = exchange->conn;

	callback.fn(exchange, callback.arg);
	http_conn_drive(conn);
}

void http_conn_cut(struct http_conn *conn)
{
	conn->is_broken = true;
	if (conn->exchange && conn->state == HTTP_CONN_ANSWERING) {
		http_conn_drive(conn);
		return;
	}
	http_conn_abandon(conn);
}

void http_conn_on_deadline(struct http_conn *conn)
{
	enum http_deadline_kind kind = conn->deadline;

	http_deadline_set(conn, HTTP_DEADLINE_NONE);
	if (kind != HTTP_DEADLINE_IDLE && kind != HTTP_DEADLINE_LINGER)
		atomic_fetch_add_explicit(
		    &conn->worker->counters.timed_out, 1, memory_order_relaxed);
	if (kind == HTTP_DEADLINE_HEAD || kind == HTTP_DEADLINE_BODY) {
		http_conn_refuse(conn, (struct http_refusal){408, "the request took too long"});
		http_conn_drive(conn);
		return;
	}
	if (kind == HTTP_DEADLINE_WRITE)
		set_reset(conn);
	http_conn_cut(conn);
}
