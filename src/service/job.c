/* SPDX-License-Identifier: MIT */
#include "service/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "service/input.h"
#include "service/vector.h"

/* Room that a model of unknown dimensions gets at first. */
#define JOB_GUESSED_DIMENSIONS 4096

/* ---- Life ------------------------------------------------------------ */

/* The request's strings are the caller's; those that outlive the call are copied. */
static bool own_scope(struct scope *scope)
{
	struct embed_request *request = &scope->request;

	scope->key.space = &scope->space;
	request->partition = NULL;
	request->user = NULL;
	request->extra = NULL;
	request->trace_parent = NULL;
	request->authorization = NULL;
	request->model = strdup(request->model);
	request->key_name = strdup(request->key_name);
	return request->model != NULL && request->key_name != NULL;
}

struct embed_job *job_create(embed_service *service, const struct scope *scope, size_t count,
    embed_done_fn *on_done, void *context)
{
	struct embed_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	atomic_init(&job->refs, 1);
	job->service = service;
	job->scope = *scope;
	job->on_done = on_done;
	job->context = context;
	job->started_us = clock_now_us();
	job->epoch = service->engine == NULL ? 0 : engine_epoch(service->engine);
	if (!own_scope(&job->scope) || (job->result = result_create(count)) == NULL) {
		job_unref(job);
		return NULL;
	}
	return job;
}

static void free_averages(struct embed_job *job)
{
	if (job->averages == NULL || job->result == NULL)
		return;
	for (size_t i = 0; i < job->result->count; i++)
		free(job->averages[i].sum);
}

static void forget_averages(struct embed_job *job)
{
	free_averages(job);
	free(job->averages);
	job->averages = NULL;
}

static void destroy(struct embed_job *job)
{
	engine_job_release(job->engine_job);
	forget_averages(job);
	embed_result_destroy(job->result);
	free(job->misses);
	free(job->miss_text);
	free((char *)job->scope.request.model);
	free((char *)job->scope.request.key_name);
	free(job);
}

void job_unref(struct embed_job *job)
{
	if (job != NULL && atomic_fetch_sub(&job->refs, 1) == 1)
		destroy(job);
}

void embed_job_release(embed_job *job)
{
	job_unref(job);
}

void embed_job_cancel(embed_job *job)
{
	if (job->engine_job != NULL)
		engine_cancel(job->engine_job);
}

/* ---- Answers --------------------------------------------------------- */

static struct job_average *average_of(struct embed_job *job, size_t index)
{
	if (job->result->answers[index].parts < 2)
		return NULL;
	return &job->averages[index];
}

bool job_expect_parts(struct embed_job *job, size_t index, uint32_t parts)
{
	job->result->answers[index].parts = parts;
	if (parts < 2)
		return true;
	if (job->averages == NULL)
		job->averages = calloc(job->result->count, sizeof(*job->averages));
	if (job->averages == NULL)
		return false;
	job->averages[index].parts_left = parts;
	return true;
}

void job_fail_text(struct embed_job *job, size_t index, const struct embed_error *error)
{
	if (job->result->answers[index].status == EMBED_OK)
		result_fail(job->result, index, error);
}

static void fail_for_memory(struct embed_job *job, size_t index)
{
	struct embed_error error;

	error_set(&error, EMBED_NO_MEMORY, "out of memory while the answer was put together");
	job_fail_text(job, index, &error);
}

/* How many numbers the caller gets of a vector that has `count`. */
static uint32_t dimensions_given(const struct embed_job *job, uint32_t count)
{
	uint32_t wanted = job->scope.dimensions;

	return job->scope.can_shorten && wanted > 0 && wanted < count ? wanted : count;
}

