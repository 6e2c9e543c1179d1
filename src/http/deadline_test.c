/* SPDX-License-Identifier: MIT */
/* Clients that are slow on purpose, and the heap and lists behind the deadlines. */
#include "http/harness.h"

#include "base/random.h"
#include "http/worker.h"

#define HEAD_MS 60

static struct harness started_with_short_deadlines(void)
{
	struct harness harness = {.options = {.head_timeout_ms = HEAD_MS,
				      .body_timeout_ms = HEAD_MS,
				      .write_timeout_ms = HEAD_MS,
				      .idle_timeout_ms = 10000}};
	return harness;
}

/* Sends `first`, then "x" for ever, with pauses well below the deadline; what came back. */
static void drip(const struct harness *harness, const char *first, char *out, size_t cap)
{
	int fd = harness_connect(harness);
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	harness_send_text(fd, first);
	while (poll(&ready, 1, HEAD_MS / 10) == 0)
		harness_send_text(fd, "x");
	if (harness_read_all(fd, out, cap) < 0)
		fail_msg("reset before the answer was read");
	close(fd);
}

static void a_head_that_drips_is_cut_at_its_deadline(void **state)
{
	struct harness harness = started_with_short_deadlines();
	char replies[4096];
	char statuses[64];
	int64_t before_us = clock_now_us();

	(void)state;
	harness_start(&harness);
	drip(&harness, "GET / HTTP/1.1\r\nHost: a\r\nX: ", replies, sizeof(replies));
	harness_statuses(replies, statuses);
	assert_string_equal(statuses, "408");
	assert_true(clock_now_us() - before_us >= HEAD_MS * 1000);
	harness_stop(&harness);
}

static void a_body_that_drips_is_cut_at_its_deadline(void **state)
{
	static const char *const heads[] = {
	    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
	};
	struct harness harness = started_with_short_deadlines();
	struct http_server_stats stats;
	char replies[4096];
	char statuses[64];

	(void)state;
	harness_start(&harness);
	for (size_t i = 0; i < 2; i++) {
		drip(&harness, heads[i], replies, sizeof(replies));
		harness_statuses(replies, statuses);
		assert_string_equal(statuses, "408");
	}
	http_server_stats(harness.server, &stats);
	assert_int_equal(stats.timed_out, 2);
	harness_stop(&harness);
	assert_int_equal(harness.seen, 0);
	assert_int_equal(harness.ended, 2); /* on_head saw them */
}

static void a_client_that_never_reads_is_cut(void **state)
{
	static const char *const requests[] = {
	    "GET /big HTTP/1.1\r\nHost: a\r\n\r\n", "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n"};
	struct harness harness = started_with_short_deadlines();
	struct http_server_stats stats;

	(void)state;
	harness_start(&harness);
	for (int i = 0; i < 2; i++) {
		int fd = harness_connect(&harness);
		struct pollfd ready = {.fd = fd, .events = POLLRDHUP};

		harness_send_text(fd, requests[i]);
		assert_int_equal(poll(&ready, 1, 20000), 1);
		assert_true(ready.revents & (POLLERR | POLLHUP));
		close(fd);
	}
	http_server_stats(harness.server, &stats);
	assert_int_equal(stats.timed_out, 2);
	assert_true(harness.flooded < 4096); /* it was not allowed to pile up */
	assert_int_equal(harness.gone, 1);
	harness_stop(&harness);
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
	struct harness harness = {.options.idle_timeout_ms = 20};
	char replies[4096];
	int fd;

	(void)state;
	harness_start(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	harness_read_until(fd, replies, sizeof(replies), "hello");
	assert_int_equal(harness_read_all(fd, replies, sizeof(replies)), 0);
	close(fd);
	harness_stop(&harness);
}

/* A waiting exchange is under no deadline of ours. */
static void answering_may_take_longer_than_reading(void **state)
{
	struct harness harness = {.options = {.head_timeout_ms = 5,
				      .body_timeout_ms = 5,
				      .write_timeout_ms = 5,
				      .idle_timeout_ms = 5}};
	char replies[4096];
	int fd;

	(void)state;
	harness_start(&harness);
	fd = harness_connect(&harness);
	harness_send_text(fd, "GET /never HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	while (!atomic_load(&harness.kept))
		sched_yield();
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 30), 0);
	http_exchange_resume(atomic_load(&harness.kept), harness_resumed, NULL);
	assert_true(harness_read_all(fd, replies, sizeof(replies)) > 0);
	assert_non_null(strstr(replies, "resumed"));
	close(fd);
	harness_stop(&harness);
}

/* ---- The heap ------------------------------------------------------------ */

#define TIMERS 500

static void timers_fall_due_in_order_whatever_is_set_and_cleared(void **state)
{
	struct http_worker worker = {0};
	struct http_exchange *exchanges = calloc(TIMERS, sizeof(*exchanges));
	struct random random = {7};
	int64_t last_us = 0;
	size_t due = 0;
	size_t set = 0;

	(void)state;
	for (int i = 0; i < 20 * TIMERS; i++) {
		struct http_exchange *exchange = &exchanges[random_below(&random, TIMERS)];

		if (random_below(&random, 3) == 0)
			http_timer_clear(&worker, exchange);
		else
			assert_true(http_timer_set(
			    &worker, exchange, (int64_t)random_below(&random, 100000)));
	}
	for (size_t i = 0; i < TIMERS; i++)
		set += exchanges[i].timer_slot != 0;
	assert_true(set > 0);
	assert_null(http_timer_due(&worker)); /* it is 0 now; nothing was set to 0 */
	while (http_timer_next(&worker) != INT64_MAX) {
		struct http_exchange *exchange;

		worker.now_us = http_timer_next(&worker);
		exchange = http_timer_due(&worker);
		assert_non_null(exchange);
		assert_int_equal(exchange->timer_slot, 0);
		assert_true(exchange->due_us >= last_us);
		last_us = exchange->due_us;
		due++;
	}
	assert_int_equal(due, set);
	free(worker.timers.items);
	free(exchanges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_head_that_drips_is_cut_at_its_deadline),
	    cmocka_unit_test(a_body_that_drips_is_cut_at_its_deadline),
	    cmocka_unit_test(a_client_that_never_reads_is_cut),
	    cmocka_unit_test(an_idle_connection_is_closed_without_a_word),
	    cmocka_unit_test(answering_may_take_longer_than_reading),
	    cmocka_unit_test(timers_fall_due_in_order_whatever_is_set_and_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
