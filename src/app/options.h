/* SPDX-License-Identifier: MIT */
/*
 * Options: one row in a .def table gives a flag, a variable, a key of the
 * configuration file, a line of --help, a line of the manual and a typed field.
 *
 * A table is a list of rows
 *
 *	OPTION(field, KIND, letter, default, may change, "ARGUMENT", "For help and manual")
 *
 * in a file X.def.  A struct with its fields and the rows that fill it are made by
 *
 *	struct x_options {
 *	#define OPTION OPTION_FIELD
 *	#include "layer/x.def"
 *	#undef OPTION
 *	};
 *	static const struct option_row x_rows[] = {
 *	#define OPTION(...) OPTION_ROW(struct x_options, __VA_ARGS__)
 *	#include "layer/x.def"
 *	#undef OPTION
 *	};
 *	const struct option_set x_set = OPTION_SET("x", "Title in --help", struct x_options, x_rows);
 *
 * Field `max_in_flight` is the flag --max-in-flight.  In the set of section ""
 * it is the variable EMBED_MAX_IN_FLIGHT and a key before the first section
 * of the file; in section "x" it is EMBED_X_MAX_IN_FLIGHT and a key in [x].
 *
 * Which value wins: flag, then environment, then file, then default.
 *
 * Kinds and the fields they make (a unit is part of the name):
 *
 *	TEXT      const char *field        NULL when it has no default
 *	FLAG      bool field               --field, --field=no; yes/no, true/false, on/off, 1/0
 *	COUNT     uint64_t field           digits, then maybe k, M or G (thousands)
 *	NUMBER    double field             0.25
 *	BYTES     uint64_t field_bytes     64M, 64MiB, 1G: steps of 1024
 *	DURATION  int64_t field_us         20ms, 5s, 2m, 1.5h, 7d; 0
 *	CHOICE    int field                place in ARGUMENT, which lists "error|truncate|average"
 *	LIST      struct option_list field separated by commas; a flag may be repeated
 *	SECRET    const char *field        never a flag; in a file only if that is private (mode 0600)
 *
 * Ownership: values live as long as the struct options they were loaded into.
 * Threads: a loaded struct options does not change.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <embed.h>
#include <stdio.h>

#include "base/buffer.h"

enum option_kind {
	OPTION_TEXT,
	OPTION_FLAG,
	OPTION_COUNT,
	OPTION_NUMBER,
	OPTION_BYTES,
	OPTION_DURATION,
	OPTION_CHOICE,
	OPTION_LIST,
	OPTION_SECRET,
};

/* Whether a running daemon takes a new value on SIGHUP. */
enum option_change { OPTION_START, OPTION_RELOAD };

struct option_list {
	const char **items;
	size_t count;
};

struct option_row {
	const char *field;
	enum option_kind kind;
	char letter;          /* short flag, or 0 */
	const char *fallback; /* the default as text; NULL or "": none */
	enum option_change change;
	const char *argument; /* shown in help; for a CHOICE all its values */
	const char *help;
	size_t offset;
};

struct option_set {
	const char *section; /* "" for what all commands share */
	const char *title;   /* heading in --help and manual */
	const struct option_row *rows;
	size_t count;
	size_t values_size;
};

#define OPTION_MEMBER_TEXT(field)     field
#define OPTION_MEMBER_FLAG(field)     field
#define OPTION_MEMBER_COUNT(field)    field
#define OPTION_MEMBER_NUMBER(field)   field
#define OPTION_MEMBER_BYTES(field)    field##_bytes
#define OPTION_MEMBER_DURATION(field) field##_us
#define OPTION_MEMBER_CHOICE(field)   field
#define OPTION_MEMBER_LIST(field)     field
#define OPTION_MEMBER_SECRET(field)   field

#define OPTION_TYPE_TEXT     const char *
#define OPTION_TYPE_FLAG     bool
#define OPTION_TYPE_COUNT    uint64_t
#define OPTION_TYPE_NUMBER   double
#define OPTION_TYPE_BYTES    uint64_t
#define OPTION_TYPE_DURATION int64_t
#define OPTION_TYPE_CHOICE   int
#define OPTION_TYPE_LIST     struct option_list
#define OPTION_TYPE_SECRET   const char *

