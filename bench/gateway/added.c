/* SPDX-License-Identifier: MIT */
/*
 * usage: bench_added DELAY_US CALLERS
 * What a gateway adds to a miss.  One thread is its callers and its upstream at
 * once, so that both ends of each text are stamped by one clock:
 *
 *   added = (answer here - question here) - (answer there - question there)
 *
 * The upstream's own time falls out text by text, and no distribution is
 * subtracted from another.  What remains is the gateway, the kernel's four
 * passes over loopback, and whatever else the machine does meanwhile.
 *
 * Prints "upstream PORT", then obeys lines "PORT RATE SECONDS" from stdin: asks
 * PORT for RATE new texts a second and prints
 *   p50 p90 p99 p99.9 max   of what was added, in microseconds,
 *   mean texts for each upstream request, questions that found no free caller.
 * With the upstream's own PORT there is nothing between: that is the floor.
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_BYTES    (1 << 20)
#define EVENTS      64
#define CONNS_MAX   4096
#define TEXTS_MAX   4096    /* of one upstream request */
#define VECTOR_TEXT 8192    /* base64 of 1,536 floats */
#define MARK        "miss " /* begins each text; its number follows */

struct conn {
	int fd;
	bool is_caller;
	size_t len;
	size_t text;             /* of the caller's question */
	int64_t asked_us;        /* by the caller; when the upstream got it */
	int64_t due_us;          /* of the upstream's answer */
	size_t texts[TEXTS_MAX]; /* that the upstream was asked for */
	size_t text_count;
	struct conn *next; /* in `due`, the order of answers */
	char in[IN_BYTES + 1];
};

struct bench {
	int epoll_fd, listen_fd, port;
	int64_t delay_us;
	struct conn **idle; /* callers */
	size_t idle_count, caller_count;
	struct conn *due, *due_last;
	int64_t *upstream_us; /* by text: what the upstream took */
	int64_t *added_us;
	size_t sent, done, total, late, requests, first_text;
	char vector[VECTOR_TEXT + 1];
	char *out;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *need(void *memory)
{
	if (!memory)
		fail("memory");
	return memory;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t sent = write(fd, bytes, len);

		if (sent <= 0)
			fail("write");
		bytes += sent;
		len -= (size_t)sent;
	}
}

/* ---- Connections --------------------------------------------------------- */

static struct conn *add_conn(struct bench *bench, int fd, bool is_caller)
{
	struct conn *conn = need(calloc(1, sizeof(*conn)));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
	int on = 1;

	if (fd < 0)
		fail("connection");
	conn->fd = fd;
	conn->is_caller = is_caller;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(bench->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
	return conn;
}

static void drop_conn(struct conn *conn)
{
	close(conn->fd);
	free(conn);
}

static void open_callers(struct bench *bench, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (bench->idle_count < bench->caller_count) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
			fail("connect");
		bench->idle[bench->idle_count++] = add_conn(bench, fd, true);
	}
}

static void close_callers(struct bench *bench)
{
	while (bench->idle_count)
		drop_conn(bench->idle[--bench->idle_count]);
}

static void start_listening(struct bench *bench)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(bench->listen_fd, (struct sockaddr *)&at, len) || listen(bench->listen_fd, 512) ||
	    getsockname(bench->listen_fd, (struct sockaddr *)&at, &len) ||
	    epoll_ctl(bench->epoll_fd, EPOLL_CTL_ADD, bench->listen_fd, &event))
		fail("listen");
	bench->port = ntohs(at.sin_port);
}

/* ---- As upstream ---------------------------------------------------------- */

/* Every number a 16-bit float, as today's models answer. */
static void fill_vector(struct bench *bench)
{
	static const char item[] = "AABRPAAAUTwAAFE8"; /* three floats of 0x3c510000 */

	for (size_t i = 0; i < VECTOR_TEXT; i++)
		bench->vector[i] = item[i % 16];
}

static void answer_upstream(struct bench *bench, struct conn *conn)
{
	char head[128];
	size_t len = 0;
	int head_len;

	len += (size_t)sprintf(bench->out + len, "{\"object\":\"list\",\"data\":[");
	for (size_t i = 0; i < conn->text_count; i++)
		len += (size_t)sprintf(bench->out + len,
		    "%s{\"object\":\"embedding\",\"embedding\":\"%s\",\"index\":%zu}", i ? "," : "",
		    bench->vector, i);
	len += (size_t)sprintf(bench->out + len,
	    "],\"model\":\"text-embedding-3-small\",\"usage\":{\"prompt_tokens\":%zu,\"total_tokens\":%zu}}",
	    2 * conn->text_count, 2 * conn->text_count);
	head_len = sprintf(head,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    len);
	memmove(bench->out + head_len, bench->out, len);
	memcpy(bench->out, head, (size_t)head_len);
	for (size_t i = 0; i < conn->text_count; i++)
		bench->upstream_us[conn->texts[i]] = now_us() - conn->asked_us;
	send_all(conn->fd, bench->out, len + (size_t)head_len);
}

/* The whole request is there when its length is. */
static bool is_whole(const struct conn *conn)
{
	const char *end = strstr(conn->in, "\r\n\r\n");
	const char *length = end ? strcasestr(conn->in, "content-length:") : NULL;

	return length && conn->len >= (size_t)(end + 4 - conn->in) + strtoul(length + 15, NULL, 10);
}

static void take_question(struct bench *bench, struct conn *conn)
{
	conn->text_count = 0;
	for (const char *at = conn->in; (at = strstr(at, MARK)) && conn->text_count < TEXTS_MAX;)
		conn->texts[conn->text_count++] =
		    strtoul(at += strlen(MARK), NULL, 10) - bench->first_text;
	conn->len = 0;
	conn->asked_us = now_us();
	conn->due_us = conn->asked_us + bench->delay_us;
	conn->next = NULL;
	if (bench->due)
		bench->due_last->next = conn;
	else
		bench->due = conn;
	bench->due_last = conn;
	bench->requests++;
}

