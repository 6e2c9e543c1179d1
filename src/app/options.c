/* SPDX-License-Identifier: MIT */
#include "app/options.h"

#include <stdlib.h>
#include <string.h>

#include "app/arena.h"
#include "app/option_file.h"
#include "app/option_name.h"
#include "app/option_value.h"
#include "app/upstream_section.h"
#include "base/error.h"

#define ORIGIN_MAX 640
#define MAX_FLAGS  4096

struct loaded {
	const struct option_set *set;
	void *values;
	const char **origins; /* by row */
	enum option_source *sources;
};

/* A flag of the command line, kept until the weaker sources were read. */
struct flag {
	struct option_place place;
	const char *name; /* as typed, "--model" */
	const char *value;
};

struct options {
	struct arena arena;
	struct loaded *sets;
	size_t set_count;
	struct flag *flags;
	size_t flag_count;
	const char **arguments;
	size_t argument_count;
	const char *help_form;
	struct option_file file;
	struct upstream_sections sections;
};

static enum embed_status no_memory(struct embed_error *error)
{
	return error_set(error, EMBED_NO_MEMORY, "out of memory while reading options");
}

/* ---- One value -------------------------------------------------------- */

static enum embed_status apply(struct options *options, struct option_place place,
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
	return loaded->origins[row] == NULL ? no_memory(error) : EMBED_OK;
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
		return no_memory(error);
	for (size_t i = 0; i < set->count && status == EMBED_OK; i++)
		if (set->rows[i].fallback != NULL && *set->rows[i].fallback != '\0')
			status = apply(options, (struct option_place){index, &set->rows[i]},
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
		return no_memory(error);
	options->set_count = input->active_count;
	for (size_t i = 0; i < input->active_count && status == EMBED_OK; i++)
		status = load_set(options, i, input->active[i], error);
	return status;
}

/* ---- Flags ------------------------------------------------------------ */

static enum embed_status unknown_flag(
    const struct options_input *input, const char *name, size_t len, struct embed_error *error)
{
	char typed[OPTION_NAME_MAX], flag[OPTION_NAME_MAX];
	struct option_place place;
	const char *near;

	snprintf(typed, sizeof(typed), "%.*s", (int)(len < 64 ? len : 64), name);
	place = option_name_find(input->known, input->known_count, NULL, typed, strlen(typed));
	if (place.row != NULL && place.row->kind != OPTION_SECRET)
		return error_set(error, EMBED_BAD_OPTION,
		    "--%s is an option of \"%s\", not of this command", typed,
		    input->known[place.set]->title);
	near = option_name_nearest(input->active, input->active_count, NULL, typed, false);
	if (near == NULL)
		return error_set(error, EMBED_BAD_OPTION, "there is no option --%s", typed);
	option_name_flag(flag, &(struct option_row){.field = near});
	return error_set(
	    error, EMBED_BAD_OPTION, "there is no option --%s; did you mean --%s?", typed, flag);
}

static enum embed_status secret_flag(
    const struct options_input *input, struct option_place place, struct embed_error *error)
{
	const struct option_set *set = input->active[place.set];
	const char *sdk = option_name_sdk_variable(set, place.row);
	char name[OPTION_NAME_MAX], flag[OPTION_NAME_MAX];

	option_name_variable(name, set, place.row);
	option_name_flag(flag, place.row);
	return error_set(error, EMBED_BAD_OPTION,
	    "--%s: a secret on the command line can be read by every user of the machine; set %s, "
	    "or use --%s-file FILE",
	    flag, sdk != NULL ? sdk : name, flag);
}

static void keep_flag(
    struct options *options, struct option_place place, const char *name, const char *value)
{
	options->flags[options->flag_count++] = (struct flag){place, name, value};
}

/* One "--name", "--name=value" or "--name value" at *next; moves past what it used. */
static enum embed_status read_long(struct options *options, const struct options_input *input,
    int *next, struct embed_error *error)
{
	const char *word = input->argv[(*next)++], *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	struct option_place place;

	if (len == 4 && memcmp(name, "help", 4) == 0) {
		options->help_form = value == NULL ? "" : value;
		return EMBED_OK;
	}
	place = option_name_find(input->active, input->active_count, NULL, name, len);
	if (place.row == NULL)
		return unknown_flag(input, name, len, error);
	if (place.row->kind == OPTION_SECRET)
		return secret_flag(input, place, error);
	if (value == NULL && place.row->kind == OPTION_FLAG)
		value = "yes";
	else if (value == NULL && *next < input->argc)
		value = input->argv[(*next)++];
	if (value == NULL)
		return error_set(error, EMBED_BAD_OPTION, "%s needs a value: %s %s", word, word,
		    place.row->argument);
	keep_flag(options, place, arena_copy(&options->arena, word, len + 2), value);
	return EMBED_OK;
}

/* One "-o value", "-ovalue" or a run of flags "-xy" at *next. */
static enum embed_status read_short(struct options *options, const struct options_input *input,
    int *next, struct embed_error *error)
{
	const char *word = input->argv[(*next)++];

	for (const char *p = word + 1; *p != '\0'; p++) {
		struct option_place place =
		    option_name_find_letter(input->active, input->active_count, *p);
		char name[3] = {'-', *p, '\0'};
		const char *value = "yes";

		if (*p == 'h') {
			options->help_form = "";
			continue;
		}
		if (place.row == NULL)
			return error_set(error, EMBED_BAD_OPTION, "there is no option -%c", *p);
		if (place.row->kind != OPTION_FLAG) {
			value = p[1] != '\0' ? p + 1 : NULL;
			if (value == NULL && *next < input->argc)
				value = input->argv[(*next)++];
			if (value == NULL)
				return error_set(error, EMBED_BAD_OPTION,
				    "-%c needs a value: -%c %s", *p, *p, place.row->argument);
		}
		keep_flag(options, place, arena_copy(&options->arena, name, 2), value);
		if (place.row->kind != OPTION_FLAG)
			break;
	}
	return EMBED_OK;
}

static size_t count_letters(const struct options_input *input)
{
	size_t letters = 0;

	for (int i = 0; i < input->argc; i++)
		if (input->argv[i][0] == '-')
			letters += input->argv[i][1] == '-' ? 1 : strlen(input->argv[i]);
	return letters;
}

static enum embed_status read_flags(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	size_t letters = count_letters(input);
	enum embed_status status = EMBED_OK;
	bool is_open = true;

	if (letters > MAX_FLAGS)
		return error_set(error, EMBED_TOO_LARGE, "more than %d options", MAX_FLAGS);
	options->arguments = arena_allocate(
	    &options->arena, ((size_t)input->argc + 1) * sizeof(*options->arguments));
	options->flags = arena_allocate(&options->arena, (letters + 1) * sizeof(*options->flags));
	if (options->arguments == NULL || options->flags == NULL)
		return no_memory(error);
	for (int i = 0; i < input->argc && status == EMBED_OK;) {
		const char *word = input->argv[i];

		if (is_open && strcmp(word, "--") == 0) {
			is_open = false;
			i++;
		} else if (is_open && word[0] == '-' && word[1] == '-') {
			status = read_long(options, input, &i, error);
		} else if (is_open && word[0] == '-' && word[1] != '\0') {
			status = read_short(options, input, &i, error);
		} else {
			options->arguments[options->argument_count++] = word;
			i++;
		}
	}
	return status;
}

static enum embed_status apply_flags(struct options *options, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < options->flag_count && status == EMBED_OK; i++) {
		const struct flag *flag = &options->flags[i];

		if (flag->name == NULL)
			return no_memory(error);
		status =
		    apply(options, flag->place, OPTION_FROM_FLAG, flag->name, flag->value, error);
	}
	return status;
}

