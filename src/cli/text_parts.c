/* SPDX-License-Identifier: MIT */
#include "cli/text_parts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

#define READ_BYTES ((size_t)1 << 20)

static bool is_letter(char byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

size_t text_parts_end(const char *bytes, size_t len)
{
	while (len > 1) {
		const char *newline = memrchr(bytes, '\n', len - 1);

		if (newline == NULL)
			return 0;
		if (is_letter(newline[1]))
			return (size_t)(newline - bytes) + 1;
		len = (size_t)(newline - bytes) + 1;
	}
	return 0;
}

/* One read; *is_end at the end of the input. */
static enum embed_status fill(
    struct buffer *held, int fd, const char *name, bool *is_end, struct embed_error *error)
{
	char *room = buffer_reserve(held, READ_BYTES);
	ssize_t len;

	if (room == NULL)
		return error_set(error, held->status,
		    "%.300s has more than %u MiB without a line that begins with a letter", name,
		    TEXT_PARTS_MAX_BYTES >> 20);
	do
		len = read(fd, room, READ_BYTES);
	while (len < 0 && errno == EINTR);
	if (len < 0 && errno == EISDIR)
		return error_set(
		    error, EMBED_IO, "%.300s is a folder; \"embed files\" reads folders", name);
	if (len < 0)
		return error_set(error, EMBED_IO, "cannot read %.300s: %s",
		    strcmp(name, "-") == 0 ? "stdin" : name, strerror(errno));
	held->len += (size_t)len;
	*is_end = len == 0;
	return EMBED_OK;
}

static void drop_front(struct buffer *held, size_t len)
{
	memmove(held->bytes, held->bytes + len, held->len - len);
	held->len -= len;
}

enum embed_status text_parts_read(
    int fd, const char *name, text_parts_fn *fn, void *context, struct embed_error *error)
{
	struct buffer held;
	enum embed_status status = EMBED_OK;
	bool is_end = false;

	buffer_init(&held, TEXT_PARTS_MAX_BYTES);
	while (status == EMBED_OK && !is_end) {
		size_t look = held.len > 0 ? held.len - 1 : 0;
		size_t end;

		status = fill(&held, fd, name, &is_end, error);
		if (status != EMBED_OK)
			break;
		/* What was held before has no place to end, so only what is new is looked at. */
		end = is_end ? held.len : text_parts_end(held.bytes + look, held.len - look);
		if (end == 0)
			continue;
		end += is_end ? 0 : look;
		status = fn(held.bytes, end, context);
		if (status != EMBED_OK)
			error_set(error, status, "cannot count the tokens of %.300s: %s", name,
			    embed_status_meaning(status));
		drop_front(&held, end);
	}
	buffer_fini(&held);
	return status;
}
