/* SPDX-License-Identifier: MIT */
/*
 * Harness: a server with small routes and a raw client, for the tests of this
 * folder.
 *
 *   /            "hello"                      /echo    the body, as text
 *   /closed-door 401 from the head            /small   body cap of 8 bytes
 *   /after       "late" after 1 ms            /park    "resumed" by another thread
 *   /never       parked until the test says   /big     8 MiB
 *   /stream      "0".."9" as ten pieces       /length  the same with a length
 *   /flood       pieces for ever              /cut     5 of 10 bytes
 *   /raw         "garbage\r\n"                /reset   TCP reset
 *   /buffer      "hello", from a buffer
 */
#ifndef HTTP_HARNESS_H
#define HTTP_HARNESS_H

#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http.h"

#define BIG_BYTES (8u << 20)

struct harness {
	struct http_server *server;
	struct http_options options;
	uint16_t port;
	atomic_int seen, ended, gone, flooded;
	_Atomic(struct http_exchange *) kept; /* of /never */
};

static inline void harness_resumed(struct http_exchange *exchange, void *arg)
{
	(void)arg;
	http_reply(exchange, 200, "text/plain", "resumed", 7);
}

static inline void *harness_resume_thread(void *exchange)
{
	http_exchange_resume(exchange, harness_resumed, NULL);
	return NULL;
}

static inline void harness_park(struct http_exchange *exchange)
{
	pthread_t thread;

	http_exchange_park(exchange);
	assert_int_equal(pthread_create(&thread, NULL, harness_resume_thread, exchange), 0);
	pthread_detach(thread);
}

static inline void harness_gone(struct http_exchange *exchange, void *arg)
{
	struct harness *harness = arg;

	(void)exchange;
	atomic_fetch_add(&harness->gone, 1);
}

static inline void harness_piece(struct http_exchange *exchange, void *arg)
{
	uintptr_t digit = (uintptr_t)arg;
	char text = (char)('0' + digit);

	assert_true(http_stream_write(exchange, &text, 1));
	if (digit == 9)
		http_stream_end(exchange);
	else
		http_exchange_after(exchange, 10, harness_piece, (void *)(digit + 1));
}

static inline void harness_flood(struct http_exchange *exchange, void *arg)
{
	static const char piece[4096];
	struct harness *harness = arg;

	while (
	    http_stream_write(exchange, piece, sizeof(piece)) && !http_exchange_is_gone(exchange))
		if (atomic_fetch_add(&harness->flooded, 1) > 4096)
			return; /* 16 MiB accepted by a client that reads nothing: the test sees it */
	http_exchange_on_writable(exchange, harness_flood, harness);
}

static inline void harness_big(struct http_exchange *exchange)
{
	struct buffer body;

	buffer_init(&body, BIG_BYTES);
	memset(buffer_reserve(&body, BIG_BYTES), 'b', BIG_BYTES);
	body.len = BIG_BYTES;
	http_reply_buffer(exchange, 200, "text/plain", &body);
	buffer_fini(&body);
}

static inline void harness_buffer(struct http_exchange *exchange)
{
	struct buffer body;

	buffer_init(&body, 16);
	buffer_append_text(&body, "hello");
	http_reply_buffer(exchange, 200, "text/plain", &body);
	buffer_fini(&body);
}

static inline void harness_fault(struct http_exchange *exchange, struct http_slice path)
{
	if (http_slice_equals(path, "/cut")) {
		http_stream_start(exchange, 200, NULL, 10);
		http_stream_write(exchange, "01234", 5);
		http_exchange_close(exchange);
	} else if (http_slice_equals(path, "/raw")) {
		http_exchange_send_raw(exchange, "garbage\r\n", 9);
		http_exchange_close(exchange);
	} else if (http_slice_equals(path, "/reset")) {
		http_exchange_reset(exchange);
	} else {
		http_reply(exchange, 404, NULL, "", 0);
	}
}

