/* SPDX-License-Identifier: MIT */
/* The engine as others use it: its thread, libcurl, real sockets, and a stand-in that misbehaves. */
#include "emulator/test_client.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "emulator/fault.h"
#include "engine/engine.h"

#define TEXTS_MAX 4000

struct shell {
	struct stand stand;
	struct engine *engine;
	char base_url[64];
	struct embed_upstream upstreams[2];
	struct engine_options options;
	atomic_uint records;
	atomic_uint billed_records;
};

/* What a job waits for; guarded by `lock`. */
struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	size_t ok, failed, joined;
	bool has_ended;
	enum embed_status status[TEXTS_MAX];
	double norm;
	uint32_t dimensions;
	struct embed_error error;
};

static void on_record(struct engine_record *record, void *context)
{
	struct shell *shell = context;

	shell->records++;
	shell->billed_records += record->is_billed;
	engine_recorded(shell->engine, record, EMBED_OK);
}

static void shell_init(struct shell *shell, struct stand stand)
{
	*shell = (struct shell){.stand = stand};
	snprintf(shell->base_url, sizeof(shell->base_url), "http://127.0.0.1:%u/v1", stand.port);
	for (size_t i = 0; i < 2; i++)
		shell->upstreams[i] = (struct embed_upstream){.name = i ? "second" : "first",
		    .base_url = shell->base_url,
		    .api_key = "sk-test",
		    .share = 1,
		    .batch_texts = 2048,
		    .batch_tokens = 295000,
		    .batch_bytes = 8 << 20,
		    .text_tokens = 8192,
		    .max_in_flight = 8};
	shell->options = (struct engine_options){.upstreams = shell->upstreams,
	    .upstream_count = 1,
	    .max_attempts = 4,
	    .retry_deadline_ms = 20000,
	    .retry_budget_percent = 20,
	    .connect_timeout_ms = 2000,
	    .first_byte_timeout_ms = 5000,
	    .idle_timeout_ms = 5000,
	    .seed = 1};
}

