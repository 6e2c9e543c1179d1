/* SPDX-License-Identifier: MIT */
/* The states HEAD and BODY: bytes come in and become an exchange. */
#include <stdlib.h>
#include <string.h>

#include "http/worker.h"

void http_conn_drop_inbuf(struct http_conn *conn)
{
	if (conn->in)
		http_worker_give_inbuf(conn->worker, conn->in);
	conn->in = NULL;
	conn->in_len = 0;
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
		http_conn_drop_inbuf(conn);
	return got;
}

/* ---- The states -------------------------------------------------------- */

void http_conn_refuse(struct http_conn *conn, struct http_refusal refusal)
{
	const struct http_options *options = conn->worker->options;
	const char *type = "text/plain";
	struct buffer body;

	if (!conn->exchange && !(conn->exchange = http_worker_take_exchange(conn->worker))) {
		http_conn_close(conn);
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
static enum http_progress start_answering(struct http_conn *conn)
{
	struct http_exchange *exchange = conn->exchange;
	const struct http_options *options = conn->worker->options;

	conn->state = HTTP_CONN_ANSWERING;
	http_deadline_set(conn, HTTP_DEADLINE_NONE);
	exchange->is_body_read = true;
	exchange->request.body = conn->in->bytes + conn->head_len;
	options->on_request(exchange, options->context);
	return HTTP_GO_ON;
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
static enum http_progress after_head(struct http_conn *conn)
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
		return HTTP_GO_ON;
	}
	if (exchange->framing.content_length > 0 &&
	    (uint64_t)exchange->framing.content_length > exchange->body_cap) {
		http_conn_refuse(conn, (struct http_refusal){413, "the body is too large"});
		return HTTP_GO_ON;
	}
	exchange->is_body_read = false;
	conn->request_end = conn->head_len;
	if (!exchange->framing.is_chunked && exchange->framing.content_length <= 0)
		return start_answering(conn);
	memset(&conn->chunked, 0, sizeof(conn->chunked));
	conn->body_taken = conn->head_len;
	conn->state = HTTP_CONN_BODY;
	ask_to_continue(conn);
	return HTTP_GO_ON;
}

static enum http_progress parse_head(struct http_conn *conn)
{
	struct http_worker *worker = conn->worker;
	struct http_exchange *exchange = http_worker_take_exchange(worker);
	struct http_refusal refusal;
	enum http_parse parsed;

	if (!exchange) {
		http_conn_close(conn);
		return HTTP_WAIT;
	}
	conn->exchange = exchange;
	exchange->conn = conn;
	parsed = http_parse_head(conn->in->bytes, conn->head_len, exchange->fields,
	    worker->options->max_fields, &exchange->request, &exchange->framing, &refusal);
	if (parsed == HTTP_PARSE_REFUSED) {
		http_conn_refuse(conn, refusal);
		return HTTP_GO_ON;
	}
	exchange->request.is_tls = conn->ssl != NULL;
	exchange->closes = exchange->framing.wants_close;
	return after_head(conn);
}

enum http_progress http_conn_read_head(struct http_conn *conn)
{
	struct http_refusal refusal;
	ssize_t got;

	switch (http_scan_head(&conn->scan, conn->in ? conn->in->bytes : "", conn->in_len,
	    conn->worker->options->max_head_bytes, &conn->head_len, &refusal)) {
	case HTTP_PARSE_DONE:
		return parse_head(conn);
	case HTTP_PARSE_REFUSED:
		http_conn_refuse(conn, refusal);
		return HTTP_GO_ON;
	case HTTP_PARSE_MORE:
		break;
	}
	got = fill(conn);
	if (got == HTTP_IO_AGAIN)
		return HTTP_WAIT;
	return got > 0 ? HTTP_GO_ON : http_conn_abandon(conn);
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

enum http_progress http_conn_read_body(struct http_conn *conn)
{
	bool is_complete = false;
	ssize_t got;

	if (conn->in_len > conn->body_taken) {
		if (!take_body(conn, conn->body_taken, &is_complete))
			return HTTP_GO_ON;
		if (is_complete)
			return start_answering(conn);
		conn->body_taken = conn->in_len;
	}
	got = fill(conn);
	if (got == HTTP_IO_AGAIN)
		return HTTP_WAIT;
	return got > 0 ? HTTP_GO_ON : http_conn_abandon(conn);
}
