/* SPDX-License-Identifier: MIT */
/* Exchanges that wait: resumed from other threads, left by their clients, drained, stopped. */
#include "http/harness.h"

#include <fcntl.h>
#include <sys/resource.h>

#define CLIENTS  16
#define REQUESTS 150

struct client {
	struct harness *harness;
	int good;
};

/* Pipelines pairs of a parked and an immediate request, and counts the answers. */
static void *run_client(void *arg)
{
	struct client *client = arg;
	int fd = harness_connect(client->harness);
	char reply[4096];

	for (int i = 0; i < REQUESTS; i++) {
		harness_send_text(
		    fd, "GET /park HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
		harness_read_until(fd, reply, sizeof(reply), "hello");
		client->good += strstr(reply, "resumed") < strstr(reply, "hello");
	}
	close(fd);
	return NULL;
}

static void resuming_from_other_threads_loses_and_mixes_nothing(void **state)
{
	struct harness harness = {.options.workers = 2};
	struct client clients[CLIENTS];
	pthread_t threads[CLIENTS];

	(void)state;
	harness_start(&harness);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){&harness, 0};
		pthread_create(&threads[i], NULL, run_client, &clients[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(clients[i].good, REQUESTS);
	}
	harness_stop(&harness);
	assert_int_equal(harness.ended, CLIENTS * REQUESTS * 2);
}

static void wait_for(atomic_int *count, int wanted)
{
	while (atomic_load(count) < wanted)
		sched_yield();
}

static struct http_exchange *wait_for_kept(struct harness *harness)
{
	struct http_exchange *kept;

	while (!(kept = atomic_load(&harness->kept)))
		sched_yield();
	return kept;
}

static void a_client_that_leaves_is_noticed_while_parked(void **state)
{
	static const int linger[] = {0, 1};

	(void)state;
	for (size_t i = 0; i < 2; i++) { /* by an end of input, by a reset */
		struct harness harness = {0};
		struct linger reset = {.l_onoff = linger[i], .l_linger = 0};
		int fd;

		harness_start(&harness);
		fd = harness_connect(&harness);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		harness_send_text(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
		wait_for_kept(&harness);
		close(fd);
		wait_for(&harness.gone, 1);
		assert_int_equal(harness.ended, 0); /* not before its resume */
		http_exchange_resume(harness.kept, harness_resumed, NULL);
		wait_for(&harness.ended, 1);
		harness_stop(&harness);
	}
}

static void *resume_later(void *arg)
{
	struct harness *harness = arg;

	wait_for(&harness->gone, 1);
	http_exchange_resume(harness->kept, harness_resumed, NULL);
	return NULL;
}

static void stop_waits_for_the_resume_it_was_promised(void **state)
{
	struct harness harness = {0};
	pthread_t thread;
	int fd;

	(void)state;
	harness_start(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_for_kept(&harness);
	pthread_create(&thread, NULL, resume_later, &harness);
	harness_stop(&harness);
	pthread_join(thread, NULL);
	assert_int_equal(harness.ended, 1);
	close(fd);
}

static void *drain(void *arg)
{
	struct harness *harness = arg;

	return (void *)(uintptr_t)http_server_drain(harness->server, 20000);
}

static void draining_finishes_what_runs_and_accepts_no_more(void **state)
{
	struct harness harness = {0};
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char replies[4096];
	pthread_t thread;
	void *is_drained;
	int fd;
	int idle;

	(void)state;
	harness_start(&harness);
	idle = harness_connect(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_for_kept(&harness);
	pthread_create(&thread, NULL, drain, &harness);
	assert_int_equal(harness_read_all(idle, replies, sizeof(replies)), 0);
	address.sin_port = htons(harness.port);
	close(idle);
	idle = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(idle, (struct sockaddr *)&address, sizeof(address)), -1);
	close(idle);
	http_exchange_resume(harness.kept, harness_resumed, NULL);
	assert_true(harness_read_all(fd, replies, sizeof(replies)) > 0);
	assert_non_null(strstr(replies, "connection: close"));
	assert_non_null(strstr(replies, "resumed"));
	close(fd);
	pthread_join(thread, &is_drained);
	assert_non_null(is_drained);
	harness_stop(&harness);
}

static void draining_gives_up_at_its_deadline(void **state)
{
	struct harness harness = {0};
	pthread_t thread;
	int fd;

	(void)state;
	harness_start(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_for_kept(&harness);
	assert_false(http_server_drain(harness.server, 5));
	pthread_create(&thread, NULL, resume_later, &harness);
	harness_stop(&harness);
	pthread_join(thread, NULL);
	close(fd);
}

/* ---- Many connections ----------------------------------------------------- */

#define MANY 3000

/* Sanitizers keep a shadow of everything. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

static size_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	return pages * 4096;
}

static void thousands_of_idle_connections_cost_little_and_still_answer(void **state)
{
	struct harness harness = {.options.workers = 2};
	struct rlimit limit = {MANY * 2 + 100, MANY * 2 + 100};
	static int fds[MANY];
	static char reply[4096];
	size_t before;
	size_t cost;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		skip();
	harness_start(&harness);
	before = resident_bytes();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			if (round == 0)
				fds[i] = harness_connect(&harness);
			harness_send_text(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
			harness_read_until(fds[i], reply, sizeof(reply), "hello");
		}
	}
	cost = resident_bytes() - before;
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	harness_stop(&harness);
	assert_int_equal(harness.ended, MANY * 2);
	if (!IS_SANITIZED)
		assert_true(cost < MANY * 4000ul); /* 40 MB for 10,000 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(resuming_from_other_threads_loses_and_mixes_nothing),
	    cmocka_unit_test(a_client_that_leaves_is_noticed_while_parked),
	    cmocka_unit_test(stop_waits_for_the_resume_it_was_promised),
	    cmocka_unit_test(draining_finishes_what_runs_and_accepts_no_more),
	    cmocka_unit_test(draining_gives_up_at_its_deadline),
	    cmocka_unit_test(thousands_of_idle_connections_cost_little_and_still_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
