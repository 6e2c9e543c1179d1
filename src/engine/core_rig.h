/* SPDX-License-Identifier: MIT */
/*
 * Rig: what tests of the core stand on.  Texts are numbers, time is turned by
 * hand, attempts lie in `sent` until the test answers them, and records come
 * back when the test says so.
 */
#ifndef ENGINE_CORE_RIG_H
#define ENGINE_CORE_RIG_H

#include "base/test.h"

#include "base/error.h"
#include "engine/core_state.h"
#include "engine/table.h"

#define RIG_SENT 512

/* A job and what came of it. */
struct asked {
	struct engine_job *job;
	size_t count;
	size_t done; /* times that job_done came */
	size_t ok, failed;
	enum embed_status status[4096];
	enum embed_source source[4096];
	uint64_t billed;
	uint32_t dimensions;
	struct embed_error error; /* the last one */
};

struct rig {
	struct core *core;
	struct engine_options options;
	struct embed_upstream upstreams[3];
	int64_t now_us;
	struct attempt *sent[RIG_SENT]; /* not answered */
	size_t sent_count;
	size_t sent_in_all;
	struct attempt *records[RIG_SENT]; /* not recorded */
	size_t record_count;
	struct engine_record last_record; /* a copy; its strings die with it */
	size_t text_len;
	uint32_t text_tokens;
};

static inline void rig_on_record(struct engine_record *record, void *context)
{
	struct rig *rig = context;

	rig->last_record = *record;
	rig->records[rig->record_count++] = HEAP_ITEM(record, struct attempt, record);
}

/* Before rig_start the test may change options and upstreams. */
static inline void rig_init(struct rig *rig, size_t upstream_count)
{
	static const char *const names[] = {"first", "second", "third"};

	*rig = (struct rig){.now_us = 1000000, .text_len = 40, .text_tokens = 10};
	for (size_t i = 0; i < upstream_count; i++)
		rig->upstreams[i] = (struct embed_upstream){.name = names[i],
		    .base_url = "http://nowhere",
		    .share = 1,
		    .batch_texts = 2048,
		    .batch_tokens = 295000,
		    .batch_bytes = 8 << 20,
		    .text_tokens = 8192,
		    .max_in_flight = 8};
	rig->options = (struct engine_options){.upstreams = rig->upstreams,
	    .upstream_count = upstream_count,
	    .max_attempts = 8,
	    .retry_deadline_ms = 120000,
	    .retry_budget_percent = 20,
	    .connect_timeout_ms = 1000,
	    .first_byte_timeout_ms = 1000,
	    .idle_timeout_ms = 1000};
}

static inline void rig_start(struct rig *rig)
{
	const struct engine_hooks hooks = {rig_on_record, rig};

	assert_int_equal(core_create(&rig->core, &rig->options, &hooks, 0, rig->now_us), EMBED_OK);
	/* Unless a test is about learning limits, there are none. */
	for (size_t i = 0; i < rig->options.upstream_count; i++) {
		if (rig->upstreams[i].tokens_per_minute == 0)
			rig->core->upstreams[i].permits.knowledge = LIMITER_NONE;
		if (rig->upstreams[i].requests_per_minute == 0)
			rig->core->upstreams[i].requests.knowledge = LIMITER_NONE;
	}
}

/* Both at once, with the options as rig_init gives them. */
static inline void rig_open(struct rig *rig, size_t upstream_count)
{
	rig_init(rig, upstream_count);
	rig_start(rig);
}

/* One upstream with a single slot: what is asked while it is taken piles up. */
static inline void rig_open_narrow(struct rig *rig)
{
	rig_init(rig, 1);
	rig->upstreams[0].max_in_flight = 1;
	rig_start(rig);
}

static inline void rig_on_text(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct asked *asked = context;

	asked->status[index] = outcome->status;
	asked->source[index] = outcome->source;
	asked->billed += outcome->billed_tokens;
	if (outcome->status == EMBED_OK) {
		asked->ok++;
		asked->dimensions = outcome->dimensions;
	} else {
		asked->failed++;
		asked->error = *outcome->error;
	}
}

static inline void rig_on_done(void *context)
{
	struct asked *asked = context;

	asked->done++;
	engine_job_release(asked->job);
	asked->job = NULL;
}

/* What goes out now; at most so many. */
static inline void rig_send_some(struct rig *rig, size_t most)
{
	struct attempt *attempt;

	core_tick(rig->core, rig->now_us);
	while (most-- > 0 && (attempt = core_send(rig->core, rig->now_us))) {
		assert_true(rig->sent_count < RIG_SENT);
		rig->sent[rig->sent_count++] = attempt;
		rig->sent_in_all++;
	}
}

static inline void rig_send(struct rig *rig)
{
	rig_send_some(rig, RIG_SENT);
}

static inline void rig_wait(struct rig *rig, int64_t us)
{
	rig->now_us += us;
	rig_send(rig);
}

