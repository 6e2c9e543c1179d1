/* SPDX-License-Identifier: MIT */
/*
 * Texts: what `clean`, `chunk` and `tokens` work on: whole documents (files,
 * or stdin as one), or one text a record of JSONL or CSV.
 *
 * Records stream: each is handed on as soon as it is complete.
 */
#ifndef CLI_TEXTS_H
#define CLI_TEXTS_H

#include "cli/command.h"
#include "cli/document.h"

struct texts_options {
	const char *jsonl; /* field that holds the text, or NULL */
	const char *csv;   /* column that holds it, or NULL */
};

struct text {
	const char *bytes; /* NULL: the record or file could not be read; `error` says why */
	size_t len;
	const char *source; /* path, or "-" */
	enum document_kind kind;
	uint64_t line;  /* of the record; 0: a whole document */
	const char *id; /* of the record, as JSON */
	size_t id_len;
	const struct embed_error *error;
};

/* Takes one text; false: it failed (said so already), go on with the others. */
typedef bool texts_fn(const struct text *text, void *context);

/* Hands on all texts of the arguments (none: stdin); returns the exit status. */
int texts_each(const struct command_input *input, const struct texts_options *options, texts_fn *fn,
    void *context);

/* Reads all of stdin, at most DOCUMENT_MAX_BYTES. */
enum embed_status texts_read_stdin(struct buffer *bytes, struct embed_error *error);

#endif