#define OPTION_FIELD(field, kind, letter, fallback, change, argument, help)                        \
	OPTION_TYPE_##kind OPTION_MEMBER_##kind(field);

/* Ends in a comma: rows are one list. */
#define OPTION_ROW(type, field_, kind_, letter_, fallback_, change_, argument_, help_)             \
	{.field = #field_,                                                                         \
	    .kind = OPTION_##kind_,                                                                \
	    .letter = letter_,                                                                     \
	    .fallback = fallback_,                                                                 \
	    .change = OPTION_##change_,                                                            \
	    .argument = argument_,                                                                 \
	    .help = help_,                                                                         \
	    .offset = offsetof(type, OPTION_MEMBER_##kind_(field_))},

#define OPTION_SET(section, title, type, rows)                                                     \
	{                                                                                          \
		section, title, rows, sizeof(rows) / sizeof((rows)[0]), sizeof(type)               \
	}

struct options_input {
	const struct option_set *const *active; /* those whose flags and values are wanted */
	size_t active_count;
	const struct option_set *const *known; /* all that a file may speak of */
	size_t known_count;
	int argc; /* flags and arguments only: neither program nor command */
	char **argv;
	char **environment;       /* as `environ` */
	const char *const *files; /* looked for in this order unless --config or EMBED_CONFIG */
	size_t file_count;
};

struct options;

/*
 * Reads flags, environment and file.  EMBED_BAD_OPTION names the source of a
 * bad value (flag, variable, or file and line) and, for a name that does not
 * exist, the nearest that does.  `--` ends the flags; "-" is an argument.
 * --help is not an error: see options_help_form.
 */
enum embed_status options_load(
    struct options **out, const struct options_input *input, struct embed_error *error);
void options_destroy(struct options *options);

/* The values of an active set: cast to the struct that the set was made for. */
const void *options_values(const struct options *options, const struct option_set *set);

/* What was left after the flags, in order. */
const char *const *options_arguments(const struct options *options, size_t *count);

/* NULL unless --help was given; else "" or, of --help=manual, "manual". */
const char *options_help_form(const struct options *options);

enum option_source {
	OPTION_FROM_DEFAULT,
	OPTION_FROM_FILE,
	OPTION_FROM_ENVIRONMENT,
	OPTION_FROM_FLAG
};

/* Which kind of source a field of an active set got its value from; the weakest comes first. */
enum option_source options_source(
    const struct options *options, const struct option_set *set, const char *field);

/* Where a field of an active set got its value: "--model", "EMBED_MODEL", "FILE:12", "default". */
const char *options_origin(
    const struct options *options, const struct option_set *set, const char *field);

/* The configuration file that was read, or NULL. */
const char *options_file(const struct options *options);

/* The [upstream NAME] sections in order; `api_key` already read from its file or variable. */
const struct embed_upstream *options_upstreams(const struct options *options, size_t *count);

/* The [prices] section. */
const struct embed_price *options_prices(const struct options *options, size_t *count);

/*
 * Calls fn with the name of each option of the active sets, and of each
 * [upstream NAME] section, that has another value in `after` ("listen",
 * "[upstream main] base_url"), and whether a running daemon may take it.
 * Both were loaded for the same sets.  Prices are reported as "[prices]".
 */
typedef void options_change_fn(const char *name, enum option_change change, void *context);
void options_compare(const struct options *before, const struct options *after,
    options_change_fn *fn, void *context);

/*
 * Calls fn with each file that an option of the active sets or an [upstream
 * NAME] section names (those whose argument is FILE), and the configuration
 * file itself.  They may be replaced while a daemon runs.
 */
typedef void options_file_fn(const char *path, void *context);
void options_each_file(const struct options *options, options_file_fn *fn, void *context);

/* A heading and "  -o, --output FILE   help (default ...)" for each row, wrapped at `columns`. */
void options_write_help(struct buffer *out, const struct option_set *set, size_t columns);

/* The same as an mdoc list, with variable and key of each. */
void options_write_manual(struct buffer *out, const struct option_set *set);

#endif
