/* SPDX-License-Identifier: MIT */
/*
 * Option load: a struct options while it is being filled, for the files that
 * fill it: options.c (defaults, environment, order), option_flags.c (the
 * command line), option_entries.c (the configuration file).
 *
 * Threads: none; the loader's own.
 */
#ifndef APP_OPTION_LOAD_H
#define APP_OPTION_LOAD_H

#include "app/arena.h"
#include "app/option_file.h"
#include "app/option_name.h"
#include "app/options.h"
#include "app/upstream_section.h"

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

enum embed_status option_load_no_memory(struct embed_error *error);

/* One value; a stronger source replaces what a weaker one gave. */
enum embed_status option_load_apply(struct options *options, struct option_place place,
    enum option_source source, const char *origin, const char *text, struct embed_error *error);

/* Takes the command line apart; flags are kept until the weaker sources were read. */
enum embed_status option_flags_read(
    struct options *options, const struct options_input *input, struct embed_error *error);
enum embed_status option_flags_apply(struct options *options, struct embed_error *error);

/* Finds and reads the configuration file; then applies its entries and sections. */
enum embed_status option_entries_find(
    struct options *options, const struct options_input *input, struct embed_error *error);
enum embed_status option_entries_apply(
    struct options *options, const struct options_input *input, struct embed_error *error);

#endif
