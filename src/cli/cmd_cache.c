/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/option_value.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/progress.h"

#define PRINT_MAX_BYTES 4096

struct cache_options {
#define OPTION OPTION_FIELD
#include "cli/cache.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct cache_options, __VA_ARGS__)
#include "cli/cache.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("cache", "Options of embed cache", struct cache_options, rows);

/* One action's call: an open store, what was asked, and where it fails. */
struct action_call {
	embed_service *service;
	const struct cache_options *own;
	const char *file; /* of export and import, or NULL */
	struct embed_error error;
};

typedef int action_fn(struct action_call *call);

/* ---- stats ------------------------------------------------------------ */

static void append_size(struct buffer *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double size = (double)bytes;
	size_t unit = 0;

	for (; size >= 1024 && unit < 4; unit++)
		size /= 1024;
	buffer_printf(out, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
}

static void append_stats_table(struct buffer *out, const struct embed_store_stats *stats)
{
	char oldest[24], newest[24];

	buffer_append_text(out, "records     ");
	progress_append_count(out, stats->records);
	if (stats->records > 0)
		buffer_printf(out, " (%d %% as 16-bit floats)",
		    (int)((double)stats->half_records * 100 / (double)stats->records + 0.5));
	buffer_append_text(out, "\nin use      ");
	append_size(out, stats->used_bytes);
	buffer_append_text(out, "\nfile        ");
	append_size(out, stats->file_bytes);
	buffer_append_text(out, "\ncap         ");
	append_size(out, stats->cap_bytes);
	buffer_append_char(out, '\n');
	if (stats->oldest_s == 0)
		return;
	moment_format(oldest, stats->oldest_s, true, false);
	moment_format(newest, stats->newest_s, true, false);
	buffer_printf(out, "oldest      %s (of a sample)\nnewest      %s\n", oldest, newest);
}

static void append_stats_json(struct buffer *out, const struct embed_store_stats *stats)
{
	buffer_printf(out,
	    "{\"records\":%llu,\"used_bytes\":%llu,\"file_bytes\":%llu,\"cap_bytes\":%llu,"
	    "\"oldest_s\":%lld,\"newest_s\":%lld,\"half_records\":%llu}\n",
	    (unsigned long long)stats->records, (unsigned long long)stats->used_bytes,
	    (unsigned long long)stats->file_bytes, (unsigned long long)stats->cap_bytes,
	    (long long)stats->oldest_s, (long long)stats->newest_s,
	    (unsigned long long)stats->half_records);
}

static int do_stats(struct action_call *call)
{
	struct embed_store_stats stats = EMBED_STORE_STATS_INIT;
	struct buffer out;

	if (embed_store_stats(call->service, &stats, &call->error) != EMBED_OK)
		return command_fail(&call->error);
	buffer_init(&out, PRINT_MAX_BYTES);
	if (call->own->format == 1)
		append_stats_json(&out, &stats);
	else
		append_stats_table(&out, &stats);
	return command_print_all(&out);
}

/* ---- The others ------------------------------------------------------- */

static int print_counts(
    const char *first, uint64_t first_count, const char *second, uint64_t second_count)
{
	char line[200];
	int len = snprintf(line, sizeof(line), "%llu %s%s", (unsigned long long)first_count, first,
	    second == NULL ? "\n" : "");

	if (second != NULL)
		len += snprintf(line + len, sizeof(line) - (size_t)len, ", %llu %s\n",
		    (unsigned long long)second_count, second);
	return command_print(line, (size_t)len, NULL) ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

static int do_verify(struct action_call *call)
{
	uint64_t good, bad;
	int exit_status;

	if (embed_store_verify(call->service, call->own->repair, &good, &bad, &call->error) !=
	    EMBED_OK)
		return command_fail(&call->error);
	exit_status =
	    print_counts("good records", good, call->own->repair ? "bad removed" : "bad", bad);
	if (bad > 0 && !call->own->repair) {
		fputs(
		    "embed: bad records count as missing; \"embed cache verify --repair\" removes them\n",
		    stderr);
		return COMMAND_SOME_FAILED;
	}
	return exit_status;
}

static int do_prune(struct action_call *call)
{
	uint64_t removed;

	if (call->own->older_than_us == 0 && call->own->to_size_bytes == 0)
		return command_misuse(
		    "prune: say what may go: --older-than 90d, --to-size 10G, or both");
	if (embed_store_prune(call->service, (uint64_t)call->own->older_than_us / 1000000,
		call->own->to_size_bytes, &removed, &call->error) != EMBED_OK)
		return command_fail(&call->error);
	return print_counts("records removed", removed, NULL, 0);
}

static int do_clear(struct action_call *call)
{
	uint64_t removed;

	if (!call->own->yes)
		return command_misuse("clear: removes every stored vector, and what it answered "
				      "must be paid for again; add --yes if that is meant");
	if (embed_store_clear(call->service, &removed, &call->error) != EMBED_OK)
		return command_fail(&call->error);
	return print_counts("records removed", removed, NULL, 0);
}

static int do_export(struct action_call *call)
{
	struct output output;
	uint64_t records;

	if (call->file == NULL && isatty(STDOUT_FILENO) == 1)
		return command_misuse("export: name a file: embed cache export FILE");
	if (output_open(&output, call->file, &call->error) != EMBED_OK)
		return command_fail(&call->error);
	if (embed_store_export(call->service, output.fd, &records, &call->error) != EMBED_OK) {
		output_abandon(&output);
		return command_fail(&call->error);
	}
	if (output_commit(&output, &call->error) != EMBED_OK)
		return command_fail(&call->error);
	fprintf(stderr, "%llu records exported\n", (unsigned long long)records);
	return COMMAND_GOOD;
}

static int do_import(struct action_call *call)
{
	bool is_stdin = call->file == NULL || strcmp(call->file, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(call->file, O_RDONLY | O_CLOEXEC);
	enum embed_status status;
	uint64_t added, bad;

	if (fd < 0)
		return command_misuse("cannot open %.300s: %s", call->file, strerror(errno));
	status = embed_store_import(call->service, fd, &added, &bad, &call->error);
	if (!is_stdin)
		close(fd);
	if (status != EMBED_OK)
		return command_fail(&call->error);
	print_counts("records added", added, "bad left out", bad);
	return bad == 0 ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

/* ---- Choosing --------------------------------------------------------- */

static const struct {
	const char *name;
	action_fn *run;
	bool takes_file;
} actions[] = {
    {"stats", do_stats, false},
    {"verify", do_verify, false},
    {"prune", do_prune, false},
    {"export", do_export, true},
    {"import", do_import, true},
    {"clear", do_clear, false},
};

#define ACTION_COUNT (sizeof(actions) / sizeof(actions[0]))

static int run_action(const struct command_input *input, action_fn *action, const char *file)
{
	struct action_call call = {.own = input->own, .file = file};
	int exit_status;

	error_clear(&call.error);
	if (settings_open_service(&call.service, input->options, SETTINGS_OFFLINE, input->log,
		&call.error) != EMBED_OK)
		return command_fail(&call.error);
	exit_status = action(&call);
	embed_close(call.service);
	return exit_status;
}

static int unknown_action(const char *name)
{
	const char *names[ACTION_COUNT], *near;

	for (size_t i = 0; i < ACTION_COUNT; i++)
		names[i] = actions[i].name;
	near = option_nearest(name, names, ACTION_COUNT);
	return command_misuse("cache: there is no \"%.60s\"; %s%s%s", name,
	    near != NULL ? "did you mean \""
			 : "it is one of stats, verify, prune, export, import, clear",
	    near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static int run(const struct command_input *input)
{
	if (input->argument_count == 0)
		return command_misuse(
		    "cache: say what to do: stats, verify, prune, export, import or clear");
	for (size_t i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(actions[i].name, input->arguments[0]) != 0)
			continue;
		if (input->argument_count > (actions[i].takes_file ? 2 : 1))
			return command_misuse("cache %s: too many arguments", actions[i].name);
		return run_action(
		    input, actions[i].run, input->argument_count == 2 ? input->arguments[1] : NULL);
	}
	return unknown_action(input->arguments[0]);
}

const struct command command_cache = {
    .name = "cache",
    .arguments = "stats|verify|prune|clear|export|import [FILE]",
    .summary = "Look after the store of vectors",
    .details = "stats   how many vectors there are and what they take\n"
	       "verify  read and check every record\n"
	       "prune   remove what is old, or least used\n"
	       "export  write all records to FILE or stdout, with checksums\n"
	       "import  add the records of an export\n"
	       "clear   remove everything",
    .takes = COMMAND_TAKES_SERVICE,
    .own = &set,
    .run = run,
};
