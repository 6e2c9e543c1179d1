/* SPDX-License-Identifier: MIT */
#include "app/option_load.h"

#include <stdlib.h>
#include <string.h>

#include "app/option_value.h"
#include "base/error.h"

enum embed_status option_load_no_memory(struct embed_error *error)
{
	return error_set(error, EMBED_NO_MEMORY, "out of memory while reading options");
}

/* ---- One value -------------------------------------------------------- */

enum embed_status option_load_apply(struct options *options, struct option_place place,
    enum option_source source, const char *origin, const char *text, struct embed_error *error)
{
	struct loaded *loaded = &options->sets[place.set];
	size_t row = (size_t)(place.row - loaded->set->rows);
	enum embed_status status;

	if (source > loaded->sources[row] || loaded->origins[row] == NULL)
		option_value_clear(place.row, loaded->values);
	status =
	    option_value_parse(place.row, text, origin, &options->arena, loaded->values, error);
	if (status != EMBED_OK)
		return status;
	loaded->sources[row] = source;
	loaded->origins[row] = arena_copy(&options->arena, origin, strlen(origin));
	return loaded->origins[row] == NULL ? option_load_no_memory(error) : EMBED_OK;
}

/* ---- Sets and defaults ------------------------------------------------ */

static enum embed_status load_set(
    struct options *options, size_t index, const struct option_set *set, struct embed_error *error)
{
	struct loaded *loaded = &options->sets[index];
	enum embed_status status = EMBED_OK;

	loaded->set = set;
	loaded->values = arena_allocate(&options->arena, set->values_size);
	loaded->origins = arena_allocate(&options->arena, set->count * sizeof(*loaded->origins));
	loaded->sources = arena_allocate(&options->arena, set->count * sizeof(*loaded->sources));
	if (loaded->values == NULL || loaded->origins == NULL || loaded->sources == NULL)
		return option_load_no_memory(error);
	for (size_t i = 0; i < set->count && status == EMBED_OK; i++)
		if (set->rows[i].fallback != NULL && *set->rows[i].fallback != '\0')
			status =
			    option_load_apply(options, (struct option_place){index, &set->rows[i]},
				OPTION_FROM_DEFAULT, "default", set->rows[i].fallback, error);
	return status;
}

static enum embed_status load_sets(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	options->sets =
	    arena_allocate(&options->arena, input->active_count * sizeof(*options->sets));
	if (options->sets == NULL)
		return option_load_no_memory(error);
	options->set_count = input->active_count;
	for (size_t i = 0; i < input->active_count && status == EMBED_OK; i++)
		status = load_set(options, i, input->active[i], error);
	return status;
}

/* ---- Environment ------------------------------------------------------ */

static enum embed_status apply_variable(struct options *options, struct option_place place,
    char **environment, struct embed_error *error)
{
	const struct option_set *set = options->sets[place.set].set;
	const char *sdk = option_name_sdk_variable(set, place.row), *value;
	char name[OPTION_NAME_MAX];

	option_name_variable(name, set, place.row);
	value = option_name_value(environment, name);
	if (value == NULL && sdk != NULL) {
		snprintf(name, sizeof(name), "%s", sdk);
		value = option_name_value(environment, name);
	}
	if (value == NULL)
		return EMBED_OK;
	return option_load_apply(options, place, OPTION_FROM_ENVIRONMENT, name, value, error);
}

static enum embed_status apply_environment(
    struct options *options, char **environment, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < options->set_count; i++)
		for (size_t j = 0; j < options->sets[i].set->count && status == EMBED_OK; j++)
			status = apply_variable(options,
			    (struct option_place){i, &options->sets[i].set->rows[j]}, environment,
			    error);
	return status;
}

/* ---- The whole -------------------------------------------------------- */

static enum embed_status load(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	enum embed_status status;

	status = option_flags_read(options, input, error);
	if (status == EMBED_OK)
		status = load_sets(options, input, error);
	if (status != EMBED_OK || options->help_form != NULL)
		return status;
	status = option_entries_find(options, input, error);
	if (status == EMBED_OK)
		status = option_entries_apply(options, input, error);
	if (status == EMBED_OK)
		status = apply_environment(options, input->environment, error);
	if (status == EMBED_OK)
		status = option_flags_apply(options, error);
	return status;
}

enum embed_status options_load(
    struct options **out, const struct options_input *input, struct embed_error *error)
{
	struct options *options = calloc(1, sizeof(*options));
	enum embed_status status;

	if (options == NULL)
		return option_load_no_memory(error);
	status = load(options, input, error);
	if (status != EMBED_OK) {
		options_destroy(options);
		return status;
	}
	*out = options;
	return EMBED_OK;
}

void options_destroy(struct options *options)
{
	if (options == NULL)
		return;
	arena_fini(&options->arena);
	free(options);
}

static const struct loaded *find_loaded(const struct options *options, const struct option_set *set)
{
	for (size_t i = 0; i < options->set_count; i++)
		if (options->sets[i].set == set)
			return &options->sets[i];
	return NULL;
}

const void *options_values(const struct options *options, const struct option_set *set)
{
	const struct loaded *loaded = find_loaded(options, set);

	return loaded == NULL ? NULL : loaded->values;
}

const char *const *options_arguments(const struct options *options, size_t *count)
{
	*count = options->argument_count;
	return options->arguments;
}

const char *options_help_form(const struct options *options)
{
	return options->help_form;
}

static size_t row_of(const struct loaded *loaded, const char *field)
{
	size_t row = 0;

	while (row < loaded->set->count && strcmp(loaded->set->rows[row].field, field) != 0)
		row++;
	return row;
}

enum option_source options_source(
    const struct options *options, const struct option_set *set, const char *field)
{
	const struct loaded *loaded = find_loaded(options, set);
	size_t row = loaded == NULL ? 0 : row_of(loaded, field);

	return loaded == NULL || row == set->count ? OPTION_FROM_DEFAULT : loaded->sources[row];
}

const char *options_origin(
    const struct options *options, const struct option_set *set, const char *field)
{
	const struct loaded *loaded = find_loaded(options, set);
	size_t row = loaded == NULL ? 0 : row_of(loaded, field);

	if (loaded == NULL || row == set->count || loaded->origins[row] == NULL)
		return "default";
	return loaded->origins[row];
}

const char *options_file(const struct options *options)
{
	return options->file.path;
}

const struct embed_upstream *options_upstreams(const struct options *options, size_t *count)
{
	*count = options->sections.upstream_count;
	return options->sections.upstreams;
}

const struct embed_price *options_prices(const struct options *options, size_t *count)
{
	*count = options->sections.price_count;
	return options->sections.prices;
}