static void shell_open(struct shell *shell)
{
	const struct engine_hooks hooks = {on_record, shell};
	struct embed_error error;

	if (engine_open(&shell->engine, &shell->options, &hooks, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

static void shell_close(struct shell *shell)
{
	engine_close(shell->engine);
	stand_close(&shell->stand);
}

static void on_text(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	waiting->status[index] = outcome->status;
	waiting->ok += outcome->status == EMBED_OK;
	waiting->failed += outcome->status != EMBED_OK;
	waiting->joined += outcome->source == EMBED_FROM_FLIGHT;
	if (outcome->error)
		waiting->error = *outcome->error;
	waiting->norm = 0;
	waiting->dimensions = outcome->dimensions;
	for (uint32_t i = 0; i < outcome->dimensions; i++)
		waiting->norm += (double)outcome->vector[i] * (double)outcome->vector[i];
	pthread_mutex_unlock(&waiting->lock);
}

static void on_done(void *context)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	waiting->has_ended = true;
	pthread_cond_signal(&waiting->ended);
	pthread_mutex_unlock(&waiting->lock);
}

static void wait_for(struct waiting *waiting)
{
	pthread_mutex_lock(&waiting->lock);
	while (!waiting->has_ended)
		pthread_cond_wait(&waiting->ended, &waiting->lock);
	pthread_mutex_unlock(&waiting->lock);
}

static const struct engine_job_spec plain = {
    .model = "text-embedding-3-small", .model_dimensions = 1536, .can_shorten = true};

/* Texts "text FIRST", "text FIRST+1" and so on. */
static enum embed_status ask_engine(struct shell *shell, const struct engine_job_spec *spec,
    unsigned first, size_t count, struct waiting *waiting, struct engine_job **job)
{
	const struct engine_callbacks callbacks = {on_text, on_done, waiting};
	struct engine_text *texts = calloc(count, sizeof(*texts));
	char(*bytes)[32] = calloc(count, sizeof(*bytes));
	enum embed_status status;

	assert_true(texts && bytes && count <= TEXTS_MAX);
	*waiting =
	    (struct waiting){.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	for (size_t i = 0; i < count; i++) {
		unsigned number = first + (unsigned)i;

		snprintf(bytes[i], sizeof(bytes[i]), "text %u", number);
		texts[i] =
		    (struct engine_text){.bytes = bytes[i], .len = strlen(bytes[i]), .tokens = 3};
		memcpy(texts[i].key.bytes, &number, sizeof(number));
	}
	status = engine_submit(shell->engine, spec, texts, count, &callbacks, job, &waiting->error);
	free(texts);
	free(bytes);
	return status;
}

static unsigned long count_of(const struct shell *shell, const char *name)
{
	struct answer answer = get(&shell->stand, "/emulator/stats");
	char wanted[64];
	const char *at;
	unsigned long value;

	snprintf(wanted, sizeof(wanted), "\"%s\":", name);
	at = strstr(answer.body, wanted);
	assert_non_null(at);
	value = strtoul(at + strlen(wanted), NULL, 10);
	answer_free(&answer);
	return value;
}

static void make_fault(const struct shell *shell, const char *rule)
{
	char body[128];
	struct answer answer;

	snprintf(body, sizeof(body), "[\"%s\"]", rule);
	answer = post(&shell->stand, "/emulator/faults", body);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
}

/* ---- Tests ----------------------------------------------------------- */

static void vectors_come_back_whole(void **state)
{
	struct shell shell;
	struct waiting waiting;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell_open(&shell);
	assert_int_equal(ask_engine(&shell, &plain, 0, 3000, &waiting, NULL), EMBED_OK);
	wait_for(&waiting);
	assert_int_equal(waiting.ok, 3000);
	assert_int_equal(waiting.dimensions, 1536);
	assert_true(fabs(waiting.norm - 1) < 1e-3);
	assert_int_equal(count_of(&shell, "texts"), 3000);
	shell_close(&shell);
}

static void dimensions_are_asked_for(void **state)
{
	const struct engine_job_spec spec = {.model = "text-embedding-3-small", .dimensions = 256};
	struct shell shell;
	struct waiting waiting;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell_open(&shell);
	ask_engine(&shell, &spec, 0, 3, &waiting, NULL);
	wait_for(&waiting);
	assert_int_equal(waiting.ok, 3);
	assert_int_equal(waiting.dimensions, 256);
	shell_close(&shell);
}

/* Both upstreams are the same stand-in, so that the second attempt follows at once. */
static void check_fault(
    struct shell *shell, const char *fault, unsigned least_attempts, unsigned most_attempts)
{
	static unsigned first = 0;
	struct waiting waiting;
	unsigned before = shell->records;
	unsigned attempts;
	char rule[64];

	snprintf(rule, sizeof(rule), "%s@next=1", fault);
	make_fault(shell, rule);
	first += 100;
	assert_int_equal(ask_engine(shell, &plain, first, 20, &waiting, NULL), EMBED_OK);
	wait_for(&waiting);
	if (waiting.ok != 20)
		fail_msg("%s: %s", fault, waiting.error.message);
	attempts = shell->records - before;
	if (attempts < least_attempts || attempts > most_attempts)
		fail_msg("%s: %u attempts", fault, attempts);
}

static const struct {
	const char *name;
	enum fault_stage stage;
} faults[] = {
#define FAULT(name, stage, meaning) {#name, FAULT_##stage},
#include "emulator/faults.def"
};

static void odd_answers_are_good_enough(void **state)
{
	struct shell shell;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell_open(&shell);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].stage == FAULT_HARMLESS)
			check_fault(&shell, faults[i].name, 1, 1);
	shell_close(&shell);
}

static void no_fault_of_one_answer_loses_a_text(void **state)
{
	struct shell shell;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell.options.upstream_count = 2;
	shell.options.retry_budget_percent = 1000; /* every other attempt is a retry here */
	shell.options.first_byte_timeout_ms = 1000;
	shell.options.idle_timeout_ms = 1000;
	shell_open(&shell);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		/* Also where libcurl would send again by itself: each sending is an attempt. */
		if (faults[i].stage != FAULT_HARMLESS)
			check_fault(&shell, faults[i].name, 2, 2);
	}
	shell_close(&shell);
}

