/* SPDX-License-Identifier: MIT */
#include "app/upstream_section.h"

#include <string.h>

#include "app/option_name.h"
#include "app/option_value.h"
#include "base/error.h"

#define ORIGIN_MAX 640
#define PREFIX     "upstream "

struct upstream_options {
#define OPTION OPTION_FIELD
#include "app/upstream.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct upstream_options, __VA_ARGS__)
#include "app/upstream.def"
#undef OPTION
};

const struct option_set upstream_section_set =
    OPTION_SET("upstream NAME", "Upstream sections", struct upstream_options, rows);

/* What one reading needs everywhere. */
struct reading {
	struct upstream_sections *sections;
	const struct option_file *file;
	char **environment;
	struct arena *arena;
	struct upstream_options values[UPSTREAM_SECTIONS_MAX];
	const char *names[UPSTREAM_SECTIONS_MAX];
};

bool upstream_sections_own(const char *section)
{
	return strcmp(section, "prices") == 0 || strncmp(section, PREFIX, strlen(PREFIX)) == 0;
}

static const char *name_of(const struct option_entry *entry)
{
	const char *name = entry->section + strlen(PREFIX);

	return name + strspn(name, " \t\"");
}

static enum embed_status find(struct reading *reading, const struct option_entry *entry,
    struct upstream_options **out, struct embed_error *error)
{
	const char *name = name_of(entry);
	size_t count = reading->sections->upstream_count;

	for (size_t i = 0; i < count; i++)
		if (strcmp(reading->names[i], name) == 0) {
			*out = &reading->values[i];
			return EMBED_OK;
		}
	if (*name == '\0' || count == UPSTREAM_SECTIONS_MAX)
		return error_set(error, EMBED_BAD_OPTION, "%.400s:%d: %s", reading->file->path,
		    entry->line,
		    *name == '\0' ? "give the upstream a name: [upstream NAME]"
				  : "more upstreams than the 64 there may be");
	reading->names[count] = name;
	reading->sections->upstream_count++;
	*out = &reading->values[count];
	return EMBED_OK;
}

static enum embed_status read_setting(
    struct reading *reading, const struct option_entry *entry, struct embed_error *error)
{
	const struct option_set *set = &upstream_section_set;
	char origin[ORIGIN_MAX];
	struct upstream_options *values = NULL;
	struct option_place place;
	enum embed_status status = find(reading, entry, &values, error);

	if (status != EMBED_OK)
		return status;
	snprintf(origin, sizeof(origin), "%.400s:%d: %.60s", reading->file->path, entry->line,
	    entry->key);
	place = option_name_find(&set, 1, NULL, entry->key, strlen(entry->key));
	if (place.row == NULL) {
		const char *near = option_name_nearest(&set, 1, NULL, entry->key, true);

		return error_set(error, EMBED_BAD_OPTION,
		    "%s: an upstream has no such setting%s%s%s", origin,
		    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		    near != NULL ? "\"?" : "");
	}
	if (place.row->kind == OPTION_SECRET && !reading->file->is_private)
		return error_set(error, EMBED_BAD_OPTION,
		    "%s: a secret in a file that others can read; run: chmod 600 %.300s", origin,
		    reading->file->path);
	return option_value_parse(place.row, entry->value, origin, reading->arena, values, error);
}

static enum embed_status read_price(
    struct reading *reading, const struct option_entry *entry, struct embed_error *error)
{
	struct upstream_sections *sections = reading->sections;
	uint64_t nano_per_million;

	if (sections->price_count == UPSTREAM_PRICES_MAX)
		return error_set(error, EMBED_TOO_LARGE, "%.400s:%d: more than %d prices",
		    reading->file->path, entry->line, UPSTREAM_PRICES_MAX);
	if (!option_parse_dollars(entry->value, &nano_per_million) ||
	    nano_per_million % 1000000 != 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "%.400s:%d: \"%.40s\" is not a price; give dollars per million tokens with at most "
		    "three decimals, such as 0.02",
		    reading->file->path, entry->line, entry->value);
	sections->prices[sections->price_count++] =
	    (struct embed_price){entry->key, nano_per_million / 1000000};
	return EMBED_OK;
}

/* "FILE:LINE: key" of a setting that the upstream has. */
static void write_origin(
    char origin[ORIGIN_MAX], const struct reading *reading, size_t index, const char *key)
{
	int line = 0;

	for (size_t i = 0; i < reading->file->count; i++) {
		const struct option_entry *entry = &reading->file->entries[i];

		if (strncmp(entry->section, PREFIX, strlen(PREFIX)) == 0 &&
		    strcmp(name_of(entry), reading->names[index]) == 0 &&
		    option_name_is_same(entry->key, key))
			line = entry->line;
	}
	snprintf(origin, ORIGIN_MAX, "%.400s:%d: %s", reading->file->path, line, key);
}

