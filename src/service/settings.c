/* SPDX-License-Identifier: MIT */
#include "service/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

/* Defaults that embed.h promises; limits from OpenAI's published schema. */
#define DEFAULT_MODEL       "text-embedding-3-small"
#define DEFAULT_BASE_URL    "https://api.openai.com/v1"
#define DEFAULT_API_VERSION "2024-10-21"
#define MAX_UPSTREAMS       64
#define MAX_PRICES          4096

static const struct embed_upstream upstream_defaults = {
    .share = 1,
    .batch_texts = 2048,
    .batch_tokens = 295000,
    .batch_bytes = 8 << 20,
    .text_tokens = 8192,
    .max_in_flight = 16,
};

static const struct embed_options option_defaults = {
    .model = DEFAULT_MODEL,
    .store_bytes = (uint64_t)64 << 30,
    .max_attempts = 8,
    .retry_deadline_ms = 120000,
    .retry_budget_percent = 20,
    .connect_timeout_ms = 5000,
    .first_byte_timeout_ms = 30000,
    .idle_timeout_ms = 10000,
};

/* Replaces a borrowed string by an owned copy; NULL stays NULL. */
static bool own(struct settings *settings, const char **string)
{
	char **strings, *copy;
	size_t cap;

	if (*string == NULL)
		return true;
	if (settings->string_count == settings->string_cap) {
		cap = settings->string_cap == 0 ? 32 : settings->string_cap * 2;
		strings = realloc(settings->strings, cap * sizeof(*strings));
		if (strings == NULL)
			return false;
		settings->strings = strings;
		settings->string_cap = cap;
	}
	copy = strdup(*string);
	if (copy == NULL)
		return false;
	settings->strings[settings->string_count++] = copy;
	*string = copy;
	return true;
}

