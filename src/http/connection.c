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

enum progress { GO_ON, WAIT };

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

static void drop_inbuf(struct http_conn *conn)
{
	if (conn->in)
		http_worker_give_inbuf(conn->worker, conn->in);
	conn->in = NULL;
	conn->in_len = 0;
}

static void end_exchange(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	const struct http_options *options = conn->worker->options;

	http_timer_clear(conn->worker, exchange);
	if (exchange->is_known && options->on_end)
		options->on_end(exchange, options->context);
	conn->exchange = NULL;
	http_worker_give_exchange(conn->worker, exchange);
}

/* Off every list; the memory goes at the end of the turn, since events may still point to it. */
static void close_conn(struct http_conn *conn)
{
	struct http_worker *worker = conn->worker;

	http_deadline_set(conn, HTTP_DEADLINE_NONE);
	http_io_drop(conn);
	drop_inbuf(conn);
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

/* ---- Reading ----------------------------------------------------------- */

/* The bytes moved: so must what points into them. */
static void rebase(struct http_conn *conn, const char *from, const char *to)
{
	struct http_request *request = &conn->exchange->request;
	ptrdiff_t by = to - from;
	struct http_slice *slices[] = {
	    &request->method, &request->target, &request->path, &request->query, &request->host};

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
		if (slices[i]->bytes >= from && slices[i]->bytes <= from + conn->head_len)
			slices[i]->bytes += by;
	for (size_t i = 0; i < request->field_count; i++) {
		conn->exchange->fields[i].name.bytes += by;
		conn->exchange->fields[i].value.bytes += by;
	}
}

/* Room for a body that outgrew its buffer; doubling, so that an announced length costs nothing yet. */
static bool grow_inbuf(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	int64_t announced = exchange->framing.content_length;
	size_t cap = conn->in->cap * 2;
	struct http_inbuf *grown;

	if (announced >= 0 && cap > conn->head_len + (size_t)announced)
		cap = conn->head_len + (size_t)announced;
	grown = malloc(sizeof(*grown) + cap);
	if (!grown)
		return false;
	grown->next = NULL;
	grown->cap = cap;
	memcpy(grown->bytes, conn->in->bytes, conn->in_len);
	rebase(conn, conn->in->bytes, grown->bytes);
	http_worker_give_inbuf(conn->worker, conn->in);
	conn->in = grown;
	return true;
}

/* Reads once.  HTTP_IO_AGAIN also when the socket is known to be empty. */
static ssize_t fill(struct http_conn *conn)
{
	ssize_t got;
	size_t room;

	if (!conn->is_readable)
		return HTTP_IO_AGAIN;
	if (!conn->in && !(conn->in = http_worker_take_inbuf(conn->worker)))
		return HTTP_IO_ERROR;
	if (conn->in_len == conn->in->cap && (!conn->exchange || !grow_inbuf(conn)))
		return HTTP_IO_ERROR;
	room = conn->in->cap - conn->in_len;
	got = http_io_read(conn, conn->in->bytes + conn->in_len, room);
	if (got == HTTP_IO_AGAIN)
		conn->is_readable = false;
	if (got > 0) {
		conn->in_len += (size_t)got;
		/* Less than there was room for: a plain socket is empty now (epoll(7), edge-triggered). */
		if ((size_t)got < room && !conn->ssl && !conn->has_hung_up)
			conn->is_readable = false;
	}
	if (conn->in_len == 0)
		drop_inbuf(conn);
	return got;
}

/* ---- The states -------------------------------------------------------- */

void http_conn_refuse(struct http_conn *conn, struct http_refusal refusal)
{
	const struct http_options *options = conn->worker->options;
	const char *type = "text/plain";
	struct buffer body;

	if (!conn->exchange && !(conn->exchange = http_worker_take_exchange(conn->worker))) {
		close_conn(conn);
		return;
	}
	conn->exchange->conn = conn;
	conn->state = HTTP_CONN_ANSWERING;
	atomic_fetch_add_explicit(&conn->worker->counters.refused, 1, memory_order_relaxed);
	buffer_init(&body, 16384);
	if (options->on_refusal)
		options->on_refusal(refusal.status, refusal.why, &body, &type, options->context);
	else
		buffer_printf(&body, "%s\n", refusal.why);
	http_exchange_close_after(conn->exchange);
	http_reply_buffer(conn->exchange, refusal.status, type, &body);
	buffer_fini(&body);
}

/* on_request, unless on_head answered. */
static enum progress start_answering(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	const struct http_options *options = conn->worker->options;

	conn->state = HTTP_CONN_ANSWERING;
	http_deadline_set(conn, HTTP_DEADLINE_NONE);
	exchange->is_body_read = true;
	exchange->request.body = conn->in->bytes + conn->head_len;
	options->on_request(exchange, options->context);
	return GO_ON;
}

static void ask_to_continue(struct http_conn *conn)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec part = {(void *)interim, sizeof(interim) - 1};

	if (conn->exchange->framing.wants_continue && conn->in_len == conn->head_len)
		http_io_send(conn, &part, 1);
}

