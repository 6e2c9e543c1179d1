/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "cli/command.h"
#include "cli/embedding.h"
#include "cli/rows_source.h"

struct rows_options {
#define OPTION OPTION_FIELD
#include "cli/rows.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct rows_options, __VA_ARGS__)
#include "cli/rows.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("rows", "Options of embed rows", struct rows_options, rows);

static int run(const struct command_input *input)
{
	const struct rows_options *own = input->own;
	const struct embedding_output output = EMBEDDING_OUTPUT(own);
	struct rows_source_options options = {
	    .files = input->arguments,
	    .file_count = input->argument_count,
	    .format = (enum rows_format)own->input,
	    .text = own->text,
	    .id = own->id,
	};
	struct rows_source source;
	struct embed_error error;
	int exit_status;

	error_clear(&error);
	if (rows_source_init(&source, &options, &error) != EMBED_OK)
		exit_status = command_fail(&error);
	else
		exit_status = embedding_run(input, "rows", &source.source, &output);
	rows_source_fini(&source);
	return exit_status;
}

const struct command command_rows = {
    .name = "rows",
    .arguments = "[FILE...]",
    .summary = "Embed one record a line: JSONL, CSV, TSV or plain lines",
    .details =
	"Reads the files, or stdin, and writes one record for each of theirs, in order:\n"
	"{\"id\":..,\"tokens\":n,\"embedding\":[..]}. A record that fails has \"error\" in place\n"
	"of \"embedding\"; the others do not suffer from it. Interrupted, the same command\n"
	"again finishes the job and pays for nothing twice (with --no-store it begins\n"
	"anew).",
    .takes = COMMAND_TAKES_SERVICE | COMMAND_TAKES_REQUEST,
    .own = &set,
    .run = run,
};
