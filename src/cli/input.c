/* SPDX-License-Identifier: MIT */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define INPUT_READ_BYTES (256u << 10)

/* Where a CSV scan stands between two bytes. */
enum csv_state { CSV_FIELD_START, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE_SEEN };

enum embed_status input_open(struct input *input, const char *name, struct embed_error *error)
{
	struct stat stat;

	*input = (struct input){.fd = -1, .name = name, .lines_in_record = 1};
	if (strcmp(name, "-") == 0)
		input->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		input->fd = open(name, O_RDONLY | O_CLOEXEC);
	if (input->fd < 0)
		return error_set(error, EMBED_IO, "cannot open %.400s: %s", name, strerror(errno));
	if (fstat(input->fd, &stat) == 0) {
		if (S_ISDIR(stat.st_mode)) {
			input_close(input);
			return error_set(error, EMBED_BAD_OPTION,
			    "%.400s is a folder; \"embed files\" reads folders", name);
		}
		input->is_pollable = !S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode);
		input->bytes_total = S_ISREG(stat.st_mode) ? (uint64_t)stat.st_size : 0;
	}
	if (!input->is_pollable)
		posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return EMBED_OK;
}

void input_close(struct input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	free(input->bytes);
	input->fd = -1;
	input->bytes = NULL;
}

void input_frame(struct input *input, enum input_framing framing, char separator)
{
	input->framing = framing;
	input->separator = separator;
}

/* ---- Filling the buffer ------------------------------------------------ */

static bool make_room(struct input *input)
{
	size_t held = input->end - input->start, cap;
	char *bytes;

	if (input->cap - input->end >= INPUT_READ_BYTES)
		return true;
	if (input->start > 0) {
		memmove(input->bytes, input->bytes + input->start, held);
		input->start = 0;
		input->end = held;
	}
	if (input->cap - held >= INPUT_READ_BYTES)
		return true;
	cap = input->cap == 0 ? 2 * INPUT_READ_BYTES : input->cap * 2;
	bytes = realloc(input->bytes, cap);
	if (bytes == NULL)
		return false;
	input->bytes = bytes;
	input->cap = cap;
	return true;
}

static bool would_block(const struct input *input)
{
	struct pollfd ready = {.fd = input->fd, .events = POLLIN};

	return input->is_pollable && poll(&ready, 1, 0) == 0;
}

/* INPUT_RECORD: there is more; else why not. */
static enum input_status fill(struct input *input, struct embed_error *error)
{
	ssize_t len;

	if (would_block(input))
		return INPUT_BLOCKED;
	if (!make_room(input)) {
		error_set(
		    error, EMBED_NO_MEMORY, "out of memory while reading %.300s", input->name);
		return INPUT_FAILED;
	}
	do
		len = read(input->fd, input->bytes + input->end, INPUT_READ_BYTES);
	while (len < 0 && errno == EINTR);
	if (len < 0) {
		error_set(error, EMBED_IO, "cannot read %.300s: %s", input->name, strerror(errno));
		return INPUT_FAILED;
	}
	input->is_at_end = len == 0;
	input->end += (size_t)len;
	input->bytes_read += (uint64_t)len;
	return INPUT_RECORD;
}

/* ---- Finding the end of a record --------------------------------------- */

static bool scan_line(struct input *input)
{
	const char *from = input->bytes + input->start + input->scanned;
	size_t left = input->end - input->start - input->scanned;
	const char *newline = left == 0 ? NULL : memchr(from, '\n', left);

	input->scanned = newline == NULL ? input->end - input->start
					 : (size_t)(newline - (input->bytes + input->start));
	return newline != NULL;
}

static enum csv_state csv_step(enum csv_state state, char c, char separator)
{
	if (state == CSV_QUOTED)
		return c == '"' ? CSV_QUOTE_SEEN : CSV_QUOTED;
	if (c == separator || c == '\n')
		return CSV_FIELD_START;
	if (c == '"' && state == CSV_FIELD_START)
		return CSV_QUOTED;
	if (c == '"' && state == CSV_QUOTE_SEEN)
		return CSV_QUOTED; /* a doubled quote */
	return CSV_PLAIN;
}

static bool scan_csv(struct input *input)
{
	const char *bytes = input->bytes + input->start;
	size_t len = input->end - input->start;
	enum csv_state state = (enum csv_state)input->state;

	for (; input->scanned < len; input->scanned++) {
		char c = bytes[input->scanned];

		if (c == '\n' && state != CSV_QUOTED) {
			input->state = CSV_FIELD_START;
			return true;
		}
		if (c == '\n')
			input->lines_in_record++;
		state = csv_step(state, c, input->separator);
	}
	input->state = state;
	return false;
}

static void skip_mark(struct input *input)
{
	if (input->end - input->start >= 3 &&
	    memcmp(input->bytes + input->start, "\xef\xbb\xbf", 3) == 0)
		input->start += 3;
	input->is_started = true;
}

/* Moves past `len` bytes and the newline, if there is one. */
static void advance(struct input *input, size_t len)
{
	input->start += len;
	if (input->start < input->end)
		input->start++;
	input->scanned = 0;
}

static enum input_status give(struct input *input, const char **bytes, size_t *len)
{
	enum input_status status = INPUT_RECORD;

	*bytes = input->bytes + input->start;
	*len = input->scanned;
	input->line = input->lines_before + 1;
	input->lines_before += input->lines_in_record;
	input->lines_in_record = 1;
	if (input->framing == INPUT_CSV && input->state == CSV_QUOTED) {
		status = INPUT_UNCLOSED;
		input->state = CSV_FIELD_START;
	}
	advance(input, *len);
	if (*len > 0 && (*bytes)[*len - 1] == '\r')
		(*len)--;
	if (input->is_skipping) {
		input->is_skipping = false;
		return INPUT_TOO_LONG;
	}
	return status;
}

enum input_status input_next(
    struct input *input, const char **bytes, size_t *len, struct embed_error *error)
{
	while (true) {
		enum input_status status;

		if (!input->is_started && (input->end - input->start >= 3 || input->is_at_end))
			skip_mark(input);
		if (input->is_started &&
		    (input->framing == INPUT_CSV ? scan_csv(input) : scan_line(input)))
			return give(input, bytes, len);
		if (input->is_at_end)
			return input->start == input->end && !input->is_skipping
				   ? INPUT_END
				   : give(input, bytes, len);
		if (input->scanned > INPUT_RECORD_MAX_BYTES) {
			input->is_skipping = true;
			input->state = CSV_PLAIN; /* find the next line end, whatever was quoted */
			input->start += input->scanned;
			input->scanned = 0;
		}
		status = fill(input, error);
		if (status != INPUT_RECORD)
			return status;
	}
}

enum input_status input_peek(
    struct input *input, const char **bytes, size_t *len, struct embed_error *error)
{
	while (input->end == input->start && !input->is_at_end) {
		enum input_status status = fill(input, error);

		if (status != INPUT_RECORD)
			return status;
	}
	*bytes = input->bytes + input->start;
	*len = input->end - input->start;
	return INPUT_RECORD;
}
