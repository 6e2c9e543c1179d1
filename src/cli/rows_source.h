/* SPDX-License-Identifier: MIT */
/*
 * Rows source: one item per record of JSONL, CSV, TSV or plain-line files.
 *
 * A record that cannot be read becomes an item that failed, with its file and
 * line in the sentence; reading goes on behind it.
 *
 * Ids: the value of the id field where there is one, else the line number.
 */
#ifndef CLI_ROWS_SOURCE_H
#define CLI_ROWS_SOURCE_H

#include "cli/csv.h"
#include "cli/input.h"
#include "cli/json_row.h"
#include "cli/source.h"

enum rows_format { ROWS_AUTO, ROWS_JSONL, ROWS_CSV, ROWS_TSV, ROWS_LINES };

struct rows_source_options {
	const char *const *files; /* none: stdin */
	size_t file_count;
	enum rows_format format; /* AUTO: by extension, then by the first byte */
	const char *text;        /* field or column; NULL: "text" */
	const char *id;          /* NULL: "id" if there is one */
};

struct rows_source {
	struct source source;
	struct rows_source_options options;
	struct input input;
	bool is_open;
	enum rows_format format; /* of the open file */
	size_t next_file;
	uint64_t bytes_closed; /* of the files done */
	struct buffer scratch; /* fields of a CSV record */
	struct span *fields;
	size_t columns;                /* that the first line names */
	size_t text_column, id_column; /* SIZE_MAX: none */
	bool has_header;
};

/* Opens nothing yet, but sums up the sizes.  The options' strings are borrowed. */
enum embed_status rows_source_init(
    struct rows_source *rows, const struct rows_source_options *options, struct embed_error *error);
void rows_source_fini(struct rows_source *rows);

#endif
