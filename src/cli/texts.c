/* SPDX-License-Identifier: MIT */
#include "cli/texts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/rows_source.h"

#define READ_BYTES (256u << 10)

enum embed_status texts_read_stdin(struct buffer *bytes, struct embed_error *error)
{
	for (;;) {
		char *room = buffer_reserve(bytes, READ_BYTES);
		ssize_t len;

		if (room == NULL)
			return error_set(error, bytes->status,
			    "stdin is too large to be one text (%u MiB at most); cut it in parts, or "
			    "use --jsonl",
			    DOCUMENT_MAX_BYTES >> 20);
		len = read(STDIN_FILENO, room, READ_BYTES);
		if (len == 0)
			return EMBED_OK;
		if (len < 0 && errno != EINTR)
			return error_set(error, EMBED_IO, "cannot read stdin: %s", strerror(errno));
		bytes->len += len > 0 ? (size_t)len : 0;
	}
}

/* ---- Documents -------------------------------------------------------------- */

static bool one_stdin(texts_fn *fn, void *context)
{
	struct text text = {.source = "-", .kind = DOCUMENT_UNKNOWN};
	struct embed_error error;
	struct buffer bytes;
	bool is_good;

	error_clear(&error);
	buffer_init(&bytes, DOCUMENT_MAX_BYTES);
	if (texts_read_stdin(&bytes, &error) == EMBED_OK) {
		text.bytes = bytes.bytes == NULL ? "" : bytes.bytes;
		text.len = bytes.len;
	}
	text.error = &error;
	is_good = fn(&text, context);
	buffer_fini(&bytes);
	return is_good;
}

static bool one_document(const char *path, texts_fn *fn, void *context)
{
	struct document document;
	struct embed_error error;
	struct text text = {.source = path, .error = &error};
	bool is_good;

	error_clear(&error);
	if (document_load(&document, path, &error) != EMBED_OK)
		return fn(&text, context);
	text.bytes = document.bytes == NULL ? "" : document.bytes;
	text.len = document.len;
	text.kind = document.kind;
	is_good = fn(&text, context);
	document_fini(&document);
	return is_good;
}

static int each_document(const struct command_input *input, texts_fn *fn, void *context)
{
	bool is_good = true;

	if (input->argument_count == 0)
		return one_stdin(fn, context) ? COMMAND_GOOD : COMMAND_SOME_FAILED;
	for (size_t i = 0; i < input->argument_count; i++) {
		if (strcmp(input->arguments[i], "-") == 0)
			is_good &= one_stdin(fn, context);
		else
			is_good &= one_document(input->arguments[i], fn, context);
	}
	return is_good ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

/* ---- Records ------------------------------------------------------------------ */

static bool one_record(
    const struct rows_source *rows, const struct item_group *group, texts_fn *fn, void *context)
{
	const struct item *item = &group->items[group->count - 1];
	struct embed_error error;
	struct text text = {
	    .source = rows->input.name,
	    .line = item->line,
	    .id = item_bytes(group, item->id),
	    .id_len = item->id.len,
	    .error = &error,
	};

	error_clear(&error);
	if (item->status == EMBED_OK) {
		text.bytes = item_bytes(group, item->text);
		text.len = item->text.len;
	} else {
		error_set(&error, item->status, "%.*s", (int)item->message.len,
		    item_bytes(group, item->message));
	}
	return fn(&text, context);
}

static int each_row(struct rows_source *rows, texts_fn *fn, void *context)
{
	struct item_group group;
	struct embed_error error;
	enum source_status status;
	bool is_good = true;

	error_clear(&error);
	item_group_init(&group);
	do {
		item_group_reset(&group);
		status = rows->source.next(&rows->source, &group, &error);
		if (status == SOURCE_BLOCKED)
			poll(&(struct pollfd){.fd = rows->source.fd, .events = POLLIN}, 1, -1);
		else if (status == SOURCE_ITEM && group.count > 0)
			is_good &= one_record(rows, &group, fn, context);
	} while (status != SOURCE_END && status != SOURCE_FAILED && !item_group_failed(&group));
	if (item_group_failed(&group))
		error_set(&error, EMBED_NO_MEMORY, "out of memory for a record");
	if (item_group_failed(&group) || status == SOURCE_FAILED)
		return item_group_fini(&group), command_fail(&error);
	item_group_fini(&group);
	return is_good ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

static int each_record(const struct command_input *input, const struct texts_options *options,
    texts_fn *fn, void *context)
{
	struct rows_source_options source = {
	    .files = input->arguments,
	    .file_count = input->argument_count,
	    .format = options->jsonl != NULL ? ROWS_JSONL : ROWS_CSV,
	    .text = options->jsonl != NULL ? options->jsonl : options->csv,
	};
	struct rows_source rows;
	struct embed_error error;
	int exit_status;

	error_clear(&error);
	if (rows_source_init(&rows, &source, &error) != EMBED_OK)
		exit_status = command_fail(&error);
	else
		exit_status = each_row(&rows, fn, context);
	rows_source_fini(&rows);
	return exit_status;
}

int texts_each(const struct command_input *input, const struct texts_options *options, texts_fn *fn,
    void *context)
{
	if (options->jsonl != NULL && options->csv != NULL)
		return command_misuse("--jsonl and --csv cannot be used together");
	if (options->jsonl != NULL || options->csv != NULL)
		return each_record(input, options, fn, context);
	return each_document(input, fn, context);
}