static void add_to_average(struct embed_job *job, size_t index, struct job_average *average,
    const float *vector, uint32_t dimensions, uint32_t tokens)
{
	struct embed_answer *answer = &job->result->answers[index];
	float *mean;

	if (average->sum == NULL) {
		average->sum = calloc(dimensions, sizeof(*average->sum));
		average->dimensions = dimensions;
	}
	if (average->sum == NULL || average->dimensions != dimensions) {
		fail_for_memory(job, index);
		return;
	}
	vector_add(average->sum, vector, dimensions, tokens);
	if (--average->parts_left > 0)
		return;
	mean = result_vector(job->result, dimensions);
	if (mean == NULL) {
		fail_for_memory(job, index);
		return;
	}
	vector_from_sum(mean, average->sum, dimensions);
	answer->vector = mean;
	answer->dimensions = dimensions;
}

/* Puts a part's vector, of the dimensions to be given, where it belongs. */
static void take_vector(struct embed_job *job, size_t index, float *vector, uint32_t dimensions,
    uint32_t tokens, enum embed_source source)
{
	struct embed_answer *answer = &job->result->answers[index];
	struct job_average *average = average_of(job, index);

	if (answer->status != EMBED_OK)
		return;
	answer->tokens += tokens;
	if (source > answer->source)
		answer->source = source;
	if (average != NULL) {
		add_to_average(job, index, average, vector, dimensions, tokens);
		return;
	}
	answer->parts = 1;
	answer->vector = vector;
	answer->dimensions = dimensions;
}

/* Reads into memory of the result; NULL when it is not there (or memory is out). */
static float *read_vector(struct embed_job *job, const struct digest *key, struct cache_hit *hit)
{
	uint32_t room = job->scope.dimensions > 0 ? job->scope.dimensions : JOB_GUESSED_DIMENSIONS;
	enum embed_status status;
	float *vector;

	for (;;) {
		vector = result_vector(job->result, room);
		if (vector == NULL)
			return NULL;
		status = service_read(job->service, &job->scope, key, vector, room, hit);
		if (status == EMBED_OK)
			return vector;
		result_vector_undo(job->result, room);
		if (status != EMBED_TOO_LARGE || hit->dimensions <= room)
			return NULL;
		room = hit->dimensions;
	}
}

bool job_read_part(struct embed_job *job, size_t index, const struct digest *key)
{
	struct cache_hit hit;
	float *vector = read_vector(job, key, &hit);

	if (vector == NULL)
		return false;
	job->hits++;
	job->hit_tokens += hit.tokens;
	take_vector(job, index, vector, hit.dimensions, hit.tokens, EMBED_FROM_STORE);
	return true;
}

/* ---- Misses ---------------------------------------------------------- */

static bool grow_misses(struct embed_job *job)
{
	size_t cap = job->miss_cap == 0 ? 16 : job->miss_cap * 2;
	struct engine_text *misses;
	size_t *miss_text;

	misses = realloc(job->misses, cap * sizeof(*misses));
	if (misses == NULL)
		return false;
	job->misses = misses;
	miss_text = realloc(job->miss_text, cap * sizeof(*miss_text));
	if (miss_text == NULL)
		return false;
	job->miss_text = miss_text;
	job->miss_cap = cap;
	return true;
}

enum embed_status job_add_part(struct embed_job *job, size_t index, const struct embed_text *input,
    const struct digest *key, uint32_t tokens)
{
	if (job->miss_count == job->miss_cap && !grow_misses(job))
		return EMBED_NO_MEMORY;
	job->miss_text[job->miss_count] = index;
	job->misses[job->miss_count++] = (struct engine_text){.key = *key,
	    .bytes = input->bytes,
	    .len = input->len,
	    .ids = input->ids,
	    .id_count = input->id_count,
	    .tokens = tokens};
	return EMBED_OK;
}

/* ---- The end --------------------------------------------------------- */

static void add_up(struct embed_job *job)
{
	struct embed_result_totals *totals = &job->result->totals;
	const struct embed_answer *answer;

	for (size_t i = 0; i < job->result->count; i++) {
		answer = &job->result->answers[i];
		totals->tokens += answer->tokens;
		totals->hits += answer->source == EMBED_FROM_STORE;
		totals->joined += answer->source == EMBED_FROM_FLIGHT;
		totals->sent += answer->source == EMBED_FROM_UPSTREAM;
	}
	totals->cost_nano = totals->billed_tokens * settings_nano_per_token(job->service->settings,
							job->scope.request.model);
}

