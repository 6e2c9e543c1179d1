/* SPDX-License-Identifier: MIT */
/*
 * Depot: files and batches of the Batch API (PROTOCOL 8), in memory.
 *
 * Time is an argument, so that tests move it: every call brings the batches
 * up to `now_s` first.  A batch is validated for a while, then runs its lines
 * one by one at an even pace, is finalized for a while, and is then completed;
 * it expires a day after it was made, and keeps what was finished by then.
 *
 * Lines go through work.h, as requests do; what they bill is told to `on_bill`.
 * Output files have their lines in a shuffled order (seeded).
 *
 * Bounds: DEPOT_FILES_MAX files, DEPOT_BATCHES_MAX batches, DEPOT_BYTES_MAX
 * bytes of files in all.
 *
 * Threads: none; the emulator's lock guards it.
 */
#ifndef EMULATOR_DEPOT_H
#define EMULATOR_DEPOT_H

#include <embed.h>

#include "base/random.h"
#include "emulator/fault.h"
#include "emulator/books.h"
#include "emulator/work.h"
#include "wire/batch_file.h"

#define DEPOT_FILES_MAX    10000
#define DEPOT_BATCHES_MAX  10000
#define DEPOT_BYTES_MAX    ((size_t)4 << 30)
#define DEPOT_FAILURES_MAX 100
#define DEPOT_LINES_MAX    50000
#define DEPOT_METADATA_MAX 16384

struct depot_pace {
	int64_t validating_us, request_us, finalizing_us;
};

/* Called for each line that is run. */
typedef void depot_bill_fn(const struct books_bill *bill, void *context);

struct depot_settings {
	struct depot_pace pace;
	const struct work_limits *limits; /* of one line */
	struct fault_set *faults;         /* those on=batches with a text= strike lines */
	uint64_t seed;
	depot_bill_fn *on_bill;
	void *context;
};

struct depot_file {
	struct batch_file_object object;
	char *bytes;
	size_t len;
};

/* Where a line of the output or error file is being built. */
struct depot_line {
	size_t offset, len;
};

struct depot_lines {
	struct buffer bytes;
	struct depot_line *lines;
	size_t count, cap;
};

struct depot_batch {
	struct batch_object object;
	struct batch_failure *failures;
	char *metadata; /* JSON text, or NULL */
	char key[BOOKS_NAME_MAX];
	char *input; /* the depot's copy, read line by line */
	size_t input_len, next;
	size_t done;          /* lines that were run */
	int64_t running_us;   /* when the first line was begun */
	int64_t output_ttl_s; /* of the output files; 0: for ever */
	struct depot_lines output, errors;
};

struct depot {
	struct depot_settings settings;
	struct random random;
	struct depot_file **files; /* in the order they came */
	size_t file_count;
	struct depot_batch **batches;
	size_t batch_count;
	size_t bytes;
	struct wire_request request; /* scratch of the lines */
};

/* NULL: no memory. */
struct depot *depot_create(const struct depot_settings *settings);
void depot_destroy(struct depot *depot);

/* Brings everything up to that time. */
void depot_tick(struct depot *depot, int64_t now_s);

/*
 * Copies the bytes.  `ttl_s` 0: never expires.  NULL: no memory, or the bounds
 * are reached.
 */
struct depot_file *depot_add_file(struct depot *depot, const char *name, const char *purpose,
    const char *bytes, size_t len, int64_t now_s, int64_t ttl_s);

struct depot_file *depot_find_file(struct depot *depot, const char *id);
bool depot_delete_file(struct depot *depot, const char *id);

/* What a batch is made of. */
struct depot_order {
	const char *endpoint, *window;
	const char *key;
	const char *metadata; /* JSON text, or NULL */
	int64_t output_ttl_s;
};

/* NULL: no memory, or the bounds are reached. */
struct depot_batch *depot_add_batch(struct depot *depot, const struct depot_file *input,
    const struct depot_order *order, int64_t now_s);
struct depot_batch *depot_find_batch(struct depot *depot, const char *id);

/* False: its status does not allow it. */
bool depot_cancel(struct depot *depot, struct depot_batch *batch, int64_t now_s);

/* ---- Parts, for each other ------------------------------------------- */

/* Judges the whole input (PROTOCOL 8.4); sets total, model, failures.  True: fit to run. */
bool depot_validate(struct depot *depot, struct depot_batch *batch);

/* Runs the next line. */
void depot_run_line(struct depot *depot, struct depot_batch *batch);

/* The lines that were not run any more become errors with this code and message. */
void depot_fail_rest(
    struct depot *depot, struct depot_batch *batch, const char *code, const char *message);

/* Makes the output and error files out of what was run. */
void depot_finish(struct depot *depot, struct depot_batch *batch, int64_t now_s);

/* The line at the batch's `next`, moving it on; false at the end. */
bool depot_next_line(const char *input, size_t len, size_t *next, struct depot_line *line);

#endif
