/* SPDX-License-Identifier: MIT */
#include "http/connection.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GATHER_MAX 16
#define TLS_RECORD 16384

static ssize_t ssl_result(struct http_conn *conn, int result)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return HTTP_IO_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return HTTP_IO_END;
	default:
		return HTTP_IO_ERROR;
	}
}

static ssize_t read_ssl(struct http_conn *conn, void *bytes, size_t len)
{
	int got;

	ERR_clear_error();
	got = SSL_read(conn->ssl, bytes, len > INT32_MAX ? INT32_MAX : (int)len);
	return got > 0 ? got : ssl_result(conn, got);
}

ssize_t http_io_read(struct http_conn *conn, void *bytes, size_t len)
{
	ssize_t got;

	if (conn->ssl)
		return read_ssl(conn, bytes, len);
	do
		got = recv(conn->fd, bytes, len, 0);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		return got;
	return errno == EAGAIN || errno == EWOULDBLOCK ? HTTP_IO_AGAIN : HTTP_IO_ERROR;
}

/* One record holds as much as fits, so that a small reply is one record and one send. */
static ssize_t write_ssl(struct http_conn *conn, const struct iovec *parts, int count)
{
	char record[TLS_RECORD];
	const char *from = parts[0].iov_base;
	size_t len = parts[0].iov_len;
	int sent;

	if (count > 1 && len < sizeof(record)) {
		from = record;
		len = 0;
		for (int i = 0; i < count && len < sizeof(record); i++) {
			size_t piece = parts[i].iov_len;

			if (piece > sizeof(record) - len)
				piece = sizeof(record) - len;
			if (piece)
				memcpy(record + len, parts[i].iov_base, piece);
			len += piece;
		}
	}
	if (len == 0)
		return 0;
	ERR_clear_error();
	sent = SSL_write(conn->ssl, from, len > INT32_MAX ? INT32_MAX : (int)len);
	return sent > 0 ? sent : ssl_result(conn, sent);
}

static ssize_t write_once(struct http_conn *conn, const struct iovec *parts, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
	ssize_t sent;

	if (conn->ssl)
		return write_ssl(conn, parts, count);
	do
		sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EWOULDBLOCK ? HTTP_IO_AGAIN : HTTP_IO_ERROR;
}

static size_t total(const struct iovec *parts, int count)
{
	size_t len = 0;

	for (int i = 0; i < count; i++)
		len += parts[i].iov_len;
	return len;
}

/* Leaves in `rest` what lies behind the first `skip` bytes. */
static int skip_parts(const struct iovec *parts, int count, size_t skip, struct iovec *rest)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		struct iovec part = parts[i];
		size_t cut = skip < part.iov_len ? skip : part.iov_len;

		skip -= cut;
		part.iov_base = (char *)part.iov_base + cut;
		part.iov_len -= cut;
		if (part.iov_len)
			rest[kept++] = part;
	}
	return kept;
}

/* Up to GATHER_MAX parts; returns the bytes written, and marks what broke. */
ssize_t http_io_write(struct http_conn *conn, const struct iovec *parts, int count)
{
	struct iovec rest[GATHER_MAX];
	size_t wanted = total(parts, count);
	size_t done = 0;

	while (done < wanted && !conn->is_broken) {
		int left = skip_parts(parts, count, done, rest);
		ssize_t sent = write_once(conn, rest, left);

		if (sent == HTTP_IO_AGAIN)
			break;
		if (sent <= 0) {
			conn->is_broken = true;
			break;
		}
		done += (size_t)sent;
	}
	if (conn->exchange)
		conn->exchange->sent_bytes += done;
	return (ssize_t)done;
}

static void drop_first(struct http_conn *conn)
{
	struct http_block *block = conn->out;

	conn->out = block->next;
	if (!conn->out)
		conn->out_last = NULL;
	conn->out_bytes -= block->len - block->sent;
	free(block->bytes);
	free(block);
}

void http_io_drop(struct http_conn *conn)
{
	while (conn->out)
		drop_first(conn);
}

void http_io_flush(struct http_conn *conn)
{
	while (conn->out && !conn->is_broken) {
		struct http_block *block = conn->out;
		struct iovec part = {block->bytes + block->sent, block->len - block->sent};
		size_t sent = (size_t)http_io_write(conn, &part, 1);

		block->sent += sent;
		conn->out_bytes -= sent;
		if (block->sent < block->len)
			break;
		drop_first(conn);
	}
}

void http_io_keep(struct http_conn *conn, char *bytes, size_t sent, size_t len)
{
	struct http_block *block = malloc(sizeof(*block));

	if (!block) {
		free(bytes);
		conn->is_broken = true; /* a reply with a hole must not go on */
		return;
	}
	*block = (struct http_block){NULL, bytes, sent, len};
	if (conn->out_last)
		conn->out_last->next = block;
	else
		conn->out = block;
	conn->out_last = block;
	conn->out_bytes += len - sent;
}

void http_io_keep_copy(struct http_conn *conn, const struct iovec *parts, int count, size_t skip)
{
	size_t len = total(parts, count) - skip;
	char *copy = malloc(len);
	size_t at = 0;

	if (!copy) {
		conn->is_broken = true;
		return;
	}
	for (int i = 0; i < count; i++) {
		size_t cut = skip < parts[i].iov_len ? skip : parts[i].iov_len;

		skip -= cut;
		if (parts[i].iov_len > cut)
			memcpy(copy + at, (char *)parts[i].iov_base + cut, parts[i].iov_len - cut);
		at += parts[i].iov_len - cut;
	}
	http_io_keep(conn, copy, 0, len);
}

void http_io_send(struct http_conn *conn, const struct iovec *parts, int count)
{
	size_t sent = 0;

	if (conn->is_broken)
		return;
	if (!conn->out)
		sent = (size_t)http_io_write(conn, parts, count);
	if (sent < total(parts, count) && !conn->is_broken)
		http_io_keep_copy(conn, parts, count, sent);
}

void http_io_shutdown(struct http_conn *conn)
{
	if (conn->ssl && !conn->is_broken && SSL_is_init_finished(conn->ssl)) {
		ERR_clear_error();
		SSL_shutdown(conn->ssl);
	}
	shutdown(conn->fd, SHUT_WR);
}
