/* SPDX-License-Identifier: MIT */
/* embed_open and embed_close: the parts, wired together. */
#include "service/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"

/*
 * Limits count bytes / 4, the ledger tokens.  English has 4 to 5 bytes a token, other text fewer,
 * so this is rather too much; the first answer's headers then say what is left.
 */
#define PERMITS_PER_TOKEN 1.2

/* Records under one key must be comparable, so all upstreams need one space. */
static enum embed_status check_spaces(const struct settings *settings, struct embed_error *error)
{
	const struct embed_upstream *first = &settings->upstreams[0], *other;
	const char *model = settings->options.model;
	struct cache_space space, other_space;
	enum embed_status status;

	status = cache_space_make(&space, first->base_url, model, first->space, error);
	for (size_t i = 1; i < settings->options.upstream_count && status == EMBED_OK; i++) {
		other = &settings->upstreams[i];
		status =
		    cache_space_make(&other_space, other->base_url, model, other->space, error);
		if (status == EMBED_OK &&
		    (space.len != other_space.len ||
			memcmp(space.bytes, other_space.bytes, space.len) != 0))
			return error_set(error, EMBED_BAD_OPTION,
			    "upstreams %s and %s need not give the same vectors for the same text; if "
			    "they do, give both the same `space`",
			    first->name, other->name);
	}
	return status;
}

static void tell_set_aside(const struct embed_service *service)
{
	const char *path = cache_set_aside(service->cache);

	if (path[0] != '\0')
		log_event(&service->log, EMBED_LOG_ERROR, "store_set_aside", "kept", path, "do",
		    "the store was damaged and begins anew, its texts are paid for again; check the "
		    "disk and the memory, and remove the file that was kept",
		    NULL);
}

static enum embed_status open_files(struct embed_service *service, struct embed_error *error)
{
	const struct embed_options *options = &service->settings->options;
	const struct cache_options cache_options = {.home = options->home,
	    .cap_bytes = options->store_bytes,
	    .ttl_s = options->store_ttl_s};
	enum embed_status status;

	if (options->home == NULL)
		return EMBED_OK;
	if (!options->no_store) {
		status = cache_open(&service->cache, &cache_options, error);
		if (status != EMBED_OK)
			return status;
		tell_set_aside(service);
	}
	if (options->no_ledger)
		return EMBED_OK;
	return ledger_open(&service->ledger, options->home, error);
}

static enum embed_status start_writer(struct embed_service *service, struct embed_error *error)
{
	const struct writer_parts parts = {.cache = service->cache,
	    .ledger = service->ledger,
	    .counters = service->counters,
	    .tally = service->tally,
	    .settings = service->settings,
	    .log = &service->log};

	if (service->cache == NULL && service->ledger == NULL)
		return EMBED_OK;
	return writer_create(&service->writer, &parts, error);
}

/* Where the time of an answered batch went, and how large it was. */
static void measure(struct embed_service *service, const struct engine_record *record)
{
	uint64_t texts = 0;

	for (size_t i = 0; i < record->share_count; i++)
		texts += record->shares[i].texts;
	latency_add(service->latency, EMBED_LATENCY_queue, record->queue_us);
	latency_add(service->latency, EMBED_LATENCY_pacing, record->pacing_us);
	latency_add(service->latency, EMBED_LATENCY_retry, record->retry_us);
	latency_add_size(service->latency, EMBED_SIZE_batch_texts, texts);
	latency_add_size(service->latency, EMBED_SIZE_batch_tokens, record->billed_tokens);
}

