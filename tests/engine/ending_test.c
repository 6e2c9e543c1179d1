/* SPDX-License-Identifier: MIT */
/* Answers whose connection ends badly, or that are not what was asked for: what came of them decides. */
#include "base/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/engine.h"

#define VECTORS                                                                                    \
	"{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":[1,0],"            \
	"\"index\":0}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}"

enum kind {
	HANGS_UP,
	STAYS, /* keeps the connection open after the reply */
	FIXED, /* hangs up too, and always gives two numbers: asked for one of a model nobody knows */
	PROXY, /* hangs up too, and stands before an upstream that is never reached */
};

/* One engine, and one who answers every request with the same bytes and hangs up, or does not. */
struct rig {
	const char *reply;
	enum kind kind;
	int listener, client;
	pthread_t server;
	struct engine *engine;
	atomic_uint requests;
	atomic_uint_least64_t billed_tokens;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended; /* guarded by `lock`, as what follows */
	enum embed_status status;
	int http_status;
};

/* Until the body's last brace, or the blank line after a proxy's CONNECT: the request is whole. */
static void read_request(int client)
{
	char bytes[4096];
	ssize_t got;

	do
		got = recv(client, bytes, sizeof(bytes), 0);
	while (got > 0 && bytes[got - 1] != '}' && memcmp(bytes, "CONNECT ", 8) != 0);
}

static void *serve(void *context)
{
	struct rig *rig = context;

	while ((rig->client = accept(rig->listener, NULL, NULL)) >= 0) {
		char byte;

		read_request(rig->client);
		rig->requests++;
		assert_int_equal(send(rig->client, rig->reply, strlen(rig->reply), MSG_NOSIGNAL),
		    strlen(rig->reply));
		/* Who gave up on the answer hangs up. */
		while (rig->kind == STAYS && recv(rig->client, &byte, 1, 0) > 0)
			;
		close(rig->client);
	}
	return NULL;
}

static void on_record(struct engine_record *record, void *context)
{
	struct rig *rig = context;

	rig->billed_tokens += record->billed_tokens;
	engine_recorded(rig->engine, record, EMBED_OK);
}

static void on_text(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct rig *rig = context;

	(void)index;
	pthread_mutex_lock(&rig->lock);
	rig->status = outcome->status;
	if (outcome->error)
		rig->http_status = outcome->error->http_status;
	pthread_mutex_unlock(&rig->lock);
}

static void on_done(void *context)
{
	struct rig *rig = context;

	pthread_mutex_lock(&rig->lock);
	rig->has_ended = true;
	pthread_cond_signal(&rig->ended);
	pthread_mutex_unlock(&rig->lock);
}

