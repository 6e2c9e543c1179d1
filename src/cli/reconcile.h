/* SPDX-License-Identifier: MIT */
/*
 * Reconcile: the ledger beside OpenAI's own export, by day (UTC) and model.
 *
 * The exports are CSV with a line of names.  Read by name, as OpenAI writes
 * them (2025): of usage `start_time` (Unix) or `start_time_iso`, `model`,
 * `input_tokens`, `num_model_requests`; of costs `start_time`, `line_item`
 * ("MODEL, input"), `amount_value` (dollars).  Other columns, other models than
 * embeddings' and buckets without a model are left out.  Buckets of an hour or
 * a minute add up to their day.
 *
 * Pure: bytes in, rows out.  Threads: none; one owner.
 */
#ifndef CLI_RECONCILE_H
#define CLI_RECONCILE_H

#include "cli/usage_report.h"

#define RECONCILE_MODEL_MAX 95
#define RECONCILE_ROWS_MAX  1000000

struct reconcile_sum {
	uint64_t requests, tokens, nano;
};

struct reconcile_row {
	int64_t day_s;
	char model[RECONCILE_MODEL_MAX + 1];
	struct reconcile_sum theirs, ours;
};

struct reconcile {
	struct reconcile_row *rows;
	size_t count, cap;
	int64_t first_s, end_s;                  /* days that the export covers */
	bool has_requests, has_tokens, has_cost; /* columns that it has */
};

void reconcile_init(struct reconcile *reconcile);
void reconcile_fini(struct reconcile *reconcile);

/* Reads an export.  EMBED_BAD_FORMAT with the line and what it lacks. */
enum embed_status reconcile_read(
    struct reconcile *reconcile, const char *bytes, size_t len, struct embed_error *error);

/* An embed_usage_fn for rows by day and model; `context` is the reconcile. */
void reconcile_add(const struct embed_usage_row *row, void *context);

/* All rows in order of day and model, with the differences (theirs less ours). */
void reconcile_append(struct reconcile *reconcile, enum usage_format format, struct buffer *out);

/* Whether there is any difference. */
bool reconcile_differs(const struct reconcile *reconcile);

#endif
