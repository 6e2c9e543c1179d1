/* SPDX-License-Identifier: MIT */
/*
 * Command: what `embed NAME` is.  One file cmd_NAME.c defines one `struct
 * command command_NAME`; a row in commands.def puts it on the table.
 *
 * A command's own options are a table NAME.def (see app/options.h) in the
 * section NAME.  The run function gets them loaded; it prints data to stdout,
 * everything else to stderr, and returns an exit status.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "app/settings.h"

/* Scripts rely on these. */
enum command_exit {
	COMMAND_GOOD = 0,
	COMMAND_SOME_FAILED = 1,   /* some inputs failed */
	COMMAND_USAGE = 2,         /* usage or configuration */
	COMMAND_REFUSED = 3,       /* upstream refused for good: key, quota, budget */
	COMMAND_INTERRUPTED = 130, /* by SIGINT */
};

/* Which shared options a command takes beside the general ones. */
enum command_takes {
	COMMAND_TAKES_SERVICE = 1 << 0, /* model, upstream, store */
	COMMAND_TAKES_REQUEST = 1 << 1, /* dimensions, lane, too_long, timeout */
};

struct command_input {
	const struct options *options;
	const void *own;              /* the command's own values, or NULL */
	const char *const *arguments; /* what was left after the flags */
	size_t argument_count;
	struct log_sink *log;
	const struct command_source *source; /* for command_reload */
};

struct command {
	const char *name;
	const char *arguments; /* "[FILE...]", for the usage line */
	const char *summary;   /* one line, for the list of commands */
	const char *details;   /* paragraphs for --help, or NULL */
	unsigned takes;
	const struct option_set *own; /* or NULL */
	int (*run)(const struct command_input *input);
};

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

/* The table, in the order of commands.def. */
const struct command *command_at(size_t index);
const struct command *command_find(const char *name);

/* Runs `embed ARGUMENTS...` and returns the exit status. */
int command_main(int argc, char **argv, char **environment);

/*
 * The options as flags, environment and file give them now; for options_destroy.
 * A daemon calls it on SIGHUP.
 */
enum embed_status command_reload(
    struct options **out, const struct command_input *input, struct embed_error *error);

/* Prints "embed: MESSAGE" to stderr; returns the exit status that goes with the error. */
int command_fail(const struct embed_error *error);

/* The same for a wrong use that has no embed_error; returns COMMAND_USAGE. */
int command_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The next variable of the environment, from `*place` on, that begins as ours
 * do and that no command knows: "NAME=value", or NULL.
 */
const char *command_unknown_variable(const struct command_input *input, size_t *place);

/* The exit status for a status of the library. */
int command_exit_of(enum embed_status status);

/*
 * Writes all of it to stdout; false, and a message, when that fails.  A reader
 * that went away wants no more, which is no failure: it is told in `is_unread`,
 * unless that is NULL.
 */
bool command_print(const void *bytes, size_t len, bool *is_unread);

/* The same for a whole answer, which is freed; gives the exit status. */
int command_print_all(struct buffer *answer);

#endif