static void a_bad_text_fails_alone(void **state)
{
	struct shell shell;
	struct waiting waiting;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell_open(&shell);
	make_fault(&shell, "bad_input@text=text 13");
	ask_engine(&shell, &plain, 0, 20, &waiting, NULL);
	wait_for(&waiting);
	assert_int_equal(waiting.ok, 19);
	assert_int_not_equal(waiting.status[13], EMBED_OK);
	shell_close(&shell);
}

struct many {
	struct shell *shell;
	pthread_t thread;
	unsigned first;
	size_t ok;
};

static void *ask_many(void *context)
{
	struct many *many = context;

	for (unsigned i = 0; i < 20; i++) {
		static _Thread_local struct waiting waiting;

		ask_engine(many->shell, &plain, many->first + i * 10, 15, &waiting, NULL);
		wait_for(&waiting);
		many->ok += waiting.ok;
	}
	return NULL;
}

static void equal_texts_of_many_threads_are_answered_all(void **state)
{
	struct shell shell;
	struct many many[4];
	size_t ok = 0;

	(void)state;
	shell_init(&shell, STAND("--latency=5ms"));
	shell_open(&shell);
	for (size_t i = 0; i < 4; i++) {
		many[i] = (struct many){.shell = &shell};
		assert_int_equal(pthread_create(&many[i].thread, NULL, ask_many, &many[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(many[i].thread, NULL);
		ok += many[i].ok;
	}
	assert_int_equal(ok, 4 * 20 * 15);
	/* Four threads ask for much the same at much the same time. */
	assert_true(count_of(&shell, "texts") < 4 * 20 * 15);
	shell_close(&shell);
}

static void azures_address_and_key_are_written_its_way(void **state)
{
	struct shell shell;
	struct waiting waiting;
	char base_url[64];

	(void)state;
	shell_init(&shell, STAND("--deployment=my-small=text-embedding-3-small", "--key=sk-test"));
	snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%u/", shell.stand.port);
	shell.upstreams[0].kind = EMBED_UPSTREAM_AZURE;
	shell.upstreams[0].base_url = base_url;
	shell.upstreams[0].api_version = "2024-10-21";
	shell.upstreams[0].model = "my-small";
	shell_open(&shell);
	ask_engine(&shell, &plain, 0, 3, &waiting, NULL);
	wait_for(&waiting);
	if (waiting.ok != 3)
		fail_msg("%s", waiting.error.message);
	shell_close(&shell);
}

static void a_callers_own_key_goes_upstream(void **state)
{
	struct engine_job_spec own = plain;
	struct shell shell;
	struct waiting waiting;

	(void)state;
	own.authorization = "sk-own";
	shell_init(&shell, STAND("--key=sk-own"));
	shell_open(&shell);
	ask_engine(&shell, &plain, 0, 1, &waiting, NULL);
	wait_for(&waiting);
	assert_int_equal(waiting.status[0], EMBED_UNAUTHORIZED);
	ask_engine(&shell, &own, 0, 1, &waiting, NULL);
	wait_for(&waiting);
	assert_int_equal(waiting.status[0], EMBED_OK);
	shell_close(&shell);
}

static void an_upstream_that_is_not_there_is_said_to_be_so(void **state)
{
	struct shell shell;
	struct waiting waiting;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell.upstreams[0].base_url = "http://127.0.0.1:1/v1";
	shell.options.max_attempts = 1;
	shell_open(&shell);
	ask_engine(&shell, &plain, 0, 1, &waiting, NULL);
	wait_for(&waiting);
	assert_int_equal(waiting.status[0], EMBED_UPSTREAM);
	assert_non_null(strstr(waiting.error.message, "check that it can be reached"));
	shell_close(&shell);
}

static void a_probe_goes_once_and_tells(void **state)
{
	const struct engine_text text = {.bytes = "ping", .len = 4, .tokens = 1};
	struct shell shell;
	struct embed_error error;
	int64_t latency_us = -1;

	(void)state;
	shell_init(&shell, STAND("--key=sk-test"));
	shell.options.upstream_count = 2;
	shell.upstreams[1].api_key = "sk-wrong";
	shell_open(&shell);
	assert_int_equal(
	    engine_probe(shell.engine, 0, &plain, &text, &latency_us, &error), EMBED_OK);
	assert_true(latency_us > 0);
	assert_int_equal(
	    engine_probe(shell.engine, 1, &plain, &text, &latency_us, &error), EMBED_UNAUTHORIZED);
	assert_int_equal(error.http_status, 401);
	assert_int_equal(
	    engine_probe(shell.engine, 2, &plain, &text, &latency_us, &error), EMBED_NOT_FOUND);
	shell_close(&shell);
}

static void closing_answers_what_is_under_way(void **state)
{
	struct shell shell;
	struct waiting waiting;

	(void)state;
	shell_init(&shell, STAND("--latency=60s"));
	shell_open(&shell);
	ask_engine(&shell, &plain, 0, 10, &waiting, NULL);
	while (count_of(&shell, "embeddings_requests") == 0)
		;
	engine_close(shell.engine);
	assert_true(waiting.has_ended);
	assert_int_equal(waiting.status[0], EMBED_CLOSED);
	assert_int_equal(shell.records, 1);
	stand_close(&shell.stand);
}

static void a_cancelled_job_ends_soon(void **state)
{
	struct shell shell;
	struct waiting waiting;
	struct engine_job *job;

	(void)state;
	shell_init(&shell, STAND("--latency=60s"));
	shell_open(&shell);
	ask_engine(&shell, &plain, 0, 10, &waiting, &job);
	engine_cancel(job);
	engine_cancel(job);
	wait_for(&waiting);
	assert_int_equal(waiting.status[9], EMBED_CANCELLED);
	engine_job_release(job);
	shell_close(&shell);
}

static void a_full_queue_takes_nothing(void **state)
{
	struct shell shell;
	struct waiting waiting;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell.options.queue_tokens = 20;
	shell_open(&shell);
	assert_int_equal(ask_engine(&shell, &plain, 0, 10, &waiting, NULL), EMBED_QUEUE_FULL);
	assert_int_equal(ask_engine(&shell, &plain, 0, 5, &waiting, NULL), EMBED_OK);
	wait_for(&waiting);
	assert_int_equal(waiting.ok, 5);
	shell_close(&shell);
}

static void an_upstreams_state_can_be_seen_from_the_start(void **state)
{
	struct embed_upstream_state seen;
	struct shell shell;

	(void)state;
	shell_init(&shell, STAND("--jitter=0"));
	shell_open(&shell);
	assert_int_equal(engine_upstream_state(shell.engine, 0, &seen), EMBED_OK);
	assert_string_equal(seen.name, "first");
	assert_string_equal(seen.base_url, shell.base_url);
	assert_string_equal(seen.breaker, "closed");
	assert_int_equal(engine_upstream_state(shell.engine, 1, &seen), EMBED_NOT_FOUND);
	shell_close(&shell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_come_back_whole),
	    cmocka_unit_test(dimensions_are_asked_for),
	    cmocka_unit_test(odd_answers_are_good_enough),
	    cmocka_unit_test(no_fault_of_one_answer_loses_a_text),
	    cmocka_unit_test(a_bad_text_fails_alone),
	    cmocka_unit_test(equal_texts_of_many_threads_are_answered_all),
	    cmocka_unit_test(azures_address_and_key_are_written_its_way),
	    cmocka_unit_test(a_callers_own_key_goes_upstream),
	    cmocka_unit_test(an_upstream_that_is_not_there_is_said_to_be_so),
	    cmocka_unit_test(a_probe_goes_once_and_tells),
	    cmocka_unit_test(closing_answers_what_is_under_way),
	    cmocka_unit_test(a_cancelled_job_ends_soon),
	    cmocka_unit_test(a_full_queue_takes_nothing),
	    cmocka_unit_test(an_upstreams_state_can_be_seen_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
