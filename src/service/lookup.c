/* SPDX-License-Identifier: MIT */
/* The hit path: one text from the store, on the caller's thread. */
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

static enum embed_status find(embed_service *service, const struct scope *scope,
    const struct embed_text *text, float *vector, size_t cap, struct embed_answer *answer)
{
	enum embed_status status;
	struct embed_text input;
	struct buffer decoded;
	struct cache_hit hit;
	struct digest key;

	buffer_init(&decoded, SIZE_MAX / 2);
	status = input_check(scope, text, 0, &decoded, &input, NULL);
	if (status == EMBED_OK && !input_key(scope, &input, &key))
		status = EMBED_NO_MEMORY;
	buffer_fini(&decoded);
	if (status != EMBED_OK)
		return status;
	status = service_read(service, scope, &key, vector, cap, &hit);
	if (status != EMBED_OK)
		return status == EMBED_NOT_FOUND ? EMBED_NOT_STORED : status;
	*answer = (struct embed_answer){.source = EMBED_FROM_STORE,
	    .dimensions = hit.dimensions,
	    .tokens = hit.tokens,
	    .parts = 1,
	    .vector = vector};
	return EMBED_OK;
}

enum embed_status embed_lookup(embed_service *service, const struct embed_text *text,
    const struct embed_request *request, float *vector, size_t cap, struct embed_answer *answer)
{
	int64_t started_us = clock_now_us();
	enum embed_status status;
	struct scope scope;

	status = scope_init(&scope, service->settings, request, NULL);
	if (status == EMBED_OK)
		status = find(service, &scope, text, vector, cap, answer);
	if (status != EMBED_OK) {
		*answer = (struct embed_answer){.status = status};
		return status;
	}
	counters_add(service->counters, COUNTER_texts, 1);
	counters_add(service->counters, COUNTER_text_tokens, answer->tokens);
	service_count_hits(service, &scope, 1, answer->tokens);
	latency_add(service->latency, EMBED_LATENCY_hit, clock_now_us() - started_us);
	return EMBED_OK;
}
