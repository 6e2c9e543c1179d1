/* SPDX-License-Identifier: MIT */
/*
 * Files source: one item per chunk of each document; one document in memory
 * at a time.  A document that cannot be read becomes one item that failed.
 *
 * The text of an item is cleaned; its start and end are bytes of the document
 * as it was read (or as its converter gave it).
 */
#ifndef CLI_FILES_SOURCE_H
#define CLI_FILES_SOURCE_H

#include "cli/document.h"
#include "cli/source.h"
#include "cli/walk.h"

struct files_source_options {
	bool is_strategy_auto; /* by the document's kind */
	uint32_t clean_flags;  /* of the preset */
	struct embed_chunk_options chunk;
	struct embed_request request; /* of the sentences of semantic chunks */
};

struct files_source {
	struct source source;
	struct files_source_options options;
	struct walk walk; /* borrowed content, owned by the caller */
	size_t next_file;
	const char *path; /* of the open document, or NULL */
	struct document document;
	embed_cleaned *cleaned;
	embed_chunks *chunks;
	size_t next_chunk;
};

void files_source_init(struct files_source *files, const struct files_source_options *options,
    const struct walk *walk);
void files_source_fini(struct files_source *files);

#endif