/* ---- Environment ------------------------------------------------------ */

static const char *variable(char **environment, const char *name)
{
	size_t len = strlen(name);

	for (char **entry = environment; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=' &&
		    (*entry)[len + 1] != '\0')
			return *entry + len + 1;
	return NULL;
}

static enum embed_status apply_variable(struct options *options, struct option_place place,
    char **environment, struct embed_error *error)
{
	const struct option_set *set = options->sets[place.set].set;
	const char *sdk = option_name_sdk_variable(set, place.row), *value;
	char name[OPTION_NAME_MAX];

	option_name_variable(name, set, place.row);
	value = variable(environment, name);
	if (value == NULL && sdk != NULL) {
		snprintf(name, sizeof(name), "%s", sdk);
		value = variable(environment, name);
	}
	if (value == NULL)
		return EMBED_OK;
	return apply(options, place, OPTION_FROM_ENVIRONMENT, name, value, error);
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

/* ---- File ------------------------------------------------------------- */

static enum embed_status unknown_section(const struct options_input *input, const char *origin,
    const char *section, struct embed_error *error)
{
	const char *names[64] = {"prices", "upstream"}, *near;
	size_t count = 2;

	for (size_t i = 0; i < input->known_count && count < 64; i++)
		names[count++] = input->known[i]->section;
	near = option_nearest(section, names, count);
	return error_set(error, EMBED_BAD_OPTION, "%s: there is no section [%.60s]%s%s%s", origin,
	    section, near != NULL ? "; did you mean [" : "", near != NULL ? near : "",
	    near != NULL ? "]?" : "");
}

static enum embed_status unknown_key(const struct options_input *input, const char *origin,
    const struct option_entry *entry, struct embed_error *error)
{
	const char *near;
	bool is_section = false;

	for (size_t i = 0; i < input->known_count; i++)
		is_section |= strcmp(input->known[i]->section, entry->section) == 0;
	if (!is_section)
		return unknown_section(input, origin, entry->section, error);
	near =
	    option_name_nearest(input->known, input->known_count, entry->section, entry->key, true);
	return error_set(error, EMBED_BAD_OPTION, "%s: there is no setting \"%.60s\"%s%s%s", origin,
	    entry->key, near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"?" : "");
}

/* A key of a command that is not running: checked all the same. */
static enum embed_status check_idle(struct options *options, const struct option_set *set,
    const struct option_row *row, const char *origin, const char *value, struct embed_error *error)
{
	void *scratch = arena_allocate(&options->arena, set->values_size);

	if (scratch == NULL)
		return no_memory(error);
	return option_value_parse(row, value, origin, &options->arena, scratch, error);
}

static enum embed_status apply_entry(struct options *options, const struct options_input *input,
    const struct option_entry *entry, struct embed_error *error)
{
	char origin[ORIGIN_MAX];
	struct option_place place;
	size_t len = strlen(entry->key);

	snprintf(origin, sizeof(origin), "%.500s:%d", options->file.path, entry->line);
	place = option_name_find(input->known, input->known_count, entry->section, entry->key, len);
	if (place.row == NULL)
		return unknown_key(input, origin, entry, error);
	if (place.row->kind == OPTION_SECRET && !options->file.is_private)
		return error_set(error, EMBED_BAD_OPTION,
		    "%s: a secret in a file that others can read; run: chmod 600 %.300s", origin,
		    options->file.path);
	snprintf(origin, sizeof(origin), "%.400s:%d: %.60s", options->file.path, entry->line,
	    entry->key);
	for (size_t i = 0; i < options->set_count; i++)
		if (options->sets[i].set == input->known[place.set])
			return apply(options, (struct option_place){i, place.row}, OPTION_FROM_FILE,
			    origin, entry->value, error);
	return check_idle(options, input->known[place.set], place.row, origin, entry->value, error);
}

static enum embed_status apply_file(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < options->file.count && status == EMBED_OK; i++) {
		const struct option_entry *entry = &options->file.entries[i];

		if (upstream_sections_own(entry->section))
			continue;
		status = apply_entry(options, input, entry, error);
	}
	if (status == EMBED_OK)
		status = upstream_sections_read(
		    &options->sections, &options->file, input->environment, &options->arena, error);
	return status;
}

