/* SPDX-License-Identifier: MIT */
#include "engine/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "engine/upstream.h"

/* The strings of an upstream, each once. */
static const size_t string_fields[] = {
    offsetof(struct embed_upstream, name),
    offsetof(struct embed_upstream, base_url),
    offsetof(struct embed_upstream, api_key),
    offsetof(struct embed_upstream, organization),
    offsetof(struct embed_upstream, project),
    offsetof(struct embed_upstream, api_version),
    offsetof(struct embed_upstream, model),
    offsetof(struct embed_upstream, space),
    offsetof(struct embed_upstream, ca_file),
};
#define STRING_FIELDS (sizeof(string_fields) / sizeof(string_fields[0]))

static const char **string_at(struct embed_upstream *upstream, size_t field)
{
	return (const char **)(void *)((char *)upstream + string_fields[field]);
}

static size_t string_bytes(const struct engine_options *options)
{
	size_t bytes = 0;

	for (size_t i = 0; i < options->upstream_count; i++) {
		struct embed_upstream upstream = options->upstreams[i];

		for (size_t field = 0; field < STRING_FIELDS; field++) {
			const char *text = *string_at(&upstream, field);

			bytes += text ? strlen(text) + 1 : 0;
		}
	}
	return bytes;
}

static enum embed_status check_upstream(
    const struct embed_upstream *upstream, struct embed_error *error)
{
	const char *name = upstream->name ? upstream->name : "?";

	if (!upstream->name || !upstream->base_url)
		return error_set(
		    error, EMBED_BAD_OPTION, "upstream %s needs a name and a base_url", name);
	if (upstream->kind == EMBED_UPSTREAM_AZURE && !upstream->api_version)
		return error_set(error, EMBED_BAD_OPTION, "upstream %s needs an api_version", name);
	if (upstream->share == 0 || upstream->batch_texts == 0 || upstream->batch_tokens == 0 ||
	    upstream->max_in_flight == 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "upstream %s: share, batch_texts, batch_tokens and max_in_flight must be above 0",
		    name);
	if (upstream->batch_bytes <= 2 * UPSTREAM_BODY_ROOM)
		return error_set(error, EMBED_BAD_OPTION,
		    "upstream %s: batch_bytes must be above %d", name, 2 * UPSTREAM_BODY_ROOM);
	return EMBED_OK;
}

static enum embed_status check(const struct engine_options *options, struct embed_error *error)
{
	if (options->upstream_count == 0 || options->upstream_count > ENGINE_UPSTREAMS_MAX)
		return error_set(error, EMBED_BAD_OPTION,
		    "%zu upstreams are configured; 1 to %d are possible", options->upstream_count,
		    ENGINE_UPSTREAMS_MAX);
	if (options->max_attempts == 0 || options->retry_deadline_ms == 0 ||
	    options->connect_timeout_ms == 0 || options->first_byte_timeout_ms == 0 ||
	    options->idle_timeout_ms == 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "max_attempts, retry_deadline and the timeouts must be above 0");
	for (size_t i = 0; i < options->upstream_count; i++) {
		enum embed_status status = check_upstream(&options->upstreams[i], error);

		if (status != EMBED_OK)
			return status;
	}
	return EMBED_OK;
}

static void copy_strings(struct embed_upstream *upstream, char **at)
{
	for (size_t field = 0; field < STRING_FIELDS; field++) {
		const char **text = string_at(upstream, field);
		char *copy = *at;

		if (!*text)
			continue;
		*at = stpcpy(copy, *text) + 1;
		*text = copy;
	}
}

enum embed_status settings_copy(
    struct settings_copy *copy, const struct engine_options *options, struct embed_error *error)
{
	struct embed_upstream *upstreams;
	enum embed_status status = check(options, error);
	char *at;

	if (status != EMBED_OK)
		return status;
	upstreams = malloc(options->upstream_count * sizeof(*upstreams) + string_bytes(options));
	if (!upstreams)
		return error_set(error, EMBED_NO_MEMORY, "no memory for the engine's options");
	at = (char *)(upstreams + options->upstream_count);
	for (size_t i = 0; i < options->upstream_count; i++) {
		upstreams[i] = options->upstreams[i];
		copy_strings(&upstreams[i], &at);
	}
	copy->options = *options;
	copy->options.upstreams = upstreams;
	copy->memory = upstreams;
	return EMBED_OK;
}

void settings_free(struct settings_copy *copy)
{
	secret_free(copy->memory);
}
