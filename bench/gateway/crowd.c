/* SPDX-License-Identifier: MIT */
/*
 * usage: bench_crowd PORT REQUESTS CONNECTIONS TAG
 * A crowd of callers, each request for a text that nobody asked for yet: each
 * connection asks REQUESTS times, the next as soon as the one before is
 * answered.  TAG makes the texts of different runs differ.  Prints p50, p99 and
 * max in microseconds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 65536
#define EVENTS     64

struct client {
	int fd;
	int64_t asked_us; /* the request under way */
	size_t got;
	size_t left; /* requests that it still has to make */
	char answer[ANSWER_MAX];
};

struct load {
	int port;
	const char *tag;
	int epoll_fd;
	struct client **clients;
	size_t client_count;
	int64_t *latencies_us;
	size_t sent, done, total;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct client *open_client(struct load *load)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
	struct client *client = calloc(1, sizeof(*client));
	struct epoll_event event = {.events = EPOLLIN};
	int on = 1;

	if (client == NULL)
		fail("memory");
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	event.data.ptr = client;
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
		fail("epoll_ctl");
	return client;
}

static void ask(struct load *load, struct client *client)
{
	char body[256], request[512];
	int len = snprintf(body, sizeof(body),
	    "{\"model\":\"text-embedding-3-small\",\"input\":\"miss %s %zu\",\"encoding_format\":\"base64\"}",
	    load->tag, load->sent++);

	len = snprintf(request, sizeof(request),
	    "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bench\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	    len, body);
	client->asked_us = now_us();
	client->got = 0;
	if (write(client->fd, request, (size_t)len) != len)
		fail("write");
}

/* Whether the whole answer is there; anything but 200 ends the run. */
static bool is_whole(struct client *client)
{
	char *end, *length;

	client->answer[client->got] = '\0';
	end = strstr(client->answer, "\r\n\r\n");
	if (end == NULL)
		return false;
	if (strncmp(client->answer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "%.400s\n", client->answer);
		exit(1);
	}
	length = strcasestr(client->answer, "content-length:");
	if (length == NULL || length > end) /* chunked: nothing else ends so, since it is JSON */
		return memcmp(client->answer + client->got - 5, "0\r\n\r\n", 5) == 0;
	return client->got >= (size_t)(end + 4 - client->answer) + strtoul(length + 15, NULL, 10);
}

static bool read_answer(struct client *client)
{
	ssize_t got = read(client->fd, client->answer + client->got, ANSWER_MAX - 1 - client->got);

	if (got <= 0)
		fail("read");
	client->got += (size_t)got;
	return is_whole(client);
}

static void take_answers(struct load *load)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(load->epoll_fd, events, EVENTS, -1);

	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;

		if (!read_answer(client))
			continue;
		load->latencies_us[load->done++] = now_us() - client->asked_us;
		if (client->left > 0) {
			client->left--;
			ask(load, client);
		}
	}
}

static void run(struct load *load, size_t requests)
{
	for (size_t i = 0; i < load->client_count; i++) {
		load->clients[i]->left = requests - 1;
		ask(load, load->clients[i]);
	}
	while (load->done < load->total)
		take_answers(load);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct load load = {0};
	size_t requests = argc > 4 ? strtoul(argv[2], NULL, 10) : 0;
	size_t connections = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (requests == 0 || connections == 0)
		return 2;
	load.port = atoi(argv[1]);
	load.tag = argv[4];
	load.total = requests * connections;
	load.epoll_fd = epoll_create1(0);
	load.clients = calloc(connections, sizeof(struct client *));
	load.latencies_us = calloc(load.total, sizeof(int64_t));
	if (load.clients == NULL || load.latencies_us == NULL)
		return 2;
	while (load.client_count < connections)
		load.clients[load.client_count++] = open_client(&load);
	run(&load, requests);
	qsort(load.latencies_us, load.total, sizeof(int64_t), compare);
	printf("%lld %lld %lld\n", (long long)load.latencies_us[load.total / 2],
	    (long long)load.latencies_us[load.total * 99 / 100],
	    (long long)load.latencies_us[load.total - 1]);
	return 0;
}
