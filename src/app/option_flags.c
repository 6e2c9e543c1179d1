/* SPDX-License-Identifier: MIT */
#include "app/option_load.h"

#include <string.h>

#include "base/error.h"

#define MAX_FLAGS 4096

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

enum embed_status option_flags_read(
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
		return option_load_no_memory(error);
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

enum embed_status option_flags_apply(struct options *options, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < options->flag_count && status == EMBED_OK; i++) {
		const struct flag *flag = &options->flags[i];

		if (flag->name == NULL)
			return option_load_no_memory(error);
		status = option_load_apply(
		    options, flag->place, OPTION_FROM_FLAG, flag->name, flag->value, error);
	}
	return status;
}
