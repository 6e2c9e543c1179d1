/* SPDX-License-Identifier: MIT */
#include "http/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"

#define ACCEPTS_PER_TURN 64

/* More connections than allowed: say so, as far as one send goes. */
static void turn_away(struct http_worker *worker, int fd)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"
				   "content-length: 0\r\nconnection: close\r\n\r\n";

	atomic_fetch_add_explicit(&worker->counters.over_cap, 1, memory_order_relaxed);
	if (!worker->options->tls_cert_file)
		send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void welcome(
    struct http_worker *worker, struct http_listener *listener, int fd, struct sockaddr *peer)
{
	struct http_server *server = worker->server;
	struct http_conn *conn;
	int one = 1;

	if (atomic_fetch_add(&server->connections, 1) >= worker->options->max_connections) {
		http_worker_forget_connection(worker); /* before its client knows */
		turn_away(worker, fd);
		return;
	}
	if (listener->is_tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	conn = http_conn_open(worker, fd, peer);
	if (!conn) {
		http_worker_forget_connection(worker);
		return;
	}
	atomic_fetch_add_explicit(&worker->counters.accepted, 1, memory_order_relaxed);
	if (listener->is_tcp && worker->options->tls_cert_file) {
		conn->ssl = http_worker_new_ssl(worker);
		if (!conn->ssl || SSL_set_fd(conn->ssl, fd) != 1)
			http_conn_cut(conn);
	}
}

static void take_spare(struct http_worker *worker)
{
	if (worker->spare_fd < 0)
		worker->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: the spare one lets one client be told by a close instead of a hang. */
static bool shed(struct http_worker *worker, int listener_fd)
{
	int fd;

	if (worker->spare_fd < 0)
		return false;
	close(worker->spare_fd);
	worker->spare_fd = -1;
	fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	take_spare(worker);
	return fd >= 0;
}

void http_accept_some(struct http_worker *worker, struct http_listener *listener)
{
	take_spare(worker); /* another thread may have been quicker, the last time */
	for (int i = 0; i < ACCEPTS_PER_TURN && listener->fd >= 0; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t len = sizeof(peer);
		int fd = accept4(
		    listener->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			welcome(worker, listener, fd, (struct sockaddr *)&peer);
		else if (errno == EMFILE || errno == ENFILE)
			i = shed(worker, listener->fd) ? i : ACCEPTS_PER_TURN;
		else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

void http_accept_no_more(struct http_worker *worker)
{
	for (size_t i = 0; i < worker->listener_count; i++) {
		struct http_listener *listener = &worker->listeners[i * worker->options->workers];

		/* Whoever stands in the queue would be reset; shared queues live on elsewhere. */
		if (listener->fd >= 0 && !listener->is_shared)
			http_accept_some(worker, listener);
		if (listener->fd >= 0)
			close(listener->fd);
		listener->fd = -1;
	}
}
