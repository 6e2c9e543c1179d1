/* SPDX-License-Identifier: MIT */
#include "service/backlog.h"

#include <stdlib.h>
#include <string.h>

void backlog_init(struct backlog *backlog)
{
	*backlog = (struct backlog){0};
}

void backlog_clear(struct backlog *backlog)
{
	/* The strings of a row are one block, and `upstream` is its beginning. */
	for (size_t i = 0; i < backlog->count; i++)
		free((char *)backlog->rows[i].upstream);
	backlog->count = 0;
}

void backlog_fini(struct backlog *backlog)
{
	backlog_clear(backlog);
	free(backlog->rows);
	backlog_init(backlog);
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* Moves a string into the block; returns where it stands there. */
static const char *put_string(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *start = memcpy(*at, text, size);

	*at += size;
	return start;
}

static bool copy_row(struct ledger_attempt *out, const struct ledger_attempt *row)
{
	const char *upstream = or_empty(row->upstream), *model = or_empty(row->model);
	const char *key_name = or_empty(row->key_name), *request_id = or_empty(row->request_id);
	char *block =
	    malloc(strlen(upstream) + strlen(model) + strlen(key_name) + strlen(request_id) + 4);

	if (block == NULL)
		return false;
	*out = *row;
	out->upstream = put_string(&block, upstream);
	out->model = put_string(&block, model);
	out->key_name = put_string(&block, key_name);
	out->request_id = put_string(&block, request_id);
	return true;
}

static bool reserve(struct backlog *backlog, size_t count)
{
	struct ledger_attempt *rows;
	size_t cap = backlog->cap == 0 ? 64 : backlog->cap;

	while (cap < count)
		cap *= 2;
	if (cap == backlog->cap)
		return true;
	rows = realloc(backlog->rows, cap * sizeof(*rows));
	if (rows == NULL)
		return false;
	backlog->rows = rows;
	backlog->cap = cap;
	return true;
}

size_t backlog_add(struct backlog *backlog, const struct ledger_attempt *rows, size_t count)
{
	size_t room = BACKLOG_MAX_ROWS - backlog->count, taken = 0;

	if (count > room)
		count = room;
	if (!reserve(backlog, backlog->count + count))
		return 0;
	while (taken < count && copy_row(&backlog->rows[backlog->count], &rows[taken])) {
		backlog->count++;
		taken++;
	}
	return taken;
}