static uint16_t listen_somewhere(struct rig *rig)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(rig->listener, 8), 0);
	assert_int_equal(getsockname(rig->listener, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static void open_engine(struct rig *rig, uint16_t port)
{
	/* Of who stays only the idle timeout may be the end. */
	const uint32_t long_ms = rig->kind == STAYS ? 3600000 : 20000;
	const uint32_t idle_ms = rig->kind == STAYS ? 100 : 20000;
	char base_url[64];
	const struct embed_upstream upstream = {.name = "only",
	    .base_url = base_url,
	    .share = 1,
	    .batch_texts = 2048,
	    .batch_tokens = 295000,
	    .batch_bytes = 8 << 20,
	    .text_tokens = 8192,
	    .max_in_flight = 8,
	    .no_dimensions = rig->kind == FIXED};
	const struct engine_options options = {.upstreams = &upstream,
	    .upstream_count = 1,
	    .max_attempts = 2,
	    .retry_deadline_ms = long_ms,
	    .retry_budget_percent = 20,
	    .connect_timeout_ms = 20000,
	    .first_byte_timeout_ms = long_ms,
	    .idle_timeout_ms = idle_ms,
	    .seed = 1};
	const struct engine_hooks hooks = {on_record, rig};
	struct embed_error error;

	snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%u/v1", port);
	if (rig->kind == PROXY) {
		setenv("https_proxy", base_url, 1);
		strcpy(base_url, "https://upstream.invalid/v1");
	}
	if (engine_open(&rig->engine, &options, &hooks, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

static void ask(struct rig *rig)
{
	const struct engine_job_spec spec = {.model = "m",
	    .model_dimensions = rig->kind == FIXED ? 0 : 2,
	    .dimensions = rig->kind == FIXED ? 1 : 0};
	static const struct engine_text text = {.bytes = "text", .len = 4, .tokens = 1};
	const struct engine_callbacks callbacks = {on_text, on_done, rig};
	struct embed_error error;

	assert_int_equal(
	    engine_submit(rig->engine, &spec, &text, 1, &callbacks, NULL, &error), EMBED_OK);
	pthread_mutex_lock(&rig->lock);
	while (!rig->has_ended)
		pthread_cond_wait(&rig->ended, &rig->lock);
	pthread_mutex_unlock(&rig->lock);
}

/* Asks for one text, and leaves in the rig what came of it. */
static void play(struct rig *rig, const char *reply, enum kind kind)
{
	uint16_t port;

	*rig = (struct rig){.reply = reply,
	    .kind = kind,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .ended = PTHREAD_COND_INITIALIZER};
	port = listen_somewhere(rig);
	assert_int_equal(pthread_create(&rig->server, NULL, serve, rig), 0);
	open_engine(rig, port);
	ask(rig);
	engine_close(rig->engine);
	unsetenv("https_proxy");
	shutdown(rig->listener, SHUT_RDWR);
	pthread_join(rig->server, NULL);
	close(rig->listener);
}

static void check_taken(const struct rig *rig)
{
	assert_int_equal(rig->status, EMBED_OK);
	assert_int_equal(rig->requests, 1);
	assert_int_equal(rig->billed_tokens, 7);
}

/* ---- Tests ----------------------------------------------------------- */

static void vectors_that_are_whole_are_taken_though_the_framing_is_cut(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" VECTORS, HANGS_UP);
	check_taken(&rig);
}

static void vectors_that_are_whole_are_taken_though_the_last_chunk_never_comes(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" VECTORS, STAYS);
	check_taken(&rig);
}

static void vectors_that_are_cut_are_asked_for_again(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"data\":[", HANGS_UP);
	assert_int_equal(rig.status, EMBED_BAD_REPLY);
	assert_int_equal(rig.requests, 2);
	assert_int_equal(rig.billed_tokens, 0);
}

static void a_refusal_whose_body_is_cut_is_a_refusal(void **state)
{
	struct rig rig;

	(void)state;
	play(
	    &rig, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5000\r\n\r\n{\"error\":", HANGS_UP);
	assert_int_equal(rig.status, EMBED_UNAUTHORIZED);
	assert_int_equal(rig.http_status, 401);
	assert_int_equal(rig.requests, 1);
}

static void a_vector_of_other_dimensions_than_were_asked_for_is_refused(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, "HTTP/1.1 200 OK\r\n\r\n" VECTORS, FIXED);
	assert_int_equal(rig.status, EMBED_BAD_REPLY);
}

static void what_a_proxy_says_is_not_upstreams_answer(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, "HTTP/1.1 200 Connection established\r\n\r\n", PROXY);
	assert_int_equal(rig.status, EMBED_UPSTREAM);
	assert_int_equal(rig.http_status, 0);
	play(&rig, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", PROXY);
	assert_int_equal(rig.status, EMBED_UPSTREAM);
	assert_int_equal(rig.http_status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_that_are_whole_are_taken_though_the_framing_is_cut),
	    cmocka_unit_test(vectors_that_are_whole_are_taken_though_the_last_chunk_never_comes),
	    cmocka_unit_test(vectors_that_are_cut_are_asked_for_again),
	    cmocka_unit_test(a_refusal_whose_body_is_cut_is_a_refusal),
	    cmocka_unit_test(a_vector_of_other_dimensions_than_were_asked_for_is_refused),
	    cmocka_unit_test(what_a_proxy_says_is_not_upstreams_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
