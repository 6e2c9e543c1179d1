/* SPDX-License-Identifier: MIT */
/*
 * A connection broken at every byte of request and reply: each text gets its
 * right vector all the same, and what was broken is never taken for an answer.
 *
 * A sweep walks through the bytes with LANES services at a time, since each
 * break costs a retry's wait.  A lane has a text for each of its bytes and ends
 * when the byte lies behind the end of the reply, so that nothing struck.
 */
#include "base/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "../service/stand_in.h"
#include "expected.h"
#include "proxy.h"

#define LANES      96
#define DIMENSIONS 4
#define BYTES_MAX  8192 /* far behind the end of a reply */

struct sweep {
	struct stand_in *stand_in;
	enum proxy_harm harm;
	size_t step; /* from byte to byte, over all lanes */
	atomic_size_t struck;
};

struct lane {
	struct sweep *sweep;
	pthread_t thread;
	size_t number;
	embed_service *service;
	struct proxy *proxy;
	/* The next exchange is harmed, those after it are not. */
	struct proxy_order next;
	char failure[600]; /* what a text met that it should not have; "" */
};

static struct proxy_order plan(void *context, uint64_t exchange)
{
	struct lane *lane = context;
	struct proxy_order order = lane->next;

	(void)exchange;
	lane->next.harm = PROXY_NO_HARM;
	return order;
}

/* A reset that reaches libcurl before a reused connection gave a byte is retried unseen, so tests do not count attempts. */
static void open_lane(struct lane *lane)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_error error = {0};

	lane->proxy = proxy_start(stand_in_base_url(lane->sweep->stand_in), plan, lane);
	options.base_url = proxy_base_url(lane->proxy);
	options.no_ledger = true;
	options.retry_budget_percent = 100;
	options.connect_timeout_ms = 20000;
	options.first_byte_timeout_ms = lane->sweep->harm == PROXY_STALL ? 500 : 20000;
	options.idle_timeout_ms = lane->sweep->harm == PROXY_STALL ? 200 : 20000;
	if (embed_open(&lane->service, &options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

static void check(struct lane *lane, const char *text, const struct embed_answer *answer)
{
	if (answer->status != EMBED_OK)
		snprintf(
		    lane->failure, sizeof(lane->failure), "%s: %s", text, answer->error->message);
	else if (!is_expected(text, answer->vector, DIMENSIONS))
		snprintf(lane->failure, sizeof(lane->failure), "%s: a wrong vector", text);
}

static void ask(struct lane *lane, size_t byte)
{
	struct embed_request request = EMBED_REQUEST_INIT;
	struct embed_error error = {0};
	char bytes[64];
	const struct embed_text text = {bytes,
	    (size_t)snprintf(bytes, sizeof(bytes), "lane %zu byte %zu", lane->number, byte), NULL,
	    0};
	embed_result *result;

	request.dimensions = DIMENSIONS;
	if (embed_texts(lane->service, &text, 1, &request, &result, &error) != EMBED_OK) {
		snprintf(lane->failure, sizeof(lane->failure), "%s: %s", bytes, error.message);
		return;
	}
	check(lane, bytes, embed_result_answer(result, 0));
	embed_result_destroy(result);
}

static void *run_lane(void *context)
{
	struct lane *lane = context;
	struct sweep *sweep = lane->sweep;
	uint64_t struck = 0, before;
	size_t byte = lane->number * sweep->step;

	do {
		before = struck;
		lane->next = (struct proxy_order){sweep->harm, byte};
		ask(lane, byte);
		struck = proxy_struck(lane->proxy);
		byte += LANES * sweep->step;
	} while (struck > before && byte < BYTES_MAX && lane->failure[0] == '\0');
	atomic_fetch_add(&sweep->struck, struck);
	return NULL;
}

/* Bytes at which the harm struck, with all texts answered rightly. */
static size_t run_sweep(const char *const *flags, enum proxy_harm harm, size_t step)
{
	static struct lane lanes[LANES];
	struct sweep sweep = {stand_in_start(flags), harm, step, 0};

	for (size_t i = 0; i < LANES; i++) {
		lanes[i] = (struct lane){.sweep = &sweep, .number = i};
		open_lane(&lanes[i]);
	}
	for (size_t i = 0; i < LANES; i++)
		assert_int_equal(pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]), 0);
	for (size_t i = 0; i < LANES; i++) {
		pthread_join(lanes[i].thread, NULL);
		embed_close(lanes[i].service);
		proxy_stop(lanes[i].proxy);
		if (lanes[i].failure[0] != '\0')
			fail_msg("%s", lanes[i].failure);
	}
	stand_in_stop(sweep.stand_in);
	return sweep.struck;
}

/* Sanitized runs look at one byte in so many: the sweep is the same, only its time is not. */
#define STEP (TEST_IS_SANITIZED ? 13 : 1)

static const char *const chunked[] = {"--gzip", "no", NULL};
static const char *const packed[] = {"--gzip", "yes", "--framing", "length", NULL};

static void a_reset_at_any_byte_of_a_reply_costs_a_retry_and_no_text(void **state)
{
	(void)state;
	assert_true(run_sweep(chunked, PROXY_RESET, STEP) * STEP > 400);
}

static void an_end_at_any_byte_of_a_reply_costs_a_retry_and_no_text(void **state)
{
	(void)state;
	assert_true(run_sweep(chunked, PROXY_CLOSE, STEP) * STEP > 400);
}

static void a_packed_reply_may_end_anywhere_too(void **state)
{
	(void)state;
	assert_true(run_sweep(packed, PROXY_CLOSE, STEP) * STEP > 400);
}

static void a_reset_at_any_byte_of_a_request_costs_a_retry_and_no_text(void **state)
{
	(void)state;
	assert_true(run_sweep(chunked, PROXY_DEAF, STEP) * STEP > 200);
}

static void a_reply_that_stalls_anywhere_is_given_up_and_asked_for_anew(void **state)
{
	(void)state;
	assert_true(run_sweep(chunked, PROXY_STALL, 5 * STEP) * 5 * STEP > 400);
}

static void a_reply_that_trickles_from_anywhere_is_waited_for(void **state)
{
	(void)state;
	assert_true(run_sweep(chunked, PROXY_TRICKLE, STEP) * STEP > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_reset_at_any_byte_of_a_reply_costs_a_retry_and_no_text),
	    cmocka_unit_test(an_end_at_any_byte_of_a_reply_costs_a_retry_and_no_text),
	    cmocka_unit_test(a_packed_reply_may_end_anywhere_too),
	    cmocka_unit_test(a_reset_at_any_byte_of_a_request_costs_a_retry_and_no_text),
	    cmocka_unit_test(a_reply_that_stalls_anywhere_is_given_up_and_asked_for_anew),
	    cmocka_unit_test(a_reply_that_trickles_from_anywhere_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
