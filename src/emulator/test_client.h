/* SPDX-License-Identifier: MIT */
/*
 * For the emulator's own tests: starts one on a free port and asks it over a
 * plain socket, so that what is on the wire can be looked at byte by byte.
 */
#ifndef EMULATOR_TEST_CLIENT_H
#define EMULATOR_TEST_CLIENT_H

#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "emulator/emulator.h"

#define ANSWER_MAX    ((size_t)4 << 20)
#define ARGUMENTS_MAX 32
#define WAIT_S        10

struct stand {
	struct options *options;
	struct emulator *emulator;
	uint16_t port;
};

/* What came back, and how it ended. */
struct answer {
	char *bytes; /* all of it, NUL-terminated */
	size_t len;
	int status;       /* 0: not even a status line */
	const char *body; /* after the blank line, chunks joined */
	size_t body_len;
	bool was_reset;
};

/* `arguments` are flags as on the command line, ended by NULL. */
static inline struct stand stand_open(const char *const *arguments)
{
	static char *environment[] = {NULL};
	const struct option_set *sets[] = {&emulator_option_set};
	char *argv[ARGUMENTS_MAX] = {(char *)"--listen=127.0.0.1:0"};
	struct options_input input = {.active = sets,
	    .active_count = 1,
	    .known = sets,
	    .known_count = 1,
	    .argc = 1,
	    .argv = argv,
	    .environment = environment};
	struct embed_error error = {.message = ""};
	struct stand stand;

	for (; *arguments && input.argc < ARGUMENTS_MAX; arguments++)
		argv[input.argc++] = (char *)*arguments;
	if (options_load(&stand.options, &input, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	if (emulator_open(&stand.emulator, options_values(stand.options, &emulator_option_set),
		&error) != EMBED_OK)
		fail_msg("%s", error.message);
	stand.port = (uint16_t)atoi(strrchr(emulator_address(stand.emulator), ':') + 1);
	return stand;
}

#define STAND(...) stand_open((const char *const[]){__VA_ARGS__, NULL})

static inline void stand_close(struct stand *stand)
{
	emulator_close(stand->emulator);
	options_destroy(stand->options);
}

static inline int stand_connect(const struct stand *stand)
{
	const struct timeval wait = {.tv_sec = WAIT_S};
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(stand->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static inline void send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		assert_true(sent > 0);
		bytes += sent;
		len -= (size_t)sent;
	}
}

/* Joins chunks in place; stops at the first that is not whole. */
static inline size_t join_chunks(char *body, size_t len)
{
	char *in = body, *out = body, *end = body + len, *line;

	while ((line = memmem(in, (size_t)(end - in), "\r\n", 2))) {
		size_t size = strtoul(in, NULL, 16), here;

		in = line + 2;
		here = size < (size_t)(end - in) ? size : (size_t)(end - in);
		memmove(out, in, here);
		out += here;
		if (size == 0 || here < size || end - in < (ptrdiff_t)size + 2)
			break;
		in += size + 2;
	}
	*out = '\0';
	return (size_t)(out - body);
}

static inline void parse_answer(struct answer *answer)
{
	char *blank = memmem(answer->bytes, answer->len, "\r\n\r\n", 4);

	answer->status = answer->len > 12 ? atoi(answer->bytes + 9) : 0;
	answer->body = "";
	answer->body_len = 0;
	if (!blank)
		return;
	*blank = '\0';
	answer->body = blank + 4;
	answer->body_len = answer->len - (size_t)(blank + 4 - answer->bytes);
	if (strstr(answer->bytes, "transfer-encoding: chunked"))
		answer->body_len = join_chunks(blank + 4, answer->body_len);
}

/* Reads until the other side ends. */
static inline struct answer read_answer(int fd)
{
	struct answer answer = {.bytes = malloc(ANSWER_MAX + 1)};
	ssize_t got;

	while ((got = TEMP_FAILURE_RETRY(
		    recv(fd, answer.bytes + answer.len, ANSWER_MAX - answer.len, 0))) > 0)
		answer.len += (size_t)got;
	if (got < 0 && errno != ECONNRESET)
		fail_msg("no answer within %d s, %zu bytes so far", WAIT_S, answer.len);
	answer.was_reset = got < 0;
	answer.bytes[answer.len] = '\0';
	parse_answer(&answer);
	return answer;
}

static inline void answer_free(struct answer *answer)
{
	free(answer->bytes);
}

/* One request on a connection of its own; `fields` are whole lines, maybe "". */
static inline struct answer ask(const struct stand *stand, const char *method, const char *path,
    const char *fields, const char *body, size_t body_len)
{
	int fd = stand_connect(stand);
	struct answer answer;
	char head[2048];
	int len = snprintf(head, sizeof(head),
	    "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: "
	    "%zu\r\n\r\n",
	    method, path, fields, body_len);

	assert_true(len > 0 && (size_t)len < sizeof(head));
	send_all(fd, head, (size_t)len);
	send_all(fd, body, body_len);
	answer = read_answer(fd);
	close(fd);
	return answer;
}

static inline struct answer post(const struct stand *stand, const char *path, const char *body)
{
	return ask(stand, "POST", path, "", body, strlen(body));
}

static inline struct answer get(const struct stand *stand, const char *path)
{
	return ask(stand, "GET", path, "", "", 0);
}

static inline struct answer embed_body(const struct stand *stand, const char *body)
{
	return post(stand, "/v1/embeddings", body);
}

/* The value of a field, or "" when it is not there; valid until the next call. */
static inline const char *field_of(const struct answer *answer, const char *name)
{
	static char value[256];
	char wanted[64];
	const char *at, *stop;

	snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
	at = strstr(answer->bytes, wanted);
	if (!at)
		return "";
	at += strlen(wanted);
	stop = strstr(at, "\r\n");
	snprintf(value, sizeof(value), "%.*s", stop ? (int)(stop - at) : (int)strlen(at), at);
	return value;
}

/* The body as JSON; the caller frees it. */
static inline json_t *json_of(const struct answer *answer)
{
	json_error_t error;
	json_t *json = json_loadb(answer->body, answer->body_len, 0, &error);

	if (!json)
		fail_msg("%s in: %.300s", error.text, answer->body);
	return json;
}

/* One number out of /emulator/stats. */
static inline json_int_t stat_of(const struct stand *stand, const char *name)
{
	struct answer answer = get(stand, "/emulator/stats");
	json_t *json = json_of(&answer);
	json_int_t value = json_integer_value(json_object_get(json, name));

	json_decref(json);
	answer_free(&answer);
	return value;
}

/* Asks until the number is right; what is waited for comes by itself, soon. */
static inline void wait_for_stat(const struct stand *stand, const char *name, json_int_t wanted)
{
	int64_t deadline_us = clock_now_us() + WAIT_S * INT64_C(1000000);

	while (stat_of(stand, name) != wanted)
		if (clock_now_us() > deadline_us)
			fail_msg("%s is not %d after %d s", name, (int)wanted, WAIT_S);
}

#endif
