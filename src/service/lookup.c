/* SPDX-License-Identifier: MIT */
/* The hit path: texts from the store, on the caller's thread. */
#include "service/service.h"

#include "base/clock.h"
#include "service/input.h"
#include "service/vector.h"

enum embed_status service_read(embed_service *service, const struct scope *scope,
    const struct digest *key, float *vector, size_t cap, struct cache_hit *hit)
{
	const struct cache_want want = {.dimensions = scope->dimensions,
	    .can_shorten = scope->can_shorten,
	    .now_s = clock_unix_s()};
	enum embed_status status;

	if (service->cache == NULL || scope->request.no_store)
		return EMBED_NOT_FOUND;
	status = cache_get(service->cache, key, &want, vector, cap, hit);
	if (status == EMBED_OK && service->settings->options.renormalize)
		vector_normalize(vector, hit->dimensions);
	return status == EMBED_OK || status == EMBED_TOO_LARGE ? status : EMBED_NOT_FOUND;
}

static void count_saved(
    embed_service *service, const struct scope *scope, const struct tally_counts *counts)
{
	const char *model = scope->request.model;
	uint64_t tokens = counts->hit_tokens + counts->joined_tokens;

	counters_add(service->counters, COUNTER_saved_nano,
	    tokens * settings_nano_per_token(service->settings, model));
	if (service->ledger != NULL)
		tally_add(
		    service->tally, model, scope->request.key_name, scope->request.lane, counts);
}

void service_count_hits(
    embed_service *service, const struct scope *scope, uint64_t texts, uint64_t tokens)
{
	if (texts == 0)
		return;
	counters_add(service->counters, COUNTER_hits, texts);
	counters_add(service->counters, COUNTER_hit_tokens, tokens);
	count_saved(
	    service, scope, &(struct tally_counts){.hit_texts = texts, .hit_tokens = tokens});
}

void service_count_joined(
    embed_service *service, const struct scope *scope, uint64_t texts, uint64_t tokens)
{
	if (texts == 0)
		return;
	counters_add(service->counters, COUNTER_joined, texts);
	counters_add(service->counters, COUNTER_joined_tokens, tokens);
	count_saved(
	    service, scope, &(struct tally_counts){.joined_texts = texts, .joined_tokens = tokens});
}

/* ---- Lookups ------------------------------------------------------------------ */

/*
 * So many texts are found before the first of them is read: enough to hide the
 * way from memory, and few enough that they stay in the nearest cache.
 */
#define GROUP 8

/* One call's lookup of texts in order. */
struct lookup {
	embed_service *service;
	const struct embed_lookup_options *options;
	struct scope scope;
	struct cache_want want;
	struct cache_reading reading;
	size_t found;
	uint64_t tokens;
	int64_t elsewhere_us; /* spent in on_found */
};

static enum embed_status find(struct lookup *lookup, const struct embed_text *text,
    struct cache_place *place, struct digest *key)
{
	enum embed_status status;
	struct embed_text input;
	struct buffer decoded;

	buffer_init(&decoded, SIZE_MAX / 2);
	status = input_check(&lookup->scope, text, 0, &decoded, &input, NULL);
	if (status == EMBED_OK && !input_key(&lookup->scope, &input, key))
		status = EMBED_NO_MEMORY;
	buffer_fini(&decoded);
	if (status != EMBED_OK)
		return status;
	status = lookup->reading.cache == NULL ? EMBED_NOT_FOUND
					       : cache_reading_find(&lookup->reading, key, place);
	return status == EMBED_OK ? EMBED_OK : EMBED_NOT_STORED;
}

/* What the caller does with a vector is no part of the lookup's time. */
static void hand_over(struct lookup *lookup, const struct embed_answer *answer)
{
	int64_t before_us = clock_now_us();

	lookup->options->on_found(lookup->found++, answer, lookup->options->context);
	lookup->tokens += answer->tokens;
	lookup->elsewhere_us += clock_now_us() - before_us;
}

