/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/log_journal.h"
#include "app/option_name.h"
#include "app/option_value.h"
#include "app/privileges.h"
#include "app/upstream_section.h"
#include "base/error.h"

#define HELP_MAX_BYTES (1 << 20)
#define SETS_MAX       64

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

const struct command *command_at(size_t index)
{
	return index < COMMAND_COUNT ? commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* ---- Output and errors ------------------------------------------------ */

bool command_print(const void *bytes, size_t len, bool *is_unread)
{
	const char *next = bytes;

	while (len > 0) {
		ssize_t written = write(STDOUT_FILENO, next, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EPIPE) {
			if (is_unread != NULL)
				*is_unread = true;
			return true;
		}
		if (written < 0) {
			fprintf(stderr, "embed: cannot write to stdout: %s\n", strerror(errno));
			return false;
		}
		next += written;
		len -= (size_t)written;
	}
	return true;
}

int command_print_all(struct buffer *answer)
{
	bool is_good = answer->status == EMBED_OK;

	if (!is_good)
		fputs("embed: out of memory for the answer\n", stderr);
	else
		is_good = command_print(answer->bytes, answer->len, NULL);
	buffer_fini(answer);
	return is_good ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

int command_exit_of(enum embed_status status)
{
	switch (status) {
	case EMBED_OK:
		return COMMAND_GOOD;
	case EMBED_BAD_OPTION:
	case EMBED_NO_MODEL:
	case EMBED_BAD_DIMENSIONS:
		return COMMAND_USAGE;
	case EMBED_UNAUTHORIZED:
	case EMBED_NO_SUCH_MODEL:
	case EMBED_QUOTA:
	case EMBED_BUDGET:
		return COMMAND_REFUSED;
	default:
		return COMMAND_SOME_FAILED;
	}
}

int command_fail(const struct embed_error *error)
{
	fprintf(stderr, "embed: %s\n",
	    *error->message != '\0' ? error->message : embed_status_meaning(error->status));
	return error->status == EMBED_OK ? COMMAND_SOME_FAILED : command_exit_of(error->status);
}

int command_misuse(const char *format, ...)
{
	va_list args;

	fputs("embed: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return COMMAND_USAGE;
}

/* ---- Help ------------------------------------------------------------- */

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 60)
		return 80;
	return size.ws_col > 120 ? 120 : size.ws_col;
}

static int print_overview(void)
{
	struct buffer out;

	buffer_init(&out, HELP_MAX_BYTES);
	buffer_append_text(&out, "embed: texts in, vectors out, each paid for once.\n\n"
				 "Usage: embed COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		buffer_printf(&out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	buffer_append_text(&out,
	    "\n\"embed COMMAND --help\" tells its options; \"man embed-COMMAND\" tells more.\n"
	    "OPENAI_API_KEY holds the key; \"embed emulate\" is a stand-in to try without one.\n"
	    "Exit status: 0 all good, 1 some inputs failed, 2 usage or configuration,\n"
	    "3 upstream refused for good (key, quota, budget, model), 130 interrupted.\n");
	return command_print_all(&out);
}

/* The sets that a command takes: its own first, as in --help. */
static size_t active_sets(const struct command *command, const struct option_set **sets)
{
	size_t count = 0;

	if (command->own != NULL)
		sets[count++] = command->own;
	if (command->takes & COMMAND_TAKES_REQUEST)
		sets[count++] = &settings_request;
	if (command->takes & COMMAND_TAKES_SERVICE)
		sets[count++] = &settings_service;
	sets[count++] = &settings_general;
	return count;
}

static size_t known_sets(const struct option_set **sets)
{
	size_t count = 0;

	sets[count++] = &settings_general;
	sets[count++] = &settings_service;
	sets[count++] = &settings_request;
	for (size_t i = 0; i < COMMAND_COUNT && count < SETS_MAX; i++)
		if (commands[i]->own != NULL)
			sets[count++] = commands[i]->own;
	return count;
}

static int print_manual(const struct command *command)
{
	struct buffer out;

	buffer_init(&out, HELP_MAX_BYTES);
	if (command == NULL) {
		options_write_manual(&out, &settings_general);
		options_write_manual(&out, &settings_request);
		options_write_manual(&out, &settings_service);
		options_write_manual(&out, &upstream_section_set);
	} else if (command->own != NULL) {
		options_write_manual(&out, command->own);
	}
	return command_print_all(&out);
}

static int print_help(const struct command *command, const char *form)
{
	const struct option_set *sets[SETS_MAX];
	size_t count = active_sets(command, sets);
	struct buffer out;

	if (strcmp(form, "manual") == 0)
		return print_manual(command);
	buffer_init(&out, HELP_MAX_BYTES);
	buffer_printf(&out, "Usage: embed %s [OPTIONS]%s%s\n\n%s.\n", command->name,
	    *command->arguments != '\0' ? " " : "", command->arguments, command->summary);
	if (command->details != NULL)
		buffer_printf(&out, "\n%s\n", command->details);
	for (size_t i = 0; i < count; i++)
		options_write_help(&out, sets[i], columns());
	return command_print_all(&out);
}

/* ---- Running ---------------------------------------------------------- */

/* Where a command's options come from. */
struct command_source {
	const struct command *command;
	int argc;
	char **argv;
	char **environment;
};

static enum embed_status load(
    struct options **out, const struct command_source *source, struct embed_error *error)
{
	const struct option_set *active[SETS_MAX], *known[SETS_MAX];
	char paths[2][SETTINGS_PATH_MAX];
	const char *files[2] = {paths[0], paths[1]};
	struct options_input input = {
	    .active = active,
	    .known = known,
	    .argc = source->argc,
	    .argv = source->argv,
	    .environment = source->environment,
	    .files = files,
	};

	input.active_count = active_sets(source->command, active);
	input.known_count = known_sets(known);
	input.file_count = settings_files(paths, source->environment);
	return options_load(out, &input, error);
}

enum embed_status command_reload(
    struct options **out, const struct command_input *input, struct embed_error *error)
{
	return load(out, input->source, error);
}

static bool is_known_variable(const char *entry)
{
	const struct option_set *known[SETS_MAX];
	size_t count = known_sets(known), len = strcspn(entry, "=");
	char name[OPTION_NAME_MAX];

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < known[i]->count; j++) {
			option_name_variable(name, known[i], &known[i]->rows[j]);
			if (strlen(name) == len && memcmp(entry, name, len) == 0)
				return true;
		}
	return false;
}