/* Whether an early answer leaves nothing unread; then the connection can be used again. */
static bool is_body_here(struct http_conn *conn)
{
	const struct http_framing *framing = &conn->exchange->framing;
	size_t here = conn->in_len - conn->head_len;

	if (framing->is_chunked || framing->content_length > (int64_t)here)
		return false;
	if (framing->content_length > 0)
		conn->request_end = conn->head_len + (size_t)framing->content_length;
	return true;
}

/* The head is parsed and the exchange known: answer early, refuse, or read the body. */
static enum progress after_head(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	const struct http_options *options = conn->worker->options;

	exchange->is_known = true;
	conn->request_end = conn->head_len;
	exchange->is_body_read = is_body_here(conn);
	if (options->on_head)
		options->on_head(exchange, options->context);
	if (exchange->is_started || exchange->is_complete) {
		conn->state = HTTP_CONN_ANSWERING;
		return GO_ON;
	}
	if (exchange->framing.content_length > 0 &&
	    (uint64_t)exchange->framing.content_length > exchange->body_cap) {
		http_conn_refuse(conn, (struct http_refusal){413, "the body is too large"});
		return GO_ON;
	}
	exchange->is_body_read = false;
	conn->request_end = conn->head_len;
	if (!exchange->framing.is_chunked && exchange->framing.content_length <= 0)
		return start_answering(conn);
	memset(&conn->chunked, 0, sizeof(conn->chunked));
	conn->body_taken = conn->head_len;
	conn->state = HTTP_CONN_BODY;
	ask_to_continue(conn);
	return GO_ON;
}

static enum progress parse_head(struct http_conn *conn)
{
	struct http_worker *worker = conn->worker;
	struct http_exchange *exchange = http_worker_take_exchange(worker);
	struct http_refusal refusal;
	enum http_parse parsed;

	if (!exchange) {
		close_conn(conn);
		return WAIT;
	}
	conn->exchange = exchange;
	exchange->conn = conn;
	parsed = http_parse_head(conn->in->bytes, conn->head_len, exchange->fields,
	    worker->options->max_fields, &exchange->request, &exchange->framing, &refusal);
	if (parsed == HTTP_PARSE_REFUSED) {
		http_conn_refuse(conn, refusal);
		return GO_ON;
	}
	exchange->request.is_tls = conn->ssl != NULL;
	exchange->closes = exchange->framing.wants_close;
	return after_head(conn);
}

/* The client left in the middle of a request, or before one. */
static enum progress abandon(struct http_conn *conn)
{
	if (conn->exchange) {
		conn->exchange->is_gone = true;
		end_exchange(conn);
	}
	close_conn(conn);
	return WAIT;
}

static enum progress drive_head(struct http_conn *conn)
{
	struct http_refusal refusal;
	ssize_t got;

	switch (http_scan_head(&conn->scan, conn->in ? conn->in->bytes : "", conn->in_len,
	    conn->worker->options->max_head_bytes, &conn->head_len, &refusal)) {
	case HTTP_PARSE_DONE:
		return parse_head(conn);
	case HTTP_PARSE_REFUSED:
		http_conn_refuse(conn, refusal);
		return GO_ON;
	case HTTP_PARSE_MORE:
		break;
	}
	got = fill(conn);
	if (got == HTTP_IO_AGAIN)
		return WAIT;
	return got > 0 ? GO_ON : abandon(conn);
}