static void default_u32(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

static void default_text(const char **field, const char *value)
{
	if (*field == NULL || **field == '\0')
		*field = value;
}

static void fill_options(struct embed_options *options)
{
	const struct embed_options *defaults = &option_defaults;

	default_text(&options->model, defaults->model);
	if (options->store_bytes == 0)
		options->store_bytes = defaults->store_bytes;
	default_u32(&options->max_attempts, defaults->max_attempts);
	default_u32(&options->retry_deadline_ms, defaults->retry_deadline_ms);
	default_u32(&options->retry_budget_percent, defaults->retry_budget_percent);
	default_u32(&options->connect_timeout_ms, defaults->connect_timeout_ms);
	default_u32(&options->first_byte_timeout_ms, defaults->first_byte_timeout_ms);
	default_u32(&options->idle_timeout_ms, defaults->idle_timeout_ms);
}

static void fill_upstream(struct embed_upstream *upstream, const struct embed_options *options)
{
	const struct embed_upstream *defaults = &upstream_defaults;

	default_text(&upstream->base_url, DEFAULT_BASE_URL);
	default_text(&upstream->api_version, DEFAULT_API_VERSION);
	default_u32(&upstream->batch_texts, options->batch_texts);
	default_u32(&upstream->max_in_flight, options->max_in_flight);
	default_u32(&upstream->share, defaults->share);
	default_u32(&upstream->batch_texts, defaults->batch_texts);
	default_u32(&upstream->batch_tokens, defaults->batch_tokens);
	default_u32(&upstream->batch_bytes, defaults->batch_bytes);
	default_u32(&upstream->text_tokens, defaults->text_tokens);
	default_u32(&upstream->max_in_flight, defaults->max_in_flight);
}

static bool own_options(struct settings *settings)
{
	struct embed_options *options = &settings->options;
	const char **strings[] = {&options->home, &options->model, &options->base_url,
	    &options->api_key, &options->organization, &options->project};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (!own(settings, strings[i]))
			return false;
	return true;
}

static bool own_upstream(struct settings *settings, struct embed_upstream *upstream)
{
	const char **strings[] = {&upstream->name, &upstream->base_url, &upstream->api_key,
	    &upstream->organization, &upstream->project, &upstream->api_version, &upstream->model,
	    &upstream->space, &upstream->ca_file};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (!own(settings, strings[i]))
			return false;
	return true;
}

/* The host of a URL that is known to have one, as a default name: without user and password, since it is shown. */
static bool name_after_host(struct settings *settings, struct embed_upstream *upstream)
{
	const char *host = strstr(upstream->base_url, "://") + 3, *name;
	char *copy = strndup(host, strcspn(host, "/?#")), *at;
	bool is_owned;

	if (copy == NULL)
		return false;
	at = strrchr(copy, '@');
	name = at ? at + 1 : copy;
	is_owned = own(settings, &name);
	free(copy);
	upstream->name = name;
	return is_owned;
}

#define LABEL_MAX 100

/* " of upstream NAME"; nothing for the only one of somebody who gave it no name. */
static const char *label(char text[LABEL_MAX], const struct embed_upstream *upstream, size_t index)
{
	text[0] = '\0';
	if (upstream->name != NULL)
		snprintf(text, LABEL_MAX, " of upstream %.60s", upstream->name);
	else if (index > 0)
		snprintf(text, LABEL_MAX, " of upstream %zu (from 0)", index);
	return text;
}

static enum embed_status check_upstream(
    const struct embed_upstream *upstream, size_t index, struct embed_error *error)
{
	const char *url = upstream->base_url;
	size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
			: strncmp(url, "https://", 8) == 0 ? 8
							   : 0;
	char whose[LABEL_MAX];

	if (scheme == 0 || strcspn(url + scheme, "/?#") == 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "the base URL%s is \"%.100s\"; it must look like https://host/v1",
		    label(whose, upstream, index), url);
	if (strpbrk(url, " \t\r\n") != NULL)
		return error_set(error, EMBED_BAD_OPTION,
		    "the base URL%s holds a blank or a newline; remove it",
		    label(whose, upstream, index));
	if (upstream->api_key != NULL && strpbrk(upstream->api_key, " \t\r\n") != NULL)
		return error_set(error, EMBED_BAD_OPTION,
		    "the API key%s holds a blank or a newline; check how it was copied",
		    label(whose, upstream, index));
	if (upstream->kind == EMBED_UPSTREAM_AZURE && upstream->model == NULL)
		return error_set(error, EMBED_BAD_OPTION,
		    "the model%s is missing: an Azure upstream needs its deployment's name there",
		    label(whose, upstream, index));
	return EMBED_OK;
}

static enum embed_status copy_upstreams(
    struct settings *settings, const struct embed_options *options, struct embed_error *error)
{
	const struct embed_upstream lone = {.base_url = options->base_url,
	    .api_key = options->api_key,
	    .organization = options->organization,
	    .project = options->project};
	const struct embed_upstream *from =
	    options->upstream_count > 0 ? options->upstreams : &lone;
	size_t count = options->upstream_count > 0 ? options->upstream_count : 1;
	enum embed_status status;

	settings->upstreams = calloc(count, sizeof(*settings->upstreams));
	if (settings->upstreams == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	settings->text_tokens = UINT32_MAX;
	for (size_t i = 0; i < count; i++) {
		struct embed_upstream *upstream = &settings->upstreams[i];

		*upstream = from[i];
		fill_upstream(upstream, options);
		status = check_upstream(upstream, i, error);
		if (status != EMBED_OK)
			return status;
		if (!own_upstream(settings, upstream) ||
		    (upstream->name == NULL && !name_after_host(settings, upstream)))
			return error_set(error, EMBED_NO_MEMORY, "out of memory");
		if (upstream->text_tokens < settings->text_tokens)
			settings->text_tokens = upstream->text_tokens;
	}
	settings->options.upstreams = settings->upstreams;
	settings->options.upstream_count = count;
	return EMBED_OK;
}

static enum embed_status copy_prices(
    struct settings *settings, const struct embed_options *options, struct embed_error *error)
{
	settings->prices = calloc(options->price_count + 1, sizeof(*settings->prices));
	if (settings->prices == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < options->price_count; i++) {
		settings->prices[i] = options->prices[i];
		if (settings->prices[i].model == NULL)
			return error_set(error, EMBED_BAD_OPTION, "price %zu names no model", i);
		if (!own(settings, &settings->prices[i].model))
			return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	settings->options.prices = settings->prices;
	return EMBED_OK;
}

static enum embed_status check_options(
    const struct embed_options *options, struct embed_error *error)
{
	if ((options->upstream_count > 0 && options->upstreams == NULL) ||
	    (options->price_count > 0 && options->prices == NULL))
		return error_set(error, EMBED_BAD_OPTION,
		    "%s is above 0, but the array it counts is NULL",
		    options->upstreams == NULL && options->upstream_count > 0 ? "upstream_count"
									      : "price_count");
	if (options->upstream_count > MAX_UPSTREAMS)
		return error_set(error, EMBED_BAD_OPTION,
		    "upstream_count is %zu; at most %d are possible", options->upstream_count,
		    MAX_UPSTREAMS);
	if (options->price_count > MAX_PRICES)
		return error_set(error, EMBED_BAD_OPTION,
		    "price_count is %zu; at most %d are possible", options->price_count,
		    MAX_PRICES);
	if (options->store_bytes != 0 && options->store_bytes < 1 << 20)
		return error_set(error, EMBED_BAD_OPTION,
		    "a store of %llu bytes is too small; it needs at least 1 MiB",
		    (unsigned long long)options->store_bytes);
	return EMBED_OK;
}

enum embed_status settings_create(
    struct settings **out, const struct embed_options *options, struct embed_error *error)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	enum embed_status status;

	if (settings == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	status = error_check_size(options->size, "EMBED_OPTIONS_INIT", error);
	if (status != EMBED_OK)
		goto fail;
	/* An older caller's struct is shorter: what it does not know stays 0. */
	memcpy(&settings->options, options,
	    options->size < sizeof(*options) ? options->size : sizeof(*options));
	settings->options.size = sizeof(*options);
	options = &settings->options;
	status = check_options(options, error);
	if (status != EMBED_OK)
		goto fail;
	fill_options(&settings->options);
	if (!own_options(settings)) {
		status = error_set(error, EMBED_NO_MEMORY, "out of memory");
		goto fail;
	}
	status = copy_upstreams(settings, &settings->options, error);
	if (status == EMBED_OK)
		status = copy_prices(settings, &settings->options, error);
	if (status != EMBED_OK)
		goto fail;
	atomic_init(&settings->newest, settings);
	*out = settings;
	return EMBED_OK;

fail:
	settings_destroy(settings);
	return status;
}

static void destroy_one(struct settings *settings)
{
	for (size_t i = 0; i < settings->string_count; i++) {
		/* API keys are among them: leave nothing behind in freed memory. */
		explicit_bzero(settings->strings[i], strlen(settings->strings[i]));
		secret_free(settings->strings[i]);
	}
	free(settings->strings);
	free(settings->upstreams);
	free(settings->prices);
	free(settings);
}

void settings_destroy(struct settings *settings)
{
	struct settings *newer;

	if (settings == NULL)
		return;
	newer = atomic_load(&settings->newest);
	while (newer != NULL && newer != settings) {
		struct settings *older = newer->older;

		destroy_one(newer);
		newer = older;
	}
	destroy_one(settings);
}

/* ---- What may change -------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_alike(const struct embed_upstream *a, const struct embed_upstream *b)
{
	return a->kind == b->kind && is_same(a->name, b->name) && is_same(a->base_url, b->base_url);
}

/* What `fresh` says of the `index`th of `now`; of several that look alike, the first is the first. */
static const struct embed_upstream *find_same(
    const struct settings *fresh, const struct settings *now, size_t index)
{
	const struct embed_upstream *like = &now->upstreams[index];
	size_t before = 0;

	for (size_t i = 0; i < index; i++)
		before += is_alike(&now->upstreams[i], like);
	for (size_t i = 0; i < fresh->options.upstream_count; i++)
		if (is_alike(&fresh->upstreams[i], like) && before-- == 0)
			return &fresh->upstreams[i];
	return NULL;
}

/* The upstreams that there are, with what `fresh` says of those that it has. */
static bool keep_upstreams(const struct settings *now, struct settings *fresh)
{
	size_t count = now->options.upstream_count;
	struct embed_upstream *upstreams = calloc(count, sizeof(*upstreams));

	if (upstreams == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct embed_upstream *said = find_same(fresh, now, i);

		upstreams[i] = now->upstreams[i];
		if (said == NULL)
			continue;
		upstreams[i].api_key = said->api_key;
		upstreams[i].requests_per_minute = said->requests_per_minute;
		upstreams[i].tokens_per_minute = said->tokens_per_minute;
	}
	free(fresh->upstreams);
	fresh->upstreams = upstreams;
	fresh->options.upstreams = upstreams;
	fresh->options.upstream_count = count;
	return true;
}

static bool is_changed(const struct settings *now, const struct settings *fresh)
{
	bool is_same_all = now->options.price_count == fresh->options.price_count;

	for (size_t i = 0; i < now->options.price_count && is_same_all; i++)
		is_same_all = is_same(now->prices[i].model, fresh->prices[i].model) &&
			      now->prices[i].nano_per_token == fresh->prices[i].nano_per_token;
	for (size_t i = 0; i < now->options.upstream_count && is_same_all; i++) {
		const struct embed_upstream *a = &now->upstreams[i], *b = &fresh->upstreams[i];

		is_same_all = is_same(a->api_key, b->api_key) &&
			      a->requests_per_minute == b->requests_per_minute &&
			      a->tokens_per_minute == b->tokens_per_minute;
	}
	return !is_same_all;
}

enum embed_status settings_change(struct settings *settings, const struct embed_options *options,
    const struct settings **taken, struct embed_error *error)
{
	struct settings *newest = atomic_load(&settings->newest), *fresh;
	enum embed_status status = settings_create(&fresh, options, error);

	if (status != EMBED_OK)
		return status;
	if (!keep_upstreams(newest, fresh)) {
		settings_destroy(fresh);
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	if (!is_changed(newest, fresh)) {
		settings_destroy(fresh);
		*taken = NULL;
		return EMBED_OK;
	}
	fresh->older = newest;
	atomic_store_explicit(&settings->newest, fresh, memory_order_release);
	*taken = fresh;
	return EMBED_OK;
}

static const struct settings *newest_of(const struct settings *settings)
{
	return atomic_load_explicit(&settings->newest, memory_order_acquire);
}

uint64_t settings_nano_per_token(const struct settings *settings, const char *model)
{
	const struct embed_model *row;

	settings = newest_of(settings);
	for (size_t i = 0; i < settings->options.price_count; i++)
		if (strcmp(settings->prices[i].model, model) == 0)
			return settings->prices[i].nano_per_token;
	row = embed_model_find(model);
	return row == NULL ? 0 : row->nano_per_token;
}

/* OpenAI and Azure want a key; other upstreams may do without. */
static bool needs_key(const struct embed_upstream *upstream)
{
	return upstream->kind == EMBED_UPSTREAM_AZURE ||
	       strstr(upstream->base_url, "://api.openai.com") != NULL;
}

bool settings_has_credentials(const struct settings *settings)
{
	settings = newest_of(settings);
	for (size_t i = 0; i < settings->options.upstream_count; i++)
		if (settings->upstreams[i].api_key != NULL || !needs_key(&settings->upstreams[i]))
			return true;
	return false;
}
