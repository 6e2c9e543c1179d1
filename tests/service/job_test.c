/* SPDX-License-Identifier: MIT */
/* Many threads, jobs that go on by themselves, and how they end. */
#include "fixture.h"

#include <pthread.h>

#define THREADS 8

/* Returns NULL, or what went wrong. */
static void *ask_for_the_same(void *context)
{
	struct fixture *fixture = context;
	char bytes[32];

	for (int i = 0; i < 50; i++) {
		struct embed_text text;
		embed_result *result;

		snprintf(bytes, sizeof(bytes), "shared %d", i);
		text = text_of(bytes);
		if (embed_texts(fixture->service, &text, 1, NULL, &result, NULL) != EMBED_OK)
			return (void *)"refused";
		if (embed_result_totals(result)->failed != 0)
			return (void *)"failed";
		embed_result_destroy(result);
	}
	return NULL;
}

static void equal_texts_of_many_threads_are_paid_for_once(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[THREADS];
	void *failure;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, ask_for_the_same, fixture);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failure);
		assert_null(failure);
	}
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 50);
	assert_int_equal(stand_in_count(fixture->stand_in, "repeated_texts"), 0);
}

struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t done;
	embed_result *result;
	int calls;
};

static void note(embed_result *result, void *context)
{
	struct outcome *outcome = context;

	pthread_mutex_lock(&outcome->lock);
	outcome->result = result;
	outcome->calls++;
	pthread_cond_signal(&outcome->done);
	pthread_mutex_unlock(&outcome->lock);
}

static void wait_for(struct outcome *outcome)
{
	pthread_mutex_lock(&outcome->lock);
	while (outcome->calls == 0)
		pthread_cond_wait(&outcome->done, &outcome->lock);
	pthread_mutex_unlock(&outcome->lock);
}

static void a_cancelled_job_ends_and_another_waiter_gets_its_vector(void **state)
{
	struct fixture *fixture = *state;
	struct outcome cancelled = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};
	struct outcome patient = cancelled;
	const struct embed_text text = text_of("wanted by two");
	embed_job *job;

	stand_in_fault(fixture->stand_in, "rate_tokens@next=1@retry-after=1");
	assert_int_equal(
	    embed_submit(fixture->service, &text, 1, NULL, note, &cancelled, &job, NULL), EMBED_OK);
	assert_int_equal(
	    embed_submit(fixture->service, &text, 1, NULL, note, &patient, NULL, NULL), EMBED_OK);
	embed_job_cancel(job);
	wait_for(&cancelled);
	assert_int_equal(embed_result_answer(cancelled.result, 0)->status, EMBED_CANCELLED);
	wait_for(&patient);
	assert_int_equal(embed_result_answer(patient.result, 0)->status, EMBED_OK);
	assert_int_equal(cancelled.calls, 1);
	embed_job_release(job);
	embed_result_destroy(cancelled.result);
	embed_result_destroy(patient.result);
}

static void a_deadline_ends_a_job_that_upstream_keeps_waiting(void **state)
{
	struct fixture *fixture = *state;
	struct embed_request request = EMBED_REQUEST_INIT;
	const struct embed_text text = text_of("late");
	embed_result *result;

	stand_in_fault(fixture->stand_in, "stall@next=1");
	request.timeout_ms = 100;
	result = embed(fixture, &text, 1, &request);
	assert_int_equal(embed_result_answer(result, 0)->status, EMBED_DEADLINE);
	embed_result_destroy(result);
}

static void closing_ends_what_is_unfinished(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};
	const struct embed_text text = text_of("unfinished");

	stand_in_fault(fixture->stand_in, "stall@next=1");
	assert_int_equal(
	    embed_submit(fixture->service, &text, 1, NULL, note, &outcome, NULL, NULL), EMBED_OK);
	embed_close(fixture->service);
	fixture->service = NULL;
	assert_int_equal(outcome.calls, 1);
	assert_int_equal(embed_result_answer(outcome.result, 0)->status, EMBED_CLOSED);
	embed_result_destroy(outcome.result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(equal_texts_of_many_threads_are_paid_for_once),
	    TEST(a_cancelled_job_ends_and_another_waiter_gets_its_vector),
	    TEST(a_deadline_ends_a_job_that_upstream_keeps_waiting),
	    TEST(closing_ends_what_is_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