static enum embed_status find_key(struct reading *reading, size_t index,
    const struct upstream_options *values, const char **key, struct embed_error *error)
{
	char origin[ORIGIN_MAX];

	*key = values->api_key;
	if (values->api_key_file != NULL) {
		write_origin(origin, reading, index, "api_key_file");
		return option_file_read_secret(
		    key, values->api_key_file, origin, reading->arena, error);
	}
	if (values->api_key_env == NULL)
		return EMBED_OK;
	for (char **entry = reading->environment; entry != NULL && *entry != NULL; entry++) {
		size_t len = strlen(values->api_key_env);

		if (strncmp(*entry, values->api_key_env, len) == 0 && (*entry)[len] == '=') {
			*key = *entry + len + 1;
			return EMBED_OK;
		}
	}
	write_origin(origin, reading, index, "api_key_env");
	return error_set(error, EMBED_BAD_OPTION, "%s: the environment variable %.100s is not set",
	    origin, values->api_key_env);
}

static uint32_t clamp(uint64_t count)
{
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static enum embed_status fill(struct reading *reading, size_t index, struct embed_error *error)
{
	const struct upstream_options *values = &reading->values[index];
	struct embed_upstream *upstream = &reading->sections->upstreams[index];
	char origin[ORIGIN_MAX];

	write_origin(origin, reading, index, "ca_file");
	if (option_file_check_readable(values->ca_file, origin, error) != EMBED_OK)
		return EMBED_BAD_OPTION;
	*upstream = (struct embed_upstream){
	    .name = reading->names[index],
	    .kind = values->kind == 1 ? EMBED_UPSTREAM_AZURE : EMBED_UPSTREAM_OPENAI,
	    .base_url = values->base_url,
	    .organization = values->organization,
	    .project = values->project,
	    .api_version = values->api_version,
	    .model = values->model,
	    .space = values->space,
	    .ca_file = values->ca_file,
	    .share = clamp(values->share),
	    .batch_texts = clamp(values->batch_texts),
	    .batch_tokens = clamp(values->batch_tokens),
	    .batch_bytes = clamp(values->batch_size_bytes),
	    .text_tokens = clamp(values->text_tokens),
	    .requests_per_minute = clamp(values->requests_per_minute),
	    .tokens_per_minute = clamp(values->tokens_per_minute),
	    .max_in_flight = clamp(values->max_in_flight),
	    .no_token_ids = values->no_token_ids,
	    .no_base64 = values->no_base64,
	    .no_dimensions = values->no_dimensions,
	    .http2_prior_knowledge = values->http2_prior_knowledge,
	};
	return find_key(reading, index, values, &upstream->api_key, error);
}

static enum embed_status set_defaults(struct reading *reading, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < UPSTREAM_SECTIONS_MAX; i++)
		for (size_t j = 0; j < upstream_section_set.count && status == EMBED_OK; j++)
			if (*rows[j].fallback != '\0')
				status = option_value_parse(&rows[j], rows[j].fallback, "default",
				    reading->arena, &reading->values[i], error);
	return status;
}

static enum embed_status read_all(struct reading *reading, struct embed_error *error)
{
	enum embed_status status = set_defaults(reading, error);

	for (size_t i = 0; i < reading->file->count && status == EMBED_OK; i++) {
		const struct option_entry *entry = &reading->file->entries[i];

		if (strcmp(entry->section, "prices") == 0)
			status = read_price(reading, entry, error);
		else if (upstream_sections_own(entry->section))
			status = read_setting(reading, entry, error);
	}
	for (size_t i = 0; i < reading->sections->upstream_count && status == EMBED_OK; i++)
		status = fill(reading, i, error);
	return status;
}

enum embed_status upstream_sections_read(struct upstream_sections *sections,
    const struct option_file *file, char **environment, struct arena *arena,
    struct embed_error *error)
{
	struct reading *reading = arena_allocate(arena, sizeof(*reading));

	*sections = (struct upstream_sections){
	    .upstreams =
		arena_allocate(arena, UPSTREAM_SECTIONS_MAX * sizeof(*sections->upstreams)),
	    .prices = arena_allocate(arena, UPSTREAM_PRICES_MAX * sizeof(*sections->prices)),
	};
	if (reading == NULL || sections->upstreams == NULL || sections->prices == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory while reading options");
	reading->sections = sections;
	reading->file = file;
	reading->environment = environment;
	reading->arena = arena;
	sections->values = reading->values;
	return read_all(reading, error);
}
