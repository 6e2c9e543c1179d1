/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS_MAX     256 /* at a time */
#define PIECE_BYTES   16384
#define TRICKLE_BYTES 40

/* A connection of a client with its own connection to upstream. */
struct link {
	struct proxy *proxy;
	pthread_t thread;
	int client, upstream;
	struct proxy_order order;
	bool is_replying; /* the next byte of the client begins an exchange */
	size_t request_bytes, reply_bytes;
};

struct proxy {
	pthread_t thread;
	int listener;
	struct sockaddr_in upstream;
	char base_url[64];
	proxy_plan_fn *plan;
	void *context;
	pthread_mutex_t lock; /* of what follows, and the plan's */
	bool is_stopping;
	uint64_t exchanges, struck;
	struct link *links[LINKS_MAX];
	size_t link_count;
};

/* For the proxy's own threads, which a failed assertion of the test could not leave. */
static void must(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "proxy: %s\n", what);
	abort();
}

static void send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		len -= (size_t)sent;
	}
}

static void begin_exchange(struct link *link)
{
	struct proxy *proxy = link->proxy;

	pthread_mutex_lock(&proxy->lock);
	link->order = proxy->plan(proxy->context, proxy->exchanges++);
	pthread_mutex_unlock(&proxy->lock);
	link->is_replying = false;
	link->request_bytes = link->reply_bytes = 0;
}

static void strike(struct link *link)
{
	pthread_mutex_lock(&link->proxy->lock);
	link->proxy->struck++;
	pthread_mutex_unlock(&link->proxy->lock);
}

/* Closing it will then be a reset. */
static void make_reset(int fd)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Swallows what the client still sends, until it goes away. */
static void wait_for_end(int client)
{
	char bytes[PIECE_BYTES];

	while (recv(client, bytes, sizeof(bytes), 0) > 0)
		;
}

static void trickle(int client, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		send_all(client, bytes + i, 1);
		poll(NULL, 0, 1);
	}
}

/* False: the link ends here. */
static bool harm_reply(struct link *link, const char *bytes, size_t len)
{
	size_t count;

	strike(link);
	switch (link->order.harm) {
	case PROXY_RESET:
		make_reset(link->client);
		return false;
	case PROXY_STALL:
		wait_for_end(link->client);
		return false;
	case PROXY_TRICKLE:
		count = len < TRICKLE_BYTES ? len : TRICKLE_BYTES;
		trickle(link->client, bytes, count);
		send_all(link->client, bytes + count, len - count);
		link->order.harm = PROXY_NO_HARM;
		return true;
	default:
		return false;
	}
}

static bool pass_reply(struct link *link)
{
	char bytes[PIECE_BYTES];
	ssize_t len = recv(link->upstream, bytes, sizeof(bytes), 0);
	size_t whole = 0;
	bool is_struck;

	if (len <= 0)
		return false;
	link->is_replying = true;
	is_struck =
	    link->order.harm > PROXY_DEAF && link->order.at < link->reply_bytes + (size_t)len;
	whole = is_struck ? link->order.at - link->reply_bytes : (size_t)len;
	send_all(link->client, bytes, whole);
	link->reply_bytes += (size_t)len;
	return !is_struck || harm_reply(link, bytes + whole, (size_t)len - whole);
}

static bool pass_request(struct link *link)
{
	char bytes[PIECE_BYTES];
	ssize_t len = recv(link->client, bytes, sizeof(bytes), 0);

	if (len <= 0)
		return false;
	if (link->is_replying)
		begin_exchange(link);
	if (link->order.harm == PROXY_DEAF && link->order.at < link->request_bytes + (size_t)len) {
		strike(link);
		make_reset(link->client);
		return false;
	}
	send_all(link->upstream, bytes, (size_t)len);
	link->request_bytes += (size_t)len;
	return true;
}