static void answer_due(struct bench *bench)
{
	while (bench->due && bench->due->due_us <= now_us()) {
		struct conn *conn = bench->due;

		bench->due = conn->next;
		answer_upstream(bench, conn);
	}
}

/* ---- As callers ----------------------------------------------------------- */

static void ask(struct bench *bench, struct conn *conn)
{
	char body[256], request[512];
	int len;

	conn->text = bench->sent++;
	len = snprintf(body, sizeof(body),
	    "{\"model\":\"text-embedding-3-small\",\"input\":\"" MARK
	    "%zu\",\"encoding_format\":\"base64\"}",
	    bench->first_text + conn->text);
	len = snprintf(request, sizeof(request),
	    "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	    "Content-Length: %d\r\n\r\n%s",
	    len, body);
	conn->asked_us = now_us();
	send_all(conn->fd, request, (size_t)len);
}

static void take_answer(struct bench *bench, struct conn *conn)
{
	int64_t took_us = now_us() - conn->asked_us;

	if (strncmp(conn->in, "HTTP/1.1 200", 12)) {
		fprintf(stderr, "%.400s\n", conn->in);
		exit(1);
	}
	conn->len = 0;
	bench->added_us[bench->done++] = took_us - bench->upstream_us[conn->text];
	bench->idle[bench->idle_count++] = conn;
}

/* ---- Both ------------------------------------------------------------------ */

static void on_readable(struct bench *bench, struct conn *conn)
{
	ssize_t got = read(conn->fd, conn->in + conn->len, IN_BYTES - conn->len);

	if (got <= 0 && conn->is_caller)
		fail("read");
	if (got <= 0) {
		drop_conn(conn);
		return;
	}
	conn->len += (size_t)got;
	conn->in[conn->len] = '\0';
	if (!is_whole(conn))
		return;
	if (conn->is_caller)
		take_answer(bench, conn);
	else
		take_question(bench, conn);
}

/* Sleeps until something comes or `until_us`, to the microsecond. */
static void wait_until(struct bench *bench, int64_t until_us)
{
	struct epoll_event events[EVENTS];
	int64_t wait_us = until_us - now_us();
	struct timespec timeout = {0};
	int count;

	if (wait_us > 0)
		timeout = (struct timespec){wait_us / 1000000, wait_us % 1000000 * 1000};
	count = epoll_pwait2(bench->epoll_fd, events, EVENTS, &timeout, NULL);
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr)
			on_readable(bench, events[i].data.ptr);
		else
			add_conn(bench, accept(bench->listen_fd, NULL, NULL), false);
	}
}

static void ask_due(struct bench *bench, int64_t next_us)
{
	if (now_us() < next_us)
		return;
	if (bench->idle_count)
		ask(bench, bench->idle[--bench->idle_count]);
	else
		bench->late++;
}

static void run(struct bench *bench, double rate)
{
	int64_t begin_us = now_us();

	while (bench->done < bench->total) {
		int64_t next_us = bench->sent == bench->total
				      ? INT64_MAX
				      : begin_us + (int64_t)((double)bench->sent * 1e6 / rate);
		int64_t until_us =
		    bench->due && bench->due->due_us < next_us ? bench->due->due_us : next_us;

		if (next_us != INT64_MAX && !bench->idle_count && now_us() >= next_us)
			until_us = bench->due ? bench->due->due_us : now_us() + 1000;
		wait_until(bench, until_us == INT64_MAX ? now_us() + 1000 : until_us);
		answer_due(bench);
		if (next_us != INT64_MAX)
			ask_due(bench, next_us);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct bench *bench)
{
	static const double shares[] = {0.5, 0.9, 0.99, 0.999};

	qsort(bench->added_us, bench->total, sizeof(int64_t), compare);
	for (size_t i = 0; i < 4; i++)
		printf("%lld ",
		    (long long)bench->added_us[(size_t)((double)bench->total * shares[i])]);
	printf("%lld %.2f %zu\n", (long long)bench->added_us[bench->total - 1],
	    (double)bench->total / (double)bench->requests, bench->late);
	fflush(stdout);
}

static void obey(struct bench *bench, int port, double rate, double seconds)
{
	bench->first_text += bench->total;
	bench->sent = bench->done = bench->late = bench->requests = 0;
	bench->total = (size_t)(rate * seconds);
	bench->upstream_us = need(calloc(bench->total, sizeof(int64_t)));
	bench->added_us = need(calloc(bench->total, sizeof(int64_t)));
	open_callers(bench, port);
	run(bench, rate);
	close_callers(bench);
	report(bench);
	free(bench->upstream_us);
	free(bench->added_us);
}

int main(int argc, char **argv)
{
	struct bench bench = {.caller_count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0};
	double rate, seconds;
	int port;

	if (!bench.caller_count || bench.caller_count > CONNS_MAX)
		return 2;
	prctl(PR_SET_TIMERSLACK, 1000); /* ns */
	bench.delay_us = atoll(argv[1]);
	bench.epoll_fd = epoll_create1(0);
	bench.idle = need(calloc(bench.caller_count, sizeof(struct conn *)));
	bench.out = need(malloc((size_t)TEXTS_MAX * (VECTOR_TEXT + 128)));
	fill_vector(&bench);
	start_listening(&bench);
	printf("upstream %d\n", bench.port);
	fflush(stdout);
	while (scanf("%d %lf %lf", &port, &rate, &seconds) == 3)
		obey(&bench, port, rate, seconds);
	return 0;
}
