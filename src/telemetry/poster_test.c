/* SPDX-License-Identifier: MIT */
/* Letters and spans before a receiver that takes connections and never answers, and before none at all. */
#include "telemetry/tracer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"

#define QUEUE 3

/* Connections wait in its backlog for ever. */
struct deaf {
	int fd;
	char url[64];
};

static void deaf_open(struct deaf *deaf)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	deaf->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(deaf->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(deaf->fd, 8), 0);
	assert_int_equal(getsockname(deaf->fd, (struct sockaddr *)&address, &len), 0);
	snprintf(deaf->url, sizeof(deaf->url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
}

static bool post(struct poster *poster)
{
	struct buffer body;

	buffer_init(&body, 64);
	buffer_append_text(&body, "{}");
	return poster_post(poster, &body, NULL);
}

static void past_a_full_queue_letters_are_dropped_and_counted(void **state)
{
	struct deaf deaf;
	struct poster_options options = {.queue = QUEUE};
	struct poster *poster;
	struct poster_counts counts;
	int64_t began_us;
	size_t taken = 0;

	(void)state;
	deaf_open(&deaf);
	options.url = deaf.url;
	assert_int_equal(poster_create(&poster, &options, NULL), EMBED_OK);
	began_us = clock_now_us();
	for (int i = 0; i < 100; i++)
		taken += post(poster);
	assert_in_range(taken, QUEUE, QUEUE + 1); /* one may be under way */
	assert_true(clock_now_us() - began_us < 2000000);
	counts = poster_counts(poster);
	assert_int_equal(counts.dropped, 100 - taken);
	assert_int_equal(counts.sent + counts.failed, 0);
	poster_destroy(poster, 0);
	close(deaf.fd);
}

static void what_nobody_takes_is_given_up_and_says_why(void **state)
{
	struct deaf gone;
	struct poster_options options = {.tries = 2, .first_wait_ms = 1};
	struct poster *poster;
	struct poster_counts counts;

	(void)state;
	deaf_open(&gone);
	close(gone.fd);
	options.url = gone.url;
	assert_int_equal(poster_create(&poster, &options, NULL), EMBED_OK);
	assert_true(post(poster));
	while ((counts = poster_counts(poster)).failed == 0)
		usleep(1000);
	assert_int_equal(counts.failed, 1);
	assert_non_null(strstr(counts.last_fault, "connect"));
	poster_destroy(poster, 0);
}

static void past_a_full_ring_spans_are_dropped_and_counted(void **state)
{
	static const struct trace_span span = {.span_id = 1};
	struct deaf deaf;
	struct poster_options options = {.queue = 1, .interval_ms = 60000};
	struct tracer *tracer;
	struct tracer_counts counts;

	(void)state;
	deaf_open(&deaf);
	options.url = deaf.url;
	assert_int_equal(tracer_create(&tracer, &options, NULL), EMBED_OK);
	for (int i = 0; i < SPANS_MAX + 4 * SPANS_BATCH + 1000; i++)
		tracer_add(tracer, &span);
	counts = tracer_counts(tracer);
	assert_int_equal(counts.added, SPANS_MAX + 4 * SPANS_BATCH + 1000);
	assert_true(counts.dropped > 0);
	assert_int_equal(counts.letters.sent, 0);
	tracer_destroy(tracer, 0);
	close(deaf.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(past_a_full_queue_letters_are_dropped_and_counted),
	    cmocka_unit_test(what_nobody_takes_is_given_up_and_says_why),
	    cmocka_unit_test(past_a_full_ring_spans_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
