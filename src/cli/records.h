/* SPDX-License-Identifier: MIT */
/*
 * Writer: turns finished items into output records.
 *
 * jsonl  one object a line: id, then for documents source, chunk, start, end,
 *        then tokens, for documents text, then embedding or error.
 * csv    the same as columns, with a row of names.
 * npy    one float32 matrix (NumPy format 1.0) with a row per record; a record
 *        that failed is a row of NaN.  Needs an output that can be patched,
 *        because the number of rows stands at its beginning.
 *
 * Output does not depend on time, order of answers or what was in the store.
 *
 * Threads: none; the pipeline's thread owns it.
 */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include "cli/item.h"
#include "cli/output.h"

/* In the order of the option's ARGUMENT. */
enum records_format { RECORDS_AUTO, RECORDS_JSONL, RECORDS_NPY, RECORDS_CSV };
enum records_embedding { RECORDS_FLOAT, RECORDS_BASE64, RECORDS_NONE };

/* A finished item. */
struct record {
	const struct item_group *group;
	const struct item *item;
	enum embed_status status;
	const char *message; /* unless OK */
	uint32_t tokens;
	uint32_t dimensions;
	const float *vector; /* NULL unless OK */
};

struct records {
	struct output output;
	enum records_format format;
	enum records_embedding embedding;
	bool has_documents;  /* source, chunk, start, end, text */
	uint32_t dimensions; /* npy: 0 until known */
	uint64_t rows;       /* npy: written, or waiting for `dimensions` */
	uint64_t rows_waiting;
};

struct records_options {
	const char *path;           /* NULL: stdout */
	enum records_format format; /* AUTO: by the path's extension, else jsonl */
	enum records_embedding embedding;
	bool has_documents;
	uint32_t dimensions; /* 0: as the first vector has */
};

enum embed_status records_open(
    struct records *writer, const struct records_options *options, struct embed_error *error);

enum embed_status records_put(
    struct records *writer, const struct record *record, struct embed_error *error);

/* Hands what is there to the system, for a reader who waits. */
enum embed_status records_flush(struct records *writer, struct embed_error *error);

/* All is in it: the file takes its place.  Closed in any case. */
enum embed_status records_commit(struct records *writer, struct embed_error *error);

/* Closes without that; the partial file stays. */
void records_abandon(struct records *writer);

#endif
