/* SPDX-License-Identifier: MIT */
/*
 * Embedding: what `text`, `rows` and `files` have in common: open the
 * service and the output, run the pipeline, close, give the exit status.
 */
#ifndef CLI_EMBEDDING_H
#define CLI_EMBEDDING_H

#include "cli/command.h"
#include "cli/source.h"

/* The values of record.def, of whatever command. */
struct embedding_output {
	const char *path;
	int format;
	int embedding;
	uint64_t window_bytes;
	bool has_documents;
};

#define EMBEDDING_OUTPUT(own)                                                                      \
	{                                                                                          \
		.path = (own)->output, .format = (own)->format, .embedding = (own)->embedding,     \
		.window_bytes = (own)->window_bytes                                                \
	}

/* `name` is shown by the progress bar. */
int embedding_run(const struct command_input *input, const char *name, struct source *source,
    const struct embedding_output *output);

#endif
