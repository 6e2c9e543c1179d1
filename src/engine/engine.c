/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "engine/loop.h"
#include "engine/settings.h"

struct engine {
	struct settings_copy settings;
	struct loop loop;
	pthread_t thread;
};

/* ---- Opening and closing -------------------------------------------- */

static void *run(void *context)
{
	struct engine *engine = context;

	pthread_setname_np(pthread_self(), "embed-engine");
	loop_run(&engine->loop);
	return NULL;
}

enum embed_status engine_open(struct engine **out, const struct engine_options *options,
    const struct engine_hooks *hooks, struct embed_error *error)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	enum embed_status status;

	if (!engine)
		return error_set(error, EMBED_NO_MEMORY, "no memory for the engine");
	status = settings_copy(&engine->settings, options, error);
	if (status != EMBED_OK)
		goto fail;
	status = loop_init(&engine->loop, &engine->settings.options, hooks);
	if (status != EMBED_OK) {
		error_set(
		    error, status, "the engine could not start: %s", embed_status_meaning(status));
		goto fail_settings;
	}
	if (thread_start(&engine->thread, run, engine) != 0) {
		status = error_set(error, EMBED_IO, "the engine's thread could not be started");
		goto fail_loop;
	}
	*out = engine;
	return EMBED_OK;

fail_loop:
	loop_fini(&engine->loop);
fail_settings:
	settings_free(&engine->settings);
fail:
	free(engine);
	return status;
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	loop_push(&engine->loop, &engine->loop.close_item, INBOX_CLOSE);
	pthread_join(engine->thread, NULL);
	loop_fini(&engine->loop);
	settings_free(&engine->settings);
	free(engine);
}

void engine_recorded(struct engine *engine, struct engine_record *record, enum embed_status status)
{
	struct attempt *attempt = HEAP_ITEM(record, struct attempt, record);

	attempt->recorded_status = status;
	loop_push(&engine->loop, &attempt->recorded_item, INBOX_RECORDED);
}

enum embed_status engine_change(
    struct engine *engine, const struct embed_upstream *upstreams, struct embed_error *error)
{
	struct loop_change *change = malloc(sizeof(*change));

	if (!change)
		return error_set(error, EMBED_NO_MEMORY, "no memory to change the upstreams");
	change->upstreams = upstreams;
	loop_push(&engine->loop, &change->item, INBOX_CHANGE);
	return EMBED_OK;
}

/* ---- Jobs ------------------------------------------------------------ */

uint64_t engine_epoch(struct engine *engine)
{
	return atomic_load_explicit(&engine->loop.epoch, memory_order_acquire);
}

enum embed_status engine_submit(struct engine *engine, const struct engine_job_spec *spec,
    const struct engine_text *texts, size_t count, const struct engine_callbacks *callbacks,
    struct engine_job **out, struct embed_error *error)
{
	struct engine_job *job;
	enum embed_status status = engine_job_create(&job, spec, texts, count, callbacks, error);

	if (status != EMBED_OK)
		return status;
	if (!loop_admit(&engine->loop, job->tokens)) {
		status = error_set(error, EMBED_QUEUE_FULL,
		    "%llu tokens more would be above the %llu that may wait; come back later, or "
		    "raise queue_tokens",
		    (unsigned long long)job->tokens, (unsigned long long)engine->loop.queue_tokens);
		engine_job_unref(job);
		return status;
	}
	job->engine = engine;
	if (out) {
		engine_job_ref(job);
		*out = job;
	}
	loop_push(&engine->loop, &job->submit_item, INBOX_SUBMIT);
	return EMBED_OK;
}

void engine_cancel(struct engine_job *job)
{
	if (atomic_exchange(&job->is_cancelled, true))
		return;
	engine_job_ref(job);
	loop_push(&job->engine->loop, &job->cancel_item, INBOX_CANCEL);
}

void engine_job_release(struct engine_job *job)
{
	if (job)
		engine_job_unref(job);
}

/* ---- Probing --------------------------------------------------------- */

struct probe {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended; /* guarded by `lock`, as what follows */
	enum embed_status status;
	struct embed_error error;
};

static void probe_text_done(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct probe *probe = context;

	(void)index;
	pthread_mutex_lock(&probe->lock);
	probe->status = outcome->status;
	if (outcome->error)
		probe->error = *outcome->error;
	pthread_mutex_unlock(&probe->lock);
}

static void probe_job_done(void *context)
{
	struct probe *probe = context;

	pthread_mutex_lock(&probe->lock);
	probe->has_ended = true;
	pthread_cond_signal(&probe->ended);
	pthread_mutex_unlock(&probe->lock);
}

static void probe_wait(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	while (!probe->has_ended)
		pthread_cond_wait(&probe->ended, &probe->lock);
	pthread_mutex_unlock(&probe->lock);
}

enum embed_status engine_probe(struct engine *engine, size_t index,
    const struct engine_job_spec *spec, const struct engine_text *text, int64_t *latency_us,
    struct embed_error *error)
{
	struct probe probe = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	const struct engine_callbacks callbacks = {probe_text_done, probe_job_done, &probe};
	struct engine_job *job;
	int64_t started_us = clock_now_us();
	enum embed_status status;

	if (index >= engine->settings.options.upstream_count)
		return error_set(error, EMBED_NOT_FOUND, "there is no upstream number %zu", index);
	error_clear(&probe.error);
	status = engine_job_create(&job, spec, text, 1, &callbacks, error);
	if (status != EMBED_OK)
		return status;
	job->engine = engine;
	job->probe_index = (int)index;
	job->spec.no_store = true;
	atomic_fetch_add(&engine->loop.pushed_tokens, job->tokens);
	loop_push(&engine->loop, &job->submit_item, INBOX_SUBMIT);
	probe_wait(&probe);
	*latency_us = clock_now_us() - started_us;
	return error_copy(error, &probe.error) == EMBED_OK ? EMBED_OK : probe.status;
}

/* ---- Looking at it --------------------------------------------------- */

void engine_stats(struct engine *engine, struct embed_stats *stats)
{
	loop_read(&engine->loop, stats);
}

enum embed_status engine_upstream_state(
    struct engine *engine, size_t index, struct embed_upstream_state *state)
{
	if (index >= engine->settings.options.upstream_count)
		return EMBED_NOT_FOUND;
	loop_read_upstream(&engine->loop, index, state);
	return EMBED_OK;
}

void engine_lane_state(struct engine *engine, enum embed_lane lane, struct embed_lane_state *state)
{
	loop_read_lane(&engine->loop, lane, state);
}

const char *engine_library(void)
{
	return transport_library();
}

const char *engine_library_lack(void)
{
	return transport_library_lack();
}