/* False: refused. */
static bool feed_chunks(struct http_conn *conn, size_t from, bool *is_complete)
{
	struct http_exchange *exchange = conn->exchange;
	struct http_refusal refusal;
	char *at = conn->in->bytes + from;
	size_t consumed = 0;
	size_t produced;

	switch (http_chunked_feed(&conn->chunked, at, conn->in_len - from, exchange->body_cap,
	    conn->in->bytes + conn->request_end, &consumed, &produced, &refusal)) {
	case HTTP_PARSE_REFUSED:
		http_conn_refuse(conn, refusal);
		return false;
	case HTTP_PARSE_MORE:
		exchange->request.body_len += produced;
		conn->request_end += produced;
		conn->in_len = conn->request_end;
		return true;
	case HTTP_PARSE_DONE:
		break;
	}
	exchange->request.body_len += produced;
	conn->request_end = from + consumed;
	*is_complete = true;
	return true;
}

/* The bytes from `from` on are new.  Sets *is_complete. */
static bool take_body(struct http_conn *conn, size_t from, bool *is_complete)
{
	struct http_exchange *exchange = conn->exchange;
	size_t end;

	if (exchange->framing.is_chunked)
		return feed_chunks(conn, from, is_complete);
	end = conn->head_len + (size_t)exchange->framing.content_length;
	*is_complete = conn->in_len >= end;
	if (*is_complete) {
		exchange->request.body_len = (size_t)exchange->framing.content_length;
		conn->request_end = end;
	}
	return true;
}

static enum progress drive_body(struct http_conn *conn)
{
	bool is_complete = false;
	ssize_t got;

	if (conn->in_len > conn->body_taken) {
		if (!take_body(conn, conn->body_taken, &is_complete))
			return GO_ON;
		if (is_complete)
			return start_answering(conn);
		conn->body_taken = conn->in_len;
	}
	got = fill(conn);
	if (got == HTTP_IO_AGAIN)
		return WAIT;
	return got > 0 ? GO_ON : abandon(conn);
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
		drop_inbuf(conn);
	memset(&conn->scan, 0, sizeof(conn->scan));
	conn->state = HTTP_CONN_HEAD;
	http_deadline_set(conn, HTTP_DEADLINE_NONE);
}

/* The reply is with the kernel. */
static enum progress finish(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	bool closes = exchange->closes || !exchange->is_body_read;
	bool lingers = exchange->lingers || !exchange->is_body_read;

	if (exchange->is_known)
		atomic_fetch_add_explicit(
		    &conn->worker->counters.exchanges, 1, memory_order_relaxed);
	end_exchange(conn);
	if (!closes) {
		next_request(conn);
		return GO_ON;
	}
	drop_inbuf(conn);
	http_io_shutdown(conn);
	if (!lingers) {
		close_conn(conn);
		return WAIT;
	}
	conn->state = HTTP_CONN_LINGER;
	return GO_ON;
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

static enum progress drive_answer(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	bool is_cut = conn->is_broken || exchange->wants_reset;

	if (!exchange->is_gone && (is_cut || (conn->has_hung_up && !exchange->is_complete)))
		mark_gone(conn);
	if (exchange->is_parked)
		return WAIT;
	if (exchange->is_gone) {
		if (exchange->wants_reset)
			set_reset(conn);
		end_exchange(conn);
		close_conn(conn);
		return WAIT;
	}
	if (exchange->is_complete)
		return conn->out ? WAIT : finish(conn);
	return WAIT;
}

static enum progress drive_linger(struct http_conn *conn)
{
	char bytes[4096];
	ssize_t got;

	http_deadline_set(conn, HTTP_DEADLINE_LINGER);
	if (!conn->is_readable && !conn->is_broken)
		return WAIT;
	got = conn->is_broken ? HTTP_IO_ERROR : http_io_read(conn, bytes, sizeof(bytes));
	if (got == HTTP_IO_AGAIN) {
		conn->is_readable = false;
		return WAIT;
	}
	if (got > 0 && (conn->lingered_bytes += (size_t)got) < LINGER_BYTES)
		return GO_ON;
	close_conn(conn);
	return WAIT;
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
	enum progress progress = GO_ON;
	unsigned answered = 0;

	if (conn->is_broken && (conn->state == HTTP_CONN_HEAD || conn->state == HTTP_CONN_BODY))
		progress = abandon(conn);
	while (progress == GO_ON && !conn->is_dead) {
		switch (conn->state) {
		case HTTP_CONN_HEAD:
			progress = drive_head(conn);
			break;
		case HTTP_CONN_BODY:
			progress = drive_body(conn);
			break;
		case HTTP_CONN_ANSWERING:
			progress = drive_answer(conn);
			if (progress == GO_ON && ++answered == REQUESTS_PER_TURN) {
				http_conn_come_again(conn);
				progress = WAIT;
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
	abandon(conn);
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
