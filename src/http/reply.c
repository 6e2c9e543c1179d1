/* SPDX-License-Identifier: MIT */
/* The reply's bytes: whole, streamed, raw. */
#include "http/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX          16
#define REPLY_FIELDS_BYTES 16384

static const struct {
	int status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

void http_reply_field(struct http_exchange *exchange, const char *name, const char *value)
{
	struct buffer *fields = &exchange->reply_fields;
	size_t len = strlen(value);
	char *room;

	buffer_append_text(fields, name);
	buffer_append(fields, ": ", 2);
	room = buffer_reserve(fields, len);
	if (!room)
		return;
	for (size_t i = 0; i < len; i++)
		room[i] = (uint8_t)value[i] < ' ' || value[i] == 0x7f ? ' ' : value[i];
	fields->len += len;
	buffer_append(fields, "\r\n", 2);
}

void http_reply_fieldf(struct http_exchange *exchange, const char *name, const char *format, ...)
{
	char value[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	http_reply_field(exchange, name, value);
}

static void append_number(struct buffer *buffer, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	buffer_append(buffer, digits + at, sizeof(digits) - at);
}

static void append_field(struct buffer *head, const char *name, const char *value)
{
	buffer_append_text(head, name);
	buffer_append_text(head, value);
	buffer_append(head, "\r\n", 2);
}

static void append_framing(struct http_exchange *exchange, struct buffer *head, int64_t length)
{
	if (length >= 0) {
		buffer_append_text(head, "content-length: ");
		append_number(head, (uint64_t)length);
		buffer_append(head, "\r\n", 2);
	} else if (exchange->is_chunked_out) {
		buffer_append_text(head, "transfer-encoding: chunked\r\n");
	}
}

/* Statuses that never have a body, nor a length (RFC 9110 6.4.1, 8.6). */
static bool is_bodyless(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static bool is_head_request(const struct http_exchange *exchange)
{
	return http_slice_equals(exchange->request.method, "HEAD");
}

/* The status line and fields, in the worker's buffer; `length` HTTP_CHUNKED: not known. */
static struct iovec write_head(
    struct http_exchange *exchange, int status, const char *content_type, int64_t length)
{
	struct http_worker *worker = exchange->conn->worker;
	struct buffer *head = &worker->head;

	exchange->status = status;
	exchange->is_started = true;
	if (worker->is_draining || !exchange->is_body_read)
		http_exchange_close_after(exchange);
	buffer_reset(head);
	buffer_append_text(head, "HTTP/1.1 ");
	append_number(head, (uint64_t)status);
	buffer_append_char(head, ' ');
	append_field(head, reason_of(status), "");
	append_field(head, "date: ", http_worker_date(worker));
	if (worker->options->server_name)
		append_field(head, "server: ", worker->options->server_name);
	if (content_type)
		append_field(head, "content-type: ", content_type);
	if (!is_bodyless(status))
		append_framing(exchange, head, length);
	if (exchange->closes)
		append_field(head, "connection: ", "close");
	buffer_append(head, exchange->reply_fields.bytes, exchange->reply_fields.len);
	buffer_append(head, "\r\n", 2);
	if (head->status != EMBED_OK || exchange->reply_fields.status != EMBED_OK)
		exchange->conn->is_broken = true;
	return (struct iovec){head->bytes, head->len};
}

/* False: there is nobody to answer, or an answer was given. */
static bool may_reply(struct http_exchange *exchange)
{
	if (exchange->is_gone || exchange->conn->is_broken)
		return false;
	assert(!exchange->is_started && !exchange->is_complete);
	return true;
}

void http_reply(struct http_exchange *exchange, int status, const char *content_type,
    const void *body, size_t len)
{
	struct http_slice segment = {body, len};

	http_reply_segments(exchange, status, content_type, &segment, 1);
}

void http_reply_segments(struct http_exchange *exchange, int status, const char *content_type,
    const struct http_slice *segments, size_t count)
{
	struct iovec parts[PARTS_MAX];
	int used = 1;
	size_t len = 0;

	if (!may_reply(exchange))
		return;
	for (size_t i = 0; i < count; i++)
		len += segments[i].len;
	parts[0] = write_head(exchange, status, content_type, (int64_t)len);
	if (is_bodyless(status) || is_head_request(exchange))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		if (used == PARTS_MAX) {
			http_io_send(exchange->conn, parts, used);
			used = 0;
		}
		parts[used++] = (struct iovec){(void *)segments[i].bytes, segments[i].len};
	}
	http_io_send(exchange->conn, parts, used);
	exchange->is_complete = true;
}

/*
 * What the socket did not take: the body as it is, without a copy, unless some
 * of the head waits too.  Then both are one block, since OpenSSL wants the
 * bytes of a refused write offered again together.
 */
static void keep_rest(
    struct http_conn *conn, const struct iovec parts[2], size_t sent, struct buffer *body)
{
	size_t len;
	char *bytes;

	if (sent < parts[0].iov_len) {
		http_io_keep_copy(conn, parts, 2, sent);
		return;
	}
	bytes = buffer_take(body, &len);
	if (bytes)
		http_io_keep(conn, bytes, sent - parts[0].iov_len, len);
	else
		conn->is_broken = true;
}

void http_reply_buffer(
    struct http_exchange *exchange, int status, const char *content_type, struct buffer *body)
{
	struct http_conn *conn = exchange->conn;
	struct iovec parts[2];
	size_t sent = 0;

	if (body->status != EMBED_OK) {
		static const char sorry[] = "out of memory\n";

		http_reply(exchange, 500, "text/plain", sorry, sizeof(sorry) - 1);
		buffer_reset(body);
		return;
	}
	if (is_bodyless(status) || is_head_request(exchange) || body->len == 0) {
		http_reply(exchange, status, content_type, body->bytes, body->len);
		buffer_reset(body);
		return;
	}
	if (!may_reply(exchange))
		return;
	parts[0] = write_head(exchange, status, content_type, (int64_t)body->len);
	parts[1] = (struct iovec){body->bytes, body->len};
	if (!conn->is_broken && !conn->out)
		sent = (size_t)http_io_write(conn, parts, 2);
	if (sent < parts[0].iov_len + parts[1].iov_len && !conn->is_broken)
		keep_rest(conn, parts, sent, body);
	buffer_reset(body);
	exchange->is_complete = true;
}

/* ---- Streams ----------------------------------------------------------- */

void http_stream_start(
    struct http_exchange *exchange, int status, const char *content_type, int64_t content_length)
{
	struct iovec head;

	if (!may_reply(exchange))
		return;
	exchange->is_streaming = true;
	exchange->stream_left = content_length;
	if (content_length == HTTP_CHUNKED) {
		exchange->is_chunked_out = !exchange->request.is_http_1_0;
		if (!exchange->is_chunked_out)
			exchange->closes = true;
	}
	head = write_head(exchange, status, content_type, content_length);
	http_io_send(exchange->conn, &head, 1);
}

/* One piece more than the limit is let through when nothing waits: it could never pass otherwise. */
static bool has_room(const struct http_exchange *exchange, size_t len)
{
	size_t max = exchange->conn->worker->options->max_pending_bytes;
	size_t waiting = exchange->conn->out_bytes;

	return waiting == 0 || (waiting < max && len <= max - waiting);
}

bool http_stream_write(struct http_exchange *exchange, const void *bytes, size_t len)
{
	struct iovec parts[3] = {{0}, {(void *)bytes, len}, {(void *)"\r\n", 2}};
	char size[24];

	if (exchange->is_gone || exchange->conn->is_broken || len == 0)
		return true;
	assert(exchange->is_streaming && !exchange->is_complete);
	if (!has_room(exchange, len))
		return false;
	if (is_head_request(exchange))
		return true;
	if (!exchange->is_chunked_out) {
		if (exchange->stream_left != HTTP_CHUNKED) {
			assert((uint64_t)exchange->stream_left >= len);
			exchange->stream_left -= (int64_t)len;
		}
		http_io_send(exchange->conn, &parts[1], 1);
		return true;
	}
	parts[0] = (struct iovec){size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", len)};
	http_io_send(exchange->conn, parts, 3);
	return true;
}

void http_stream_end(struct http_exchange *exchange)
{
	struct iovec last = {(void *)"0\r\n\r\n", 5};

	if (exchange->is_gone || exchange->conn->is_broken)
		return;
	assert(exchange->is_streaming && !exchange->is_complete);
	if (exchange->is_chunked_out && !is_head_request(exchange))
		http_io_send(exchange->conn, &last, 1);
	if (exchange->stream_left > 0 && !is_head_request(exchange))
		http_exchange_close_after(exchange);
	exchange->is_complete = true;
}

bool http_exchange_send_raw(struct http_exchange *exchange, const void *bytes, size_t len)
{
	struct iovec part = {(void *)bytes, len};

	if (exchange->is_gone || exchange->conn->is_broken)
		return true;
	if (!has_room(exchange, len))
		return false;
	exchange->is_started = true;
	http_exchange_close_after(exchange);
	http_io_send(exchange->conn, &part, 1);
	return true;
}