static void log_attempt(const struct embed_service *service, const struct engine_record *record)
{
	char texts[24], tokens[24], us[24], http[16], retry[16];
	uint64_t count = 0;

	if (!log_wants(&service->log, EMBED_LOG_DEBUG))
		return;
	for (size_t i = 0; i < record->share_count; i++)
		count += record->shares[i].texts;
	snprintf(texts, sizeof(texts), "%" PRIu64, count);
	snprintf(tokens, sizeof(tokens), "%" PRIu64, record->billed_tokens);
	snprintf(us, sizeof(us), "%" PRId64, record->latency_us);
	snprintf(http, sizeof(http), "%d", record->http_status);
	snprintf(retry, sizeof(retry), "%" PRIu32, record->retry);
	log_event(&service->log, EMBED_LOG_DEBUG, "attempt", "upstream", record->upstream, "model",
	    record->model, "status", embed_status_code(record->status), "http", http, "us", us,
	    "texts", texts, "tokens", tokens, "retry", retry, "request_id",
	    record->request_id[0] == '\0' ? NULL : record->request_id, "trace",
	    record->trace_parent, NULL);
}

static void tell_span(const struct embed_service *service, const struct engine_record *record)
{
	const struct embed_options *options = &service->settings->options;
	struct embed_span span = {.trace_parent = record->trace_parent,
	    .span_id = record->span_id,
	    .start_us = record->sent_unix_us,
	    .end_us = record->sent_unix_us + record->latency_us,
	    .upstream = record->upstream,
	    .base_url = service->settings->upstreams[record->upstream_index].base_url,
	    .model = record->model,
	    .status = record->status,
	    .http_status = record->http_status,
	    .billed_tokens = record->billed_tokens,
	    .retry = record->retry};

	if (options->span == NULL || record->span_id == 0)
		return;
	for (size_t i = 0; i < record->share_count; i++)
		span.texts += record->shares[i].texts;
	options->span(&span, options->span_context);
}

/* The engine's thread: money is counted here, disks are the writer's. */
static void on_record(struct engine_record *record, void *context)
{
	struct embed_service *service = context;

	latency_add(service->latency, EMBED_LATENCY_attempt, record->latency_us);
	log_attempt(service, record);
	tell_span(service, record);
	if (record->is_billed) {
		measure(service, record);
		counters_add(service->counters, COUNTER_cost_nano,
		    record->billed_tokens *
			settings_nano_per_token(service->settings, record->model));
	}
	if (service->writer != NULL)
		writer_add(service->writer, record);
	else
		engine_recorded(service->engine, record, EMBED_OK);
}

/*
 * The engine's thread: between a caller's miss and this call the text may have
 * been stored, by this process or another, and must not be paid for again.
 */
static bool on_find(
    const struct engine_want *want, float *numbers, size_t cap, uint32_t *dimensions, void *context)
{
	struct embed_service *service = context;
	const struct cache_want cache_want = {.dimensions = want->dimensions,
	    .can_shorten = want->can_shorten,
	    .now_s = clock_unix_s()};
	struct cache_hit hit;

	if (service->cache == NULL ||
	    cache_get(service->cache, &want->key, &cache_want, numbers, cap, &hit) != EMBED_OK)
		return false;
	*dimensions = hit.dimensions;
	return true;
}

/* What of the accounts' minute was used up before we opened, for limits that are set. */
struct spent {
	const struct settings *settings;
	struct engine_spent upstreams[ENGINE_UPSTREAMS_MAX];
};

static void on_spent(const struct ledger_spent *row, void *context)
{
	struct spent *spent = context;

	for (size_t i = 0; i < spent->settings->options.upstream_count; i++)
		if (strcmp(spent->settings->upstreams[i].name, row->upstream) == 0)
			spent->upstreams[i] =
			    (struct engine_spent){.requests = (double)row->attempts,
				.permits = (double)row->tokens * PERMITS_PER_TOKEN};
}

static bool has_set_limit(const struct settings *settings)
{
	for (size_t i = 0; i < settings->options.upstream_count; i++)
		if (settings->upstreams[i].requests_per_minute > 0 ||
		    settings->upstreams[i].tokens_per_minute > 0)
			return true;
	return false;
}

/* A ledger that cannot be read says so at the first report; here it only costs the head start. */
static void read_spent(struct embed_service *service, struct spent *spent)
{
	spent->settings = service->settings;
	if (service->ledger != NULL && has_set_limit(service->settings))
		ledger_spent(
		    service->ledger, (clock_unix_s() - 60) * 1000000, on_spent, spent, NULL);
}

