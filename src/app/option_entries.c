/* SPDX-License-Identifier: MIT */
#include "app/option_load.h"

#include <string.h>

#include "app/option_value.h"
#include "base/error.h"

#define ORIGIN_MAX 640

static enum embed_status unknown_section(const struct options_input *input, const char *origin,
    const char *section, struct embed_error *error)
{
	const char *names[64] = {"prices", "upstream"}, *near;
	size_t count = 2;

	if (strcmp(section, "upstream") == 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "%s: give the upstream a name: [upstream NAME]", origin);
	for (size_t i = 0; i < input->known_count && count < 64; i++)
		names[count++] = input->known[i]->section;
	near = option_nearest(section, names, count);
	return error_set(error, EMBED_BAD_OPTION, "%s: there is no section [%.60s]%s%s%s", origin,
	    section, near != NULL ? "; did you mean [" : "", near != NULL ? near : "",
	    near != NULL ? "]?" : "");
}

/* A setting that exists, but not in the section where it stands. */
static enum embed_status misplaced_key(const struct options_input *input, const char *origin,
    const struct option_entry *entry, struct embed_error *error)
{
	struct option_place place = option_name_find(
	    input->known, input->known_count, NULL, entry->key, strlen(entry->key));
	const char *section = place.row == NULL ? NULL : input->known[place.set]->section;

	if (section == NULL)
		return EMBED_OK;
	if (*section == '\0')
		return error_set(error, EMBED_BAD_OPTION,
		    "%s: \"%.60s\" is no setting of [%.60s]; put it before the first [section]",
		    origin, entry->key, entry->section);
	return error_set(error, EMBED_BAD_OPTION,
	    "%s: \"%.60s\" is no setting %s%.60s%s; it is one of [%s]", origin, entry->key,
	    *entry->section != '\0' ? "of [" : "", entry->section,
	    *entry->section != '\0' ? "]" : "for all commands", section);
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
	if (misplaced_key(input, origin, entry, error) != EMBED_OK)
		return EMBED_BAD_OPTION;
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
		return option_load_no_memory(error);
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
			return option_load_apply(options, (struct option_place){i, place.row},
			    OPTION_FROM_FILE, origin, entry->value, error);
	return check_idle(options, input->known[place.set], place.row, origin, entry->value, error);
}

/* Names of models are taken as they stand. */
static bool is_same_setting(const struct option_entry *a, const struct option_entry *b)
{
	if (strcmp(a->section, b->section) != 0)
		return false;
	return strcmp(a->section, "prices") == 0 ? strcmp(a->key, b->key) == 0
						 : option_name_is_same(a->key, b->key);
}

/* A later line would silently undo an earlier one; only lists gather. */
static enum embed_status check_once(const struct options *options,
    const struct options_input *input, size_t index, struct embed_error *error)
{
	const struct option_entry *entries = options->file.entries, *entry = &entries[index];
	struct option_place place = option_name_find(
	    input->known, input->known_count, entry->section, entry->key, strlen(entry->key));

	if (place.row != NULL && place.row->kind == OPTION_LIST)
		return EMBED_OK;
	for (size_t i = 0; i < index; i++)
		if (is_same_setting(&entries[i], entry))
			return error_set(error, EMBED_BAD_OPTION,
			    "%.400s:%d: %.60s: line %d sets it, too; keep one of them",
			    options->file.path, entry->line, entry->key, entries[i].line);
	return EMBED_OK;
}

enum embed_status option_entries_apply(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < options->file.count && status == EMBED_OK; i++) {
		const struct option_entry *entry = &options->file.entries[i];

		status = check_once(options, input, i, error);
		if (upstream_sections_own(entry->section) || status != EMBED_OK)
			continue;
		status = apply_entry(options, input, entry, error);
	}
	if (status == EMBED_OK)
		status = upstream_sections_read(
		    &options->sections, &options->file, input->environment, &options->arena, error);
	return status;
}

/* Flag, variable, then the usual places; only a file that was named has to exist. */
enum embed_status option_entries_find(
    struct options *options, const struct options_input *input, struct embed_error *error)
{
	const char *named = option_name_value(input->environment, "EMBED_CONFIG");
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
