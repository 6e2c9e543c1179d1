/* SPDX-License-Identifier: MIT */
/*
 * Input: a file or stdin, cut into records while it streams by.
 *
 * A record is a line, or for CSV a line whose newlines inside quotes do not
 * count (RFC 4180).  Memory is bounded by the longest record; one above
 * INPUT_RECORD_MAX_BYTES is skipped and reported, and reading goes on behind it.
 *
 * An input that is a pipe or a terminal is never waited for: INPUT_BLOCKED
 * says that `fd` has to be polled first, so that the caller can meanwhile
 * send what it has.
 *
 * Threads: none; one owner.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/buffer.h"

#define INPUT_RECORD_MAX_BYTES (64u << 20)

enum input_framing { INPUT_LINES, INPUT_CSV };

enum input_status {
	INPUT_RECORD,   /* a record, without its line end */
	INPUT_BLOCKED,  /* nothing there yet */
	INPUT_TOO_LONG, /* a record was skipped */
	INPUT_UNCLOSED, /* the last record of a CSV, with a quote that never closes */
	INPUT_END,
	INPUT_FAILED,
};

struct input {
	int fd;
	const char *name; /* the caller's; "-" is stdin */
	enum input_framing framing;
	char separator; /* of CSV fields */
	char *bytes;
	size_t cap;
	size_t start, end; /* what is buffered and not yet given out */
	size_t scanned;    /* from `start`: looked at, no record end */
	int state;         /* of the CSV scan */
	bool is_at_end;
	bool is_skipping; /* the rest of a record that is too long */
	bool is_pollable; /* a pipe, socket or terminal */
	bool is_started;  /* the byte-order mark was looked for */
	uint64_t line;    /* the first of the record given out last, from 1 */
	uint64_t lines_in_record;
	uint64_t lines_before; /* the record that is read now */
	uint64_t bytes_read;
	uint64_t bytes_total; /* 0: unknown */
};

/* `name` must outlive the input. */
enum embed_status input_open(struct input *input, const char *name, struct embed_error *error);
void input_close(struct input *input);

/* Sets how records are cut; before the first input_next. */
void input_frame(struct input *input, enum input_framing framing, char separator);

/* The record's bytes are valid until the next call. */
enum input_status input_next(
    struct input *input, const char **bytes, size_t *len, struct embed_error *error);

/* Bytes of the file that were given out, or skipped. */
static inline uint64_t input_bytes_taken(const struct input *input)
{
	return input->bytes_read - (input->end - input->start);
}

/* Looks at the first bytes without taking them; fewer than asked only at the end, or INPUT_BLOCKED. */
enum input_status input_peek(
    struct input *input, const char **bytes, size_t *len, struct embed_error *error);

#endif