/* Flag, variable, then the usual places; only a file that was named has to exist. */
static enum embed_status find_file(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	const char *named = variable(input->environment, "EMBED_CONFIG");
	enum embed_status status = EMBED_NOT_FOUND;

	for (size_t i = 0; i < options->flag_count; i++)
		if (strcmp(options->flags[i].place.row->field, "config") == 0)
			named = options->flags[i].value;
	if (named != NULL) {
		status = option_file_read(&options->file, named, &options->arena, error);
		return status == EMBED_NOT_FOUND ? error_set(error, EMBED_BAD_OPTION,
						       "no such configuration file: %.400s", named)
						 : status;
	}
	for (size_t i = 0; i < input->file_count && status == EMBED_NOT_FOUND; i++)
		status = option_file_read(&options->file, input->files[i], &options->arena, error);
	if (status == EMBED_NOT_FOUND) {
		options->file = (struct option_file){0};
		return EMBED_OK;
	}
	return status;
}

/* ---- The whole -------------------------------------------------------- */

static enum embed_status load(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	enum embed_status status;

	status = read_flags(options, input, error);
	if (status == EMBED_OK)
		status = load_sets(options, input, error);
	if (status != EMBED_OK || options->help_form != NULL)
		return status;
	status = find_file(options, input, error);
	if (status == EMBED_OK)
		status = apply_file(options, input, error);
	if (status == EMBED_OK)
		status = apply_environment(options, input->environment, error);
	if (status == EMBED_OK)
		status = apply_flags(options, error);
	return status;
}

enum embed_status options_load(
    struct options **out, const struct options_input *input, struct embed_error *error)
{
	struct options *options = calloc(1, sizeof(*options));
	enum embed_status status;

	if (options == NULL)
		return no_memory(error);
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