static enum embed_status start_engine(struct embed_service *service, struct embed_error *error)
{
	const struct embed_options *options = &service->settings->options;
	struct spent spent = {0};
	const struct engine_options engine_options = {.upstreams = service->settings->upstreams,
	    .upstream_count = options->upstream_count,
	    .queue_tokens = options->queue_tokens,
	    .max_attempts = options->max_attempts,
	    .retry_deadline_ms = options->retry_deadline_ms,
	    .retry_budget_percent = options->retry_budget_percent,
	    .connect_timeout_ms = options->connect_timeout_ms,
	    .first_byte_timeout_ms = options->first_byte_timeout_ms,
	    .idle_timeout_ms = options->idle_timeout_ms,
	    .seed = (uint64_t)clock_now_us() ^ (uint64_t)(uintptr_t)service,
	    .spent = spent.upstreams,
	    .has_spans = options->span != NULL,
	    .log = service->log};
	const struct engine_hooks hooks = {
	    .record = on_record, .find = on_find, .context = service};
	enum embed_status status;

	if (options->offline)
		return EMBED_OK;
	read_spent(service, &spent);
	status = engine_open(&service->engine, &engine_options, &hooks, error);
	if (status == EMBED_OK && service->writer != NULL)
		writer_set_engine(service->writer, service->engine);
	return status;
}

static enum embed_status start(
    struct embed_service *service, const struct embed_options *options, struct embed_error *error)
{
	enum embed_status status;
	struct digest digest;

	/* OpenSSL that found no memory for its own beginnings never finds it again, and no key of a text could be made. */
	if (!digest_parts(&digest, NULL, 0))
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	status = settings_create(&service->settings, options, error);
	if (status == EMBED_OK)
		status = check_spaces(service->settings, error);
	if (status != EMBED_OK)
		return status;
	options = &service->settings->options;
	atomic_init(&service->log_level, (int)options->log_level);
	service->log = (struct log){options->log, options->log_context, &service->log_level};
	service->counters = counters_create();
	service->tally = tally_create();
	service->latency = latency_create();
	if (service->counters == NULL || service->tally == NULL || service->latency == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	status = open_files(service, error);
	if (status == EMBED_OK)
		status = start_writer(service, error);
	if (status == EMBED_OK)
		status = start_engine(service, error);
	return status;
}

enum embed_status embed_open(
    embed_service **out, const struct embed_options *options, struct embed_error *error)
{
	struct embed_options defaults = EMBED_OPTIONS_INIT;
	struct embed_service *service = calloc(1, sizeof(*service));
	enum embed_status status;

	if (service == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	status = start(service, options == NULL ? &defaults : options, error);
	if (status != EMBED_OK) {
		embed_close(service);
		return status;
	}
	*out = service;
	return EMBED_OK;
}

enum embed_status embed_reload(
    embed_service *service, const struct embed_options *options, struct embed_error *error)
{
	const struct settings *taken;
	enum embed_status status = settings_change(service->settings, options, &taken, error);

	if (status != EMBED_OK)
		return status;
	atomic_store_explicit(&service->log_level, (int)options->log_level, memory_order_relaxed);
	if (taken == NULL || service->engine == NULL)
		return EMBED_OK;
	return engine_change(service->engine, taken->upstreams, error);
}

uint64_t embed_nano_per_token(embed_service *service, const char *model)
{
	return settings_nano_per_token(service->settings, model);
}

void embed_close(embed_service *service)
{
	if (service == NULL)
		return;
	/* The engine waits for its records, so the writer outlives it. */
	engine_close(service->engine);
	writer_destroy(service->writer);
	ledger_close(service->ledger);
	cache_close(service->cache);
	latency_destroy(service->latency);
	tally_destroy(service->tally);
	counters_destroy(service->counters);
	settings_destroy(service->settings);
	free(service);
}