static void *run_link(void *context)
{
	struct link *link = context;
	struct pollfd fds[] = {{link->client, POLLIN, 0}, {link->upstream, POLLIN, 0}};
	bool goes_on = true;

	while (goes_on) {
		poll(fds, 2, -1);
		/* The reply first: an end of the client must not hide what upstream said. */
		if (fds[1].revents != 0)
			goes_on = pass_reply(link);
		else if (fds[0].revents != 0)
			goes_on = pass_request(link);
	}
	pthread_mutex_lock(&link->proxy->lock);
	close(link->client);
	close(link->upstream);
	link->client = link->upstream = -1;
	pthread_mutex_unlock(&link->proxy->lock);
	return NULL;
}

/* With the lock held: a new place, or that of a link which has ended. */
static struct link *free_link(struct proxy *proxy)
{
	for (size_t i = 0; i < proxy->link_count; i++) {
		if (proxy->links[i]->client < 0) {
			pthread_join(proxy->links[i]->thread, NULL);
			return proxy->links[i];
		}
	}
	must(proxy->link_count < LINKS_MAX, "too many connections");
	proxy->links[proxy->link_count] = calloc(1, sizeof(struct link));
	must(proxy->links[proxy->link_count] != NULL, "out of memory");
	return proxy->links[proxy->link_count++];
}

/* With the lock held. */
static void add_link(struct proxy *proxy, int client)
{
	static const int on = 1;
	struct link *link = free_link(proxy);

	*link = (struct link){.proxy = proxy, .client = client, .is_replying = true};
	link->upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(connect(link->upstream, (const struct sockaddr *)&proxy->upstream,
		 sizeof(proxy->upstream)) == 0,
	    "cannot connect to upstream");
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(link->upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	must(pthread_create(&link->thread, NULL, run_link, link) == 0, "cannot start a thread");
}

static void *run(void *context)
{
	struct proxy *proxy = context;
	bool goes_on = true;

	while (goes_on) {
		int client = accept(proxy->listener, NULL, NULL);

		pthread_mutex_lock(&proxy->lock);
		goes_on = !proxy->is_stopping && client >= 0;
		if (goes_on)
			add_link(proxy, client);
		else if (client >= 0)
			close(client);
		pthread_mutex_unlock(&proxy->lock);
	}
	return NULL;
}

struct proxy *proxy_start(const char *upstream, proxy_plan_fn *plan, void *context)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	socklen_t len = sizeof(own);
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	unsigned port;

	assert_non_null(proxy);
	assert_int_equal(sscanf(upstream, "http://127.0.0.1:%u/v1", &port), 1);
	proxy->plan = plan;
	proxy->context = context;
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	proxy->upstream = own;
	proxy->upstream.sin_port = htons((uint16_t)port);
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(proxy->listener, (const struct sockaddr *)&own, len), 0);
	assert_int_equal(listen(proxy->listener, 128), 0);
	assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&own, &len), 0);
	snprintf(proxy->base_url, sizeof(proxy->base_url), "http://127.0.0.1:%u/v1",
	    ntohs(own.sin_port));
	pthread_mutex_init(&proxy->lock, NULL);
	assert_int_equal(pthread_create(&proxy->thread, NULL, run, proxy), 0);
	return proxy;
}

const char *proxy_base_url(const struct proxy *proxy)
{
	return proxy->base_url;
}

uint64_t proxy_struck(struct proxy *proxy)
{
	uint64_t struck;

	pthread_mutex_lock(&proxy->lock);
	struck = proxy->struck;
	pthread_mutex_unlock(&proxy->lock);
	return struck;
}

void proxy_stop(struct proxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->is_stopping = true;
	shutdown(proxy->listener, SHUT_RDWR);
	for (size_t i = 0; i < proxy->link_count; i++) {
		if (proxy->links[i]->client < 0)
			continue;
		shutdown(proxy->links[i]->client, SHUT_RDWR);
		shutdown(proxy->links[i]->upstream, SHUT_RDWR);
	}
	pthread_mutex_unlock(&proxy->lock);
	pthread_join(proxy->thread, NULL);
	for (size_t i = 0; i < proxy->link_count; i++) {
		pthread_join(proxy->links[i]->thread, NULL);
		free(proxy->links[i]);
	}
	close(proxy->listener);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}
