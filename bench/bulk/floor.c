/* SPDX-License-Identifier: MIT */
/*
 * floor HOST:PORT FILE BATCH CONNECTIONS: how long the stand-in alone takes.
 *
 * Sends the lines of FILE as requests of BATCH texts over so many connections,
 * all bodies made beforehand, and throws the answers away unread but for their
 * end.  Nobody can be faster than this, so a client's wall time is compared
 * with it.  Prints {"wall_ms":..,"answers":..}.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "wire/request.h"

#define REQUESTS_MAX    100000
#define CONNECTIONS_MAX 256
#define BODY_MAX        ((size_t)64 << 20)
#define TAIL            "\r\n0\r\n\r\n"
#define TAIL_LEN        7

struct plan {
	struct sockaddr_in address;
	struct buffer *requests;
	size_t count;
	atomic_size_t next, good;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void end_request(struct plan *plan, struct wire_request_writer *writer, struct buffer *body)
{
	const struct wire_request_tail tail = {.format = WIRE_FORMAT_BASE64};
	struct buffer *request = &plan->requests[plan->count++];

	if (wire_request_end(writer, &tail) != EMBED_OK)
		fail("a request's body");
	buffer_init(request, BODY_MAX);
	buffer_printf(request,
	    "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-floor\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    body->len);
	buffer_append(request, body->bytes, body->len);
	buffer_reset(body);
}

static void read_texts(struct plan *plan, const char *path, size_t batch)
{
	FILE *file = fopen(path, "r");
	struct wire_request_writer writer;
	struct buffer body;
	char *line = NULL;
	size_t cap = 0, in_batch = 0;
	ssize_t len;

	if (!file)
		fail(path);
	buffer_init(&body, BODY_MAX);
	while ((len = getline(&line, &cap, file)) > 0 && plan->count < REQUESTS_MAX) {
		if (in_batch == 0)
			wire_request_begin(&writer, &body, "text-embedding-3-small");
		wire_request_add_text(&writer, line, (size_t)len - (line[len - 1] == '\n'));
		if (++in_batch < batch)
			continue;
		end_request(plan, &writer, &body);
		in_batch = 0;
	}
	if (in_batch > 0)
		end_request(plan, &writer, &body);
	buffer_fini(&body);
	free(line);
	fclose(file);
}

static int dial(const struct plan *plan)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&plan->address, sizeof(plan->address)))
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Reads up to the last chunk; true when the status was 200. */
static bool drain(int fd, char *bytes, size_t cap)
{
	char tail[TAIL_LEN] = "", head[16] = "";
	size_t seen = 0;

	while (memcmp(tail, TAIL, TAIL_LEN) != 0) {
		ssize_t got = recv(fd, bytes, cap, 0);
		size_t keep = got < TAIL_LEN ? (size_t)(got > 0 ? got : 0) : TAIL_LEN;

		if (got <= 0)
			return false;
		if (seen == 0)
			memcpy(head, bytes, got < 12 ? (size_t)got : 12);
		memmove(tail, tail + keep, TAIL_LEN - keep);
		memcpy(tail + TAIL_LEN - keep, bytes + got - keep, keep);
		seen += (size_t)got;
	}
	return memcmp(head, "HTTP/1.1 200", 12) == 0;
}

static void *work(void *context)
{
	struct plan *plan = context;
	size_t cap = (size_t)1 << 20, at;
	char *bytes = malloc(cap);
	int fd = dial(plan);

	while ((at = atomic_fetch_add(&plan->next, 1)) < plan->count) {
		const struct buffer *request = &plan->requests[at];

		for (size_t sent = 0; sent < request->len;) {
			ssize_t now =
			    send(fd, request->bytes + sent, request->len - sent, MSG_NOSIGNAL);

			if (now <= 0)
				fail("send");
			sent += (size_t)now;
		}
		if (!drain(fd, bytes, cap))
			fail("an answer");
		atomic_fetch_add(&plan->good, 1);
	}
	close(fd);
	free(bytes);
	return NULL;
}

int main(int argc, char **argv)
{
	struct plan plan = {.address = {.sin_family = AF_INET}};
	pthread_t threads[CONNECTIONS_MAX];
	char *colon = argc == 5 ? strrchr(argv[1], ':') : NULL;
	int connections = argc == 5 ? atoi(argv[4]) : 0;
	int64_t started_us;

	if (!colon || connections < 1 || connections > CONNECTIONS_MAX || atoi(argv[3]) < 1) {
		fprintf(stderr, "usage: floor HOST:PORT FILE BATCH CONNECTIONS\n");
		return 2;
	}
	*colon = '\0';
	plan.address.sin_port = htons((uint16_t)atoi(colon + 1));
	inet_pton(AF_INET, argv[1], &plan.address.sin_addr);
	plan.requests = calloc(REQUESTS_MAX, sizeof(*plan.requests));
	read_texts(&plan, argv[2], (size_t)atoi(argv[3]));
	started_us = clock_now_us();
	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, work, &plan);
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("{\"wall_ms\":%.1f,\"answers\":%zu}\n", (double)(clock_now_us() - started_us) / 1e3,
	    (size_t)plan.good);
	for (size_t i = 0; i < plan.count; i++)
		buffer_fini(&plan.requests[i]);
	free(plan.requests);
	return 0;
}
