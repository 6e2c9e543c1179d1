/* SPDX-License-Identifier: MIT */
#include "http/harness.h"

#include <sys/resource.h>

#define BYTES(text) (text), sizeof(text) - 1
#define END         "Connection: close\r\n\r\n"

struct wire_case {
	const char *name;
	const char *bytes;
	size_t len;
	const char *statuses;
	const char *holds; /* in the replies; NULL: anything */
};

/* What goes over one connection, and what must come back before it closes. */
static const struct wire_case wire_cases[] = {
    {"one request", BYTES("GET / HTTP/1.1\r\nHost: a\r\n" END), "200", "hello"},
    {"three in a row",
	BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\n"
	      "Content-Length: 5\r\n\r\nGET /GET / HTTP/1.1\r\nHost: a\r\n" END),
	"200 200 200", "\r\n\r\nGET /HTTP"},
    {"chunked, then another",
	BYTES("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	      "3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n" END),
	"200 200", "\r\n\r\nabcdefHTTP"},
    {"waiting ones keep their order",
	BYTES("GET /after HTTP/1.1\r\nHost: a\r\n\r\nGET /park HTTP/1.1\r\nHost: a\r\n\r\n"
	      "GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n" END),
	"200 200 200 200", "hello"},
    {"HTTP/1.0 closes", BYTES("GET / HTTP/1.0\r\n\r\n"), "200", "connection: close"},
    {"HTTP/1.0 gets no chunks", BYTES("GET /stream HTTP/1.0\r\n\r\n"), "200", "\r\n\r\n0123456789"},
    {"chunks", BYTES("GET /stream HTTP/1.1\r\nHost: a\r\n" END), "200", "1\r\n9\r\n0\r\n\r\n"},
    {"length", BYTES("GET /length HTTP/1.1\r\nHost: a\r\n" END), "200",
	"content-length: 10\r\nconnection: close\r\n\r\n0123456789"},
    {"HEAD has a length and no body", BYTES("HEAD / HTTP/1.1\r\nHost: a\r\n" END), "200",
	"content-length: 5\r\nconnection: close\r\n\r\n"},
    {"HEAD of a stream", BYTES("HEAD /stream HTTP/1.1\r\nHost: a\r\n" END), "200", "chunked"},
    {"continue",
	BYTES(
	    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n" END),
	"200", NULL},
    {"refused, and what follows is not a request",
	BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400", NULL},
    {"good, bad, unread",
	BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n"
	      "Host: a\r\n\r\n"),
	"200 400", NULL},
    {"smuggling by two lengths",
	BYTES("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"
	      "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
	"400", NULL},
    {"smuggling by length and coding",
	BYTES("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
	      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n"
	      "Host: a\r\n\r\n"),
	"400", NULL},
    {"body too large by its length",
	BYTES("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789"), "413",
	NULL},
    {"body as large as it may be",
	BYTES("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n" END "12345678"), "200",
	"12345678"},
    {"body too large by its chunks",
	BYTES("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	      "8\r\n12345678\r\n1\r\n9\r\n0\r\n\r\n"),
	"413", NULL},
    {"bad chunk", BYTES("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz"),
	"400", NULL},
    {"refused from the head, body unread",
	BYTES("POST /closed-door HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"), "401",
	"connection: close"},
    {"cut", BYTES("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n"), "200",
	"content-length: 10\r\n\r\n01234"},
    {"raw bytes", BYTES("GET /raw HTTP/1.1\r\nHost: a\r\n\r\n"), "", "garbage\r\n"},
    {"reset", BYTES("GET /reset HTTP/1.1\r\nHost: a\r\n\r\n"), "", NULL},
    {"unknown version", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "505", NULL},
    {"TLS hello to a plain port", BYTES("\x16\x03\x01\x02\x00\x01\x00\n"), "400", NULL},
};

static void each_exchange_of_bytes_goes_as_it_must(void **state)
{
	struct harness harness = {0};
	char replies[65536];
	char statuses[256];

	(void)state;
	harness_start(&harness);
	for (size_t i = 0; i < sizeof(wire_cases) / sizeof(wire_cases[0]); i++) {
		const struct wire_case *c = &wire_cases[i];
		const size_t steps[] = {c->len, 1};

		for (size_t s = 0; s < 2; s++) {
			harness_ask(&harness, c->bytes, c->len, steps[s], replies, sizeof(replies));
			harness_statuses(replies, statuses);
			if (strcmp(statuses, c->statuses) != 0)
				fail_msg("%s, %zu bytes at a time: \"%s\", not \"%s\": %s", c->name,
				    steps[s], statuses, c->statuses, replies);
			if (c->holds && s == 0 && !strstr(replies, c->holds))
				fail_msg("%s: no \"%s\" in: %s", c->name, c->holds, replies);
		}
	}
	harness_stop(&harness);
}

static void a_long_head_is_refused_with_431(void **state)
{
	struct harness harness = {0};
	static char request[65536];
	char replies[4096];
	char statuses[64];
	int len = sprintf(request, "GET / HTTP/1.1\r\nHost: a\r\nX: ");

	(void)state;
	memset(request + len, 'x', sizeof(request) - (size_t)len);
	harness_start(&harness);
	harness_ask(&harness, request, sizeof(request), sizeof(request), replies, sizeof(replies));
	harness_statuses(replies, statuses);
	assert_string_equal(statuses, "431");
	harness_stop(&harness);
}

static void expect_is_answered_before_the_body_is_sent(void **state)
{
	struct harness harness = {0};
	char replies[4096];
	int fd;

	(void)state;
	harness_start(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			      "Expect: 100-continue\r\n" END);
	harness_read_until(fd, replies, sizeof(replies), "\r\n\r\n");
	assert_string_equal(replies, "HTTP/1.1 100 Continue\r\n\r\n");
	harness_send_text(fd, "abc");
	assert_true(harness_read_all(fd, replies, sizeof(replies)) > 0);
	assert_non_null(strstr(replies, "\r\n\r\nabc"));
	close(fd);
	harness_stop(&harness);
}

static void a_refusing_head_spares_the_client_the_body(void **state)
{
	struct harness harness = {0};
	char replies[4096];
	char statuses[64];
	static const char request[] = "POST /closed-door HTTP/1.1\r\nHost: a\r\n"
				      "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n";

	(void)state;
	harness_start(&harness);
	harness_ask(&harness, request, sizeof(request) - 1, 4096, replies, sizeof(replies));
	harness_statuses(replies, statuses);
	assert_string_equal(statuses, "401");
	harness_stop(&harness);
}

static void an_early_answer_keeps_the_connection_when_the_body_is_here(void **state)
{
	static const char requests[] =
	    "POST /closed-door HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	    "GET / HTTP/1.1\r\nHost: a\r\n" END;
	struct harness harness = {0};
	char replies[4096];
	char statuses[64];

	(void)state;
	harness_start(&harness);
	harness_ask(&harness, requests, sizeof(requests) - 1, 4096, replies, sizeof(replies));
	harness_statuses(replies, statuses);
	assert_string_equal(statuses, "401 200");
	harness_stop(&harness);
}

/* 3 MB through a buffer that starts at 16 KB, as one body and as chunks of odd sizes. */
static void large_bodies_come_through_unharmed(void **state)
{
	struct harness harness = {.options.max_body_bytes = 4u << 20};
	size_t len = 3000001;
	char *request = malloc(len * 2);
	char *replies = malloc(len * 2);
	size_t at = (size_t)sprintf(
	    request, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" END);
	char *body = malloc(len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		body[i] = (char)('a' + i * i % 23);
	for (size_t i = 0, piece; i < len; i += piece) {
		piece = 1 + i % 7919 < len - i ? 1 + i % 7919 : len - i;
		at += (size_t)sprintf(request + at, "%zx\r\n", piece);
		memcpy(request + at, body + i, piece);
		at += piece;
		memcpy(request + at, "\r\n", 2);
		at += 2;
	}
	memcpy(request + at, "0\r\n\r\n", 5);
	harness_start(&harness);
	for (int round = 0; round < 2; round++) {
		const char *answer;

		harness_ask(&harness, request, round ? at : at + 5, len * 2, replies, len * 2);
		answer = strstr(replies, "\r\n\r\n");
		assert_non_null(answer);
		assert_memory_equal(answer + 4, body, len);
		at = (size_t)sprintf(
		    request, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n" END, len);
		memcpy(request + at, body, len);
		at += len;
	}
	harness_stop(&harness);
	free(body);
	free(request);
	free(replies);
}

static void a_large_reply_waits_for_a_slow_reader(void **state)
{
	struct harness harness = {0};
	char *replies = malloc(BIG_BYTES + 4096);
	const char *body;
	int fd;

	(void)state;
	harness_start(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\n" END);
	while (atomic_load(&harness.seen) == 0)
		sched_yield();
	assert_true(harness_read_all(fd, replies, BIG_BYTES + 4096) > (ssize_t)BIG_BYTES);
	body = strstr(replies, "\r\n\r\n") + 4;
	assert_int_equal(strspn(body, "b"), BIG_BYTES);
	close(fd);
	harness_stop(&harness);
	free(replies);
}

/* ---- Where it listens --------------------------------------------------- */

static void listens_on_a_unix_socket_and_replaces_a_stale_one(void **state)
{
	char path[] = "/tmp/http-test-XXXXXX";
	char address[64];
	const char *listen[] = {address};
	char replies[4096];

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(address, sizeof(address), "unix:%s/s", path);
	for (int round = 0; round < 2; round++) {
		struct harness harness = {.options = {.listen = listen, .listen_count = 1}};
		struct sockaddr_un un = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		strcpy(un.sun_path, address + 5);
		if (round == 1) { /* a file whose owner died */
			int stale = socket(AF_UNIX, SOCK_STREAM, 0);

			assert_int_equal(bind(stale, (struct sockaddr *)&un, sizeof(un)), 0);
			close(stale);
		}
		harness_start(&harness);
		assert_string_equal(http_server_address(harness.server, 0), address);
		assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
		harness_send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n" END);
		assert_true(harness_read_all(fd, replies, sizeof(replies)) > 0);
		assert_non_null(strstr(replies, "hello"));
		close(fd);
		harness_stop(&harness);
		assert_int_equal(access(address + 5, F_OK), -1);
	}
	rmdir(path);
}

static void takes_over_a_listening_descriptor(void **state)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct harness harness = {
	    .options = {.listen_fds = &fd, .listen_fd_count = 1, .workers = 3}};
	char replies[4096];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 16), 0);
	harness_start(&harness);
	for (int i = 0; i < 10; i++) {
		harness_ask(&harness, BYTES("GET / HTTP/1.1\r\nHost: a\r\n" END), 4096, replies,
		    sizeof(replies));
		assert_non_null(strstr(replies, "hello"));
	}
	harness_stop(&harness);
}

static void a_port_in_use_is_refused_unless_it_is_to_be_taken_over(void **state)
{
	struct harness first = {0};
	char address[64];
	const char *listen[] = {address};
	struct http_options options = {
	    .listen = listen, .listen_count = 1, .on_request = harness_on_request};
	struct http_server *second;
	struct embed_error error = {0};

	(void)state;
	harness_start(&first);
	assert_false(http_server_shares_ports(first.server));
	snprintf(address, sizeof(address), "%s", http_server_address(first.server, 0));
	assert_int_equal(http_server_start(&second, &options, &error), EMBED_IO);
	assert_non_null(strstr(error.message, "Address already in use"));
	options.takes_over_ports = true;
	assert_int_equal(http_server_start(&second, &options, &error), EMBED_OK);
	assert_true(http_server_shares_ports(second));
	http_server_stop(second);
	harness_stop(&first);
}

static void a_file_in_a_sockets_place_is_named(void **state)
{
	char path[] = "/tmp/http-test-XXXXXX";
	char address[64];
	const char *listen[] = {address};
	struct http_options options = {
	    .listen = listen, .listen_count = 1, .on_request = harness_on_request};
	struct http_server *server;
	struct embed_error error = {0};

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(address, sizeof(address), "unix:%s", path);
	assert_int_equal(http_server_start(&server, &options, &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, "something else than a socket is there"));
	rmdir(path);
}

static void says_why_an_address_cannot_work(void **state)
{
	static const char *const bad[] = {"", "8080", "127.0.0.1", ":80", "127.0.0.1:x",
	    "127.0.0.1:65536", "::1:80", "unix:", "no.such.host.invalid:80"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_options options = {
		    .listen = &bad[i], .listen_count = 1, .on_request = harness_on_request};
		struct http_server *server;
		struct embed_error error = {0};

		assert_int_equal(http_server_start(&server, &options, &error), EMBED_BAD_OPTION);
		assert_non_null(
		    strstr(error.message, bad[i] + (strncmp(bad[i], "unix:", 5) ? 0 : 5)));
	}
}

static void one_connection_too_many_is_told_so(void **state)
{
	struct harness harness = {.options.max_connections = 2};
	char replies[4096];
	struct http_server_stats stats;
	int fds[2];

	(void)state;
	harness_start(&harness);
	for (int i = 0; i < 2; i++) {
		fds[i] = harness_connect(&harness);
		harness_send_text(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
		harness_read_until(fds[i], replies, sizeof(replies), "hello");
	}
	harness_ask(&harness, "", 0, 1, replies, sizeof(replies));
	assert_non_null(strstr(replies, "503"));
	http_server_stats(harness.server, &stats);
	assert_int_equal(stats.over_cap, 1);
	assert_int_equal(stats.connections, 2);
	close(fds[0]);
	close(fds[1]);
	harness_stop(&harness);
}

/* A worker that does not know its server does not start, and so neither does the server. */
static bool knows_server(unsigned index, void **user, void *context)
{
	struct harness *harness = context;

	(void)index;
	*user = NULL;
	return harness->server != NULL;
}

static void a_worker_finds_its_server_from_the_first_request_on(void **state)
{
	struct harness harness = {.options = {.on_worker_start = knows_server}};

	(void)state;
	harness_start(&harness);
	harness_stop(&harness);
}

/* The highest number of `count` descriptors that are opened next. */
static int reach_of(int count)
{
	int fds[8], reach = 0;

	for (int i = 0; i < count; i++) {
		fds[i] = dup(0);
		assert_true(fds[i] >= 0);
		reach = fds[i] > reach ? fds[i] : reach;
	}
	for (int i = 0; i < count; i++)
		close(fds[i]);
	return reach;
}

static void allow_descriptors_below(int number)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)number;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The server starts without one to spare, and takes it later. */
static void without_a_free_descriptor_a_client_is_told_by_a_close(void **state)
{
	struct harness harness = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct rlimit before;
	int first, late;
	char byte;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	allow_descriptors_below(reach_of(3) + 1); /* listener, epoll, wake */
	harness_start(&harness);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	first = harness_connect(&harness);
	harness_send_text(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(recv(first, &byte, 1, 0) == 1);

	late = harness_socket();
	address.sin_port = htons(harness.port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	allow_descriptors_below(reach_of(1));
	assert_int_equal(connect(late, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(recv(late, &byte, 1, 0) == 0 || errno == ECONNRESET);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(first);
	close(late);
	harness_stop(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_exchange_of_bytes_goes_as_it_must),
	    cmocka_unit_test(a_long_head_is_refused_with_431),
	    cmocka_unit_test(expect_is_answered_before_the_body_is_sent),
	    cmocka_unit_test(a_refusing_head_spares_the_client_the_body),
	    cmocka_unit_test(an_early_answer_keeps_the_connection_when_the_body_is_here),
	    cmocka_unit_test(large_bodies_come_through_unharmed),
	    cmocka_unit_test(a_large_reply_waits_for_a_slow_reader),
	    cmocka_unit_test(listens_on_a_unix_socket_and_replaces_a_stale_one),
	    cmocka_unit_test(takes_over_a_listening_descriptor),
	    cmocka_unit_test(a_port_in_use_is_refused_unless_it_is_to_be_taken_over),
	    cmocka_unit_test(a_file_in_a_sockets_place_is_named),
	    cmocka_unit_test(says_why_an_address_cannot_work),
	    cmocka_unit_test(one_connection_too_many_is_told_so),
	    cmocka_unit_test(a_worker_finds_its_server_from_the_first_request_on),
	    cmocka_unit_test(without_a_free_descriptor_a_client_is_told_by_a_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