/* Texts number `first` and on; nothing is sent yet. */
static inline void rig_ask(struct rig *rig, struct asked *asked,
    const struct engine_job_spec *given, uint32_t first, size_t count)
{
	const struct engine_callbacks callbacks = {rig_on_text, rig_on_done, asked};
	struct engine_job_spec spec = *given;
	struct engine_text *texts = calloc(count, sizeof(*texts));
	char *bytes = malloc(rig->text_len);

	assert_non_null(texts);
	assert_non_null(bytes);
	memset(bytes, 'x', rig->text_len);
	*asked = (struct asked){.count = count};
	if (!spec.model)
		spec.model = "m";
	for (size_t i = 0; i < count; i++) {
		uint32_t number = first + (uint32_t)i;

		texts[i] = (struct engine_text){
		    .bytes = bytes, .len = rig->text_len, .tokens = rig->text_tokens};
		memcpy(texts[i].key.bytes, &number, sizeof(number));
	}
	assert_int_equal(
	    engine_job_create(&asked->job, &spec, texts, count, &callbacks, NULL), EMBED_OK);
	engine_job_ref(asked->job);
	core_submit(rig->core, asked->job, rig->now_us);
	free(bytes);
	free(texts);
}

static inline void rig_forget_sent(struct rig *rig, size_t index)
{
	rig->sent[index] = rig->sent[--rig->sent_count];
}

/* Vectors for all of it; `headers` may be NULL. */
static inline void rig_answer_with(
    struct rig *rig, size_t index, const struct wire_headers *headers, uint64_t tokens)
{
	struct attempt *attempt = rig->sent[index];
	struct wire_fault fault = {.verdict = WIRE_DONE, .wait_ms = -1, .limit = -1};
	const struct core_answer answer = {
	    .fault = &fault, .headers = headers, .has_usage = tokens > 0, .prompt_tokens = tokens};
	const float vector[4] = {1, 2, 3, 4};

	fault.error.http_status = 200;
	rig_forget_sent(rig, index);
	for (size_t i = 0; i < attempt->batch->texts.texts; i++)
		assert_true(attempt_vector(
		    attempt, i, vector, attempt->dimensions ? attempt->dimensions : 4));
	core_answer(rig->core, attempt, &answer, rig->now_us);
}

static inline void rig_answer(struct rig *rig, size_t index)
{
	rig_answer_with(rig, index, NULL, 0);
}

static inline void rig_answer_all(struct rig *rig)
{
	while (rig->sent_count > 0)
		rig_answer(rig, 0);
}

/* An error as upstream words it. */
static inline void rig_refuse_with(struct rig *rig, size_t index, int http_status,
    const struct wire_headers *headers, const char *body)
{
	struct attempt *attempt = rig->sent[index];
	struct wire_fault fault;
	const struct core_answer answer = {.fault = &fault, .headers = headers};
	const struct wire_answer wire = {.http_status = http_status,
	    .headers = headers,
	    .body = body,
	    .body_len = strlen(body),
	    .input_count = attempt->batch->texts.texts};

	wire_fault_read(&fault, &wire);
	rig_forget_sent(rig, index);
	core_answer(rig->core, attempt, &answer, rig->now_us);
}

static inline void rig_refuse(struct rig *rig, size_t index, int http_status, const char *body)
{
	rig_refuse_with(rig, index, http_status, NULL, body);
}

static inline void rig_time_out(struct rig *rig, size_t index)
{
	struct attempt *attempt = rig->sent[index];
	struct wire_fault fault = {.verdict = WIRE_RETRY, .wait_ms = -1, .limit = -1};
	const struct core_answer answer = {.fault = &fault, .is_timeout = true};

	error_set(&fault.error, EMBED_UPSTREAM, "no answer");
	rig_forget_sent(rig, index);
	core_answer(rig->core, attempt, &answer, rig->now_us);
}

static inline void rig_record_all(struct rig *rig)
{
	while (rig->record_count > 0)
		core_recorded(rig->core, rig->records[--rig->record_count], EMBED_OK);
}

/* Answers and records until nothing is left, and looks that it is so. */
static inline void rig_finish(struct rig *rig)
{
	for (int i = 0; i < 100000 && !core_is_empty(rig->core); i++) {
		rig_answer_all(rig);
		rig_record_all(rig);
		rig_wait(rig, 1000000);
	}
	assert_true(core_is_empty(rig->core));
	core_destroy(rig->core);
}

static inline size_t rig_texts(const struct rig *rig, size_t index)
{
	return rig->sent[index]->batch->texts.texts;
}

#define RIG_QUOTA                                                                                  \
	"{\"error\":{\"message\":\"You exceeded your current quota, please check your plan and "   \
	"billing details.\",\"type\":\"insufficient_quota\",\"param\":null,"                       \
	"\"code\":\"insufficient_quota\"}}"
#define RIG_RATE                                                                                   \
	"{\"error\":{\"message\":\"Rate limit reached for m in organization o on tokens per min "  \
	"(TPM): Limit 1000000, Used 976163, Requested 70716. Please try again in 2.812s.\","       \
	"\"type\":\"tokens\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}"
#define RIG_SERVER                                                                                 \
	"{\"error\":{\"message\":\"The server had an error while processing your request\","       \
	"\"type\":\"server_error\",\"param\":null,\"code\":null}}"
#define RIG_BAD_INPUT                                                                              \
	"{\"error\":{\"message\":\"'$.input' is invalid. Please check the API reference: "         \
	"https://platform.openai.com/docs/api-reference.\",\"type\":\"invalid_request_error\","    \
	"\"param\":null,\"code\":null}}"
#define RIG_BAD_KEY                                                                                \
	"{\"error\":{\"message\":\"Incorrect API key provided: sk-x.\","                           \
	"\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}"

#endif