static enum embed_status take(
    struct lookup *lookup, const struct cache_place *place, const struct digest *key)
{
	const struct embed_lookup_options *options = lookup->options;
	struct embed_answer answer = {
	    .source = EMBED_FROM_STORE, .parts = 1, .vector = options->vector};
	struct cache_hit hit;
	enum embed_status status = cache_reading_take(
	    &lookup->reading, key, place, &lookup->want, options->vector, options->cap, &hit);

	if (status != EMBED_OK)
		return status == EMBED_TOO_LARGE ? status : EMBED_NOT_STORED;
	if (lookup->service->settings->options.renormalize)
		vector_normalize(options->vector, hit.dimensions);
	answer.dimensions = hit.dimensions;
	answer.tokens = hit.tokens;
	hand_over(lookup, &answer);
	return EMBED_OK;
}

/* A few texts: all are found, then all are read. */
static enum embed_status look_up_group(
    struct lookup *lookup, const struct embed_text *texts, size_t count)
{
	struct cache_place places[GROUP];
	struct digest keys[GROUP];
	enum embed_status status = EMBED_OK, taken = EMBED_OK;
	size_t found;

	for (found = 0; found < count && status == EMBED_OK; found += status == EMBED_OK)
		status = find(lookup, &texts[found], &places[found], &keys[found]);
	for (size_t i = 0; i < found && taken == EMBED_OK; i++)
		taken = take(lookup, &places[i], &keys[i]);
	return taken == EMBED_OK ? status : taken;
}

static enum embed_status look_up(
    struct lookup *lookup, const struct embed_text *texts, size_t count)
{
	embed_service *service = lookup->service;
	enum embed_status status = EMBED_OK;

	lookup->reading.cache = NULL;
	if (service->cache != NULL && !lookup->scope.request.no_store &&
	    cache_reading_begin(&lookup->reading, service->cache) != EMBED_OK)
		lookup->reading.cache = NULL;
	for (size_t first = 0; first < count && status == EMBED_OK; first += GROUP)
		status = look_up_group(
		    lookup, texts + first, count - first < GROUP ? count - first : GROUP);
	if (lookup->reading.cache != NULL)
		cache_reading_end(&lookup->reading);
	return status;
}

static void count_found(struct lookup *lookup, int64_t started_us)
{
	embed_service *service = lookup->service;
	uint64_t found = lookup->found;

	if (found == 0)
		return;
	counters_add(service->counters, COUNTER_texts, found);
	counters_add(service->counters, COUNTER_text_tokens, lookup->tokens);
	service_count_hits(service, &lookup->scope, found, lookup->tokens);
	latency_add_many(service->latency, EMBED_LATENCY_hit,
	    (clock_now_us() - started_us - lookup->elsewhere_us) / (int64_t)found, found);
}

enum embed_status embed_lookup_many(embed_service *service, const struct embed_text *texts,
    size_t count, const struct embed_lookup_options *options, size_t *found)
{
	int64_t started_us = clock_now_us();
	struct lookup lookup;
	enum embed_status status;

	*found = 0;
	status = scope_init(&lookup.scope, service->settings, options->request, NULL);
	if (status != EMBED_OK)
		return status;
	lookup.service = service;
	lookup.options = options;
	lookup.want = (struct cache_want){.dimensions = lookup.scope.dimensions,
	    .can_shorten = lookup.scope.can_shorten,
	    .now_s = clock_unix_s()};
	lookup.found = 0;
	lookup.tokens = 0;
	lookup.elsewhere_us = 0;
	status = look_up(&lookup, texts, count);
	count_found(&lookup, started_us);
	*found = lookup.found;
	return status;
}

static void keep_answer(size_t index, const struct embed_answer *answer, void *context)
{
	(void)index;
	*(struct embed_answer *)context = *answer;
}

enum embed_status embed_lookup(embed_service *service, const struct embed_text *text,
    const struct embed_request *request, float *vector, size_t cap, struct embed_answer *answer)
{
	const struct embed_lookup_options options = {.size = sizeof(options),
	    .request = request,
	    .vector = vector,
	    .cap = cap,
	    .on_found = keep_answer,
	    .context = answer};
	size_t found;
	enum embed_status status = embed_lookup_many(service, text, 1, &options, &found);

	if (status != EMBED_OK)
		*answer = (struct embed_answer){.status = status};
	return status;
}
