/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "cli/chunking.h"
#include "cli/command.h"
#include "cli/embedding.h"
#include "cli/files_source.h"

struct files_options {
#define OPTION OPTION_FIELD
#include "cli/files.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct files_options, __VA_ARGS__)
#include "cli/files.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("files", "Options of embed files", struct files_options, rows);

/* The places of --clean's values. */
static const uint32_t presets[] = {EMBED_CLEAN_NONE, EMBED_CLEAN_LIGHT, EMBED_CLEAN_STRONG};

static struct files_source_options source_options(const struct command_input *input)
{
	const struct files_options *own = input->own;
	struct files_source_options options = {
	    .is_strategy_auto = own->strategy == 0,
	    .clean_flags = presets[own->clean],
	    .chunk = EMBED_CHUNK_OPTIONS_INIT,
	    .request = settings_request_of(input->options),
	};

	if (own->strategy > 0)
		options.chunk.strategy = (enum embed_chunk_strategy)(own->strategy - 1);
	options.chunk.max = own->size;
	options.chunk.overlap = own->overlap;
	options.chunk.min = own->min_size;
	options.chunk.unit = (enum embed_chunk_unit)own->unit;
	return options;
}

static int run_walk(const struct command_input *input, const struct files_options *own,
    const struct files_source_options *options, const struct walk *walk)
{
	struct embedding_output output = EMBEDDING_OUTPUT(own);
	struct files_source source;
	int exit_status;

	if (walk->skipped > 0)
		fprintf(stderr, "embed: %llu file%s of no known kind %s left out\n",
		    (unsigned long long)walk->skipped, walk->skipped == 1 ? "" : "s",
		    walk->skipped == 1 ? "was" : "were");
	if (walk->count == 0)
		fputs("embed: there is no document to read\n", stderr);
	output.has_documents = true;
	files_source_init(&source, options, walk);
	exit_status = embedding_run(input, "files", &source.source, &output);
	files_source_fini(&source);
	return exit_status;
}

static int run(const struct command_input *input)
{
	const struct files_options *own = input->own;
	struct files_source_options options = source_options(input);
	struct embed_error error;
	struct walk walk = {0};
	int exit_status;

	if (input->argument_count == 0)
		return command_misuse("files: name documents or folders: embed files PATH...");
	error_clear(&error);
	if (chunking_check(&options.chunk, &error) != EMBED_OK ||
	    walk_paths(&walk, input->arguments, input->argument_count, &error) != EMBED_OK)
		exit_status = command_fail(&error);
	else
		exit_status = run_walk(input, own, &options, &walk);
	walk_fini(&walk);
	return exit_status;
}

const struct command command_files = {
    .name = "files",
    .arguments = "PATH...",
    .summary = "Clean, chunk and embed documents and folders",
    .details =
	"Writes one record for each chunk: {\"id\":\"PATH#n\",\"source\":\"PATH\",\"chunk\":n,\n"
	"\"start\":byte,\"end\":byte,\"tokens\":n,\"text\":..,\"embedding\":[..]}. Folders are\n"
	"walked in order of names; hidden files and files of no known kind are left out.\n"
	"PDF needs pdftotext; DOCX, ODT, RTF and EPUB need pandoc.",
    .takes = COMMAND_TAKES_SERVICE | COMMAND_TAKES_REQUEST,
    .own = &set,
    .run = run,
};