const char *command_unknown_variable(const struct command_input *input, size_t *place)
{
	char **environment = input->source->environment;

	while (environment[*place] != NULL) {
		const char *entry = environment[(*place)++];

		if (strncmp(entry, "EMBED_", 6) == 0 && !is_known_variable(entry))
			return entry;
	}
	return NULL;
}

static int run_loaded(const struct command_source *source, const struct options *options)
{
	const struct general_options *general = options_values(options, &settings_general);
	const struct command *command = source->command;
	struct command_input input = {.options = options, .source = source};
	struct log_sink log;
	int exit_status;

	if (!general->core_dumps)
		privileges_hide_memory();
	log_sink_init(
	    &log, stderr, general->log_format == 1, (enum embed_log_level)general->log_level);
	log_sink_set_rate(&log, general->log_rate);
	if (general->log_to == 2 ||
	    (general->log_to == 0 && log_journal_is_stderr(getenv("JOURNAL_STREAM"))))
		log_sink_use_journal(&log, general->journal_socket);
	input.log = &log;
	input.arguments = options_arguments(options, &input.argument_count);
	if (command->own != NULL)
		input.own = options_values(options, command->own);
	exit_status = command->run(&input);
	log_sink_fini(&log);
	return exit_status;
}

static int run(const struct command_source *source)
{
	struct embed_error error;
	struct options *options;
	int exit_status;

	error_clear(&error);
	if (load(&options, source, &error) != EMBED_OK) {
		exit_status = command_fail(&error);
		fprintf(stderr, "\"embed %s --help\" lists the options.\n", source->command->name);
		return exit_status == COMMAND_GOOD ? COMMAND_USAGE : exit_status;
	}
	if (options_help_form(options) != NULL)
		exit_status = print_help(source->command, options_help_form(options));
	else
		exit_status = run_loaded(source, options);
	options_destroy(options);
	return exit_status;
}

static int unknown_command(const char *name)
{
	const char *names[COMMAND_COUNT], *near;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i]->name;
	if (*name == '-')
		return command_misuse(
		    "the command comes first: embed COMMAND %.60s; \"embed --help\" lists them",
		    name);
	near = option_nearest(name, names, COMMAND_COUNT);
	if (near != NULL)
		return command_misuse(
		    "there is no command \"%.60s\"; did you mean \"%s\"?", name, near);
	return command_misuse("there is no command \"%.60s\"; \"embed --help\" lists them", name);
}

int command_main(int argc, char **argv, char **environment)
{
	const struct command *command;

	if (argc == 0) {
		print_overview();
		return COMMAND_USAGE;
	}
	if (strcmp(argv[0], "--help=manual") == 0)
		return print_manual(NULL);
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    (strcmp(argv[0], "help") == 0 && argc == 1))
		return print_overview();
	if (strcmp(argv[0], "--version") == 0)
		return command_version.run(NULL);
	if (strcmp(argv[0], "help") == 0) {
		command = command_find(argv[1]);
		return command == NULL ? unknown_command(argv[1]) : print_help(command, "");
	}
	command = command_find(argv[0]);
	if (command == NULL)
		return unknown_command(argv[0]);
	return run(&(struct command_source){command, argc - 1, argv + 1, environment});
}