static inline void harness_on_request(struct http_exchange *exchange, void *context)
{
	struct harness *harness = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct http_slice path = request->path;

	atomic_fetch_add(&harness->seen, 1);
	if (http_slice_equals(path, "/")) {
		http_reply(exchange, 200, "text/plain", "hello", 5);
	} else if (http_slice_equals(path, "/echo") || http_slice_equals(path, "/small")) {
		http_reply(exchange, 200, "text/plain", request->body, request->body_len);
	} else if (http_slice_equals(path, "/after")) {
		http_exchange_after(exchange, 1000, harness_resumed, NULL);
	} else if (http_slice_equals(path, "/park")) {
		harness_park(exchange);
	} else if (http_slice_equals(path, "/never")) {
		http_exchange_park(exchange);
		http_exchange_on_gone(exchange, harness_gone, harness);
		atomic_store(&harness->kept, exchange);
	} else if (http_slice_equals(path, "/buffer")) {
		harness_buffer(exchange);
	} else if (http_slice_equals(path, "/big")) {
		harness_big(exchange);
	} else if (http_slice_equals(path, "/stream") || http_slice_equals(path, "/length")) {
		http_stream_start(
		    exchange, 200, "text/plain", path.bytes[1] == 's' ? HTTP_CHUNKED : 10);
		harness_piece(exchange, 0);
	} else if (http_slice_equals(path, "/flood")) {
		http_stream_start(exchange, 200, "text/plain", HTTP_CHUNKED);
		http_exchange_on_gone(exchange, harness_gone, harness);
		harness_flood(exchange, harness);
	} else {
		harness_fault(exchange, path);
	}
}

static inline void harness_on_head(struct http_exchange *exchange, void *context)
{
	struct http_slice path = http_exchange_request(exchange)->path;

	(void)context;
	if (http_slice_equals(path, "/closed-door"))
		http_reply(exchange, 401, "text/plain", "no", 2);
	if (http_slice_equals(path, "/small"))
		http_exchange_set_body_cap(exchange, 8);
}

static inline void harness_on_end(struct http_exchange *exchange, void *context)
{
	struct harness *harness = context;

	(void)exchange;
	atomic_fetch_add(&harness->ended, 1);
}

/* Options that are set in harness->options before are kept. */
static inline void harness_start(struct harness *harness)
{
	static const char *const listen[] = {"127.0.0.1:0"};
	struct embed_error error = {0};

	if (!harness->options.listen_count && !harness->options.listen_fd_count) {
		harness->options.listen = listen;
		harness->options.listen_count = 1;
	}
	harness->options.on_head = harness_on_head;
	harness->options.on_request = harness_on_request;
	harness->options.on_end = harness_on_end;
	harness->options.context = harness;
	if (http_server_start(&harness->server, &harness->options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	harness->port = http_server_port(harness->server);
}

/* Every exchange that the user saw must have ended once. */
static inline void harness_stop(struct harness *harness)
{
	http_server_stop(harness->server);
	assert_true(atomic_load(&harness->ended) >= atomic_load(&harness->seen));
}

/* ---- The client --------------------------------------------------------- */

static inline int harness_socket(void)
{
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static inline int harness_connect(const struct harness *harness)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(harness->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = harness_socket();

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void harness_send(int fd, const void *bytes, size_t len)
{
	send(fd, bytes, len, MSG_NOSIGNAL); /* a server that refused early may have closed */
}

static inline void harness_send_text(int fd, const char *text)
{
	harness_send(fd, text, strlen(text));
}

/* Reads to the end, at most cap - 1 bytes, NUL-terminated.  -1: the connection was reset. */
static inline ssize_t harness_read_all(int fd, char *out, size_t cap)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = TEMP_FAILURE_RETRY(recv(fd, out + len, cap - 1 - len, 0));

		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			fail_msg("the server neither answers nor closes: %zu bytes so far", len);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	out[len] = '\0';
	return (ssize_t)len;
}

/* Reads until `count` heads with their "\r\n\r\n" came, or `text` is seen. */
static inline void harness_read_until(int fd, char *out, size_t cap, const char *text)
{
	size_t len = 0;

	out[0] = '\0';
	while (!strstr(out, text)) {
		ssize_t got = TEMP_FAILURE_RETRY(recv(fd, out + len, cap - 1 - len, 0));

		if (got <= 0)
			fail_msg("\"%s\" did not come, but: %s", text, out);
		len += (size_t)got;
		out[len] = '\0';
	}
}

/* The statuses of all replies in the text: "200 400". */
static inline void harness_statuses(const char *replies, char *out)
{
	out[0] = '\0';
	for (const char *at = strstr(replies, "HTTP/1.1 "); at; at = strstr(at + 1, "HTTP/1.1 "))
		if (at[9] >= '1' && at[9] <= '5')
			sprintf(out + strlen(out), "%s%.3s", out[0] ? " " : "", at + 9);
}

/* Sends the bytes `step` at a time and reads to the end. */
static inline void harness_ask(const struct harness *harness, const char *bytes, size_t len,
    size_t step, char *out, size_t cap)
{
	int fd = harness_connect(harness);

	for (size_t at = 0; at < len; at += step)
		harness_send(fd, bytes + at, step < len - at ? step : len - at);
	if (harness_read_all(fd, out, cap) < 0)
		out[0] = '\0';
	close(fd);
}

#endif