static void count_errors(struct embed_job *job)
{
	const struct embed_result *result = job->result;

	for (size_t i = 0; result->totals.failed > 0 && i < result->count; i++)
		if (result->answers[i].status != EMBED_OK)
			counters_add_error(job->service->counters, result->answers[i].status);
}

static void finish(struct embed_job *job)
{
	struct counters *counters = job->service->counters;
	struct embed_result *result = job->result;

	add_up(job);
	counters_add(counters, COUNTER_text_tokens, result->totals.tokens);
	count_errors(job);
	if (job->miss_count > 0)
		latency_add(
		    job->service->latency, EMBED_LATENCY_miss, clock_now_us() - job->started_us);
	forget_averages(job);
	job->result = NULL;
	job->on_done(result, job->context);
	job_unref(job);
}

/* Reads nothing that the engine's thread may already have finished. */
static void count_accepted(struct embed_job *job, size_t texts)
{
	struct counters *counters = job->service->counters;

	counters_add(counters, COUNTER_jobs, 1);
	counters_add(counters, COUNTER_texts, texts);
	service_count_hits(job->service, &job->scope, job->hits, job->hit_tokens);
}

static void on_text_done(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct embed_job *job = context;
	size_t text = job->miss_text[index];
	uint32_t tokens = job->misses[index].tokens, dimensions;
	float *vector;

	if (outcome->status != EMBED_OK) {
		job_fail_text(job, text, outcome->error);
		return;
	}
	if (outcome->source == EMBED_FROM_FLIGHT)
		service_count_joined(job->service, &job->scope, 1, tokens);
	else if (outcome->source == EMBED_FROM_STORE)
		service_count_hits(job->service, &job->scope, 1, tokens);
	job->result->totals.billed_tokens += outcome->billed_tokens;
	dimensions = dimensions_given(job, outcome->dimensions);
	vector = result_vector(job->result, dimensions);
	if (vector == NULL) {
		fail_for_memory(job, text);
		return;
	}
	vector_shorten(vector, outcome->vector, outcome->dimensions, dimensions);
	if (job->service->settings->options.renormalize)
		vector_normalize(vector, dimensions);
	take_vector(job, text, vector, dimensions, tokens, outcome->source);
}

static void on_job_done(void *context)
{
	finish(context);
}

static struct engine_job_spec spec_of(
    const struct embed_job *job, const struct embed_request *request)
{
	const struct scope *scope = &job->scope;
	struct engine_job_spec spec = {.model = scope->request.model,
	    .dimensions = scope->request.dimensions,
	    .model_dimensions = scope->model == NULL ? 0 : scope->model->dimensions,
	    .can_shorten = scope->can_shorten,
	    .no_store = scope->request.no_store,
	    .lane = scope->request.lane,
	    .key_name = scope->request.key_name,
	    .key_weight = scope->request.key_weight,
	    .epoch = job->epoch};

	spec.user = request->user;
	spec.extra = request->extra;
	spec.authorization = request->authorization;
	spec.trace_parent = request->trace_parent;
	if (request->timeout_ms > 0)
		spec.deadline_us = clock_now_us() + (int64_t)request->timeout_ms * 1000;
	return spec;
}

enum embed_status job_send(struct embed_job *job, const struct embed_request *request, bool handle,
    struct embed_error *error)
{
	const struct engine_callbacks callbacks = {on_text_done, on_job_done, job};
	const struct engine_job_spec spec = spec_of(job, request);
	size_t texts = job->result->count;
	enum embed_status status;

	atomic_fetch_add(&job->refs, 1);
	if (job->miss_count == 0) {
		count_accepted(job, texts);
		finish(job);
		return EMBED_OK;
	}
	status = engine_submit(job->service->engine, &spec, job->misses, job->miss_count,
	    &callbacks, handle ? &job->engine_job : NULL, error);
	if (status != EMBED_OK) {
		job_unref(job);
		return status;
	}
	count_accepted(job, texts);
	return EMBED_OK;
}
