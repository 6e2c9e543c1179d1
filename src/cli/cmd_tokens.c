/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/text_parts.h"
#include "cli/texts.h"

struct tokens_options {
#define OPTION OPTION_FIELD
#include "cli/tokens.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct tokens_options, __VA_ARGS__)
#include "cli/tokens.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("tokens", "Options of embed tokens", struct tokens_options, rows);

#define PRINT_BYTES ((size_t)1 << 20) /* ids are written in parts of about this size */

struct counter {
	const struct tokens_options *own;
	bool has_names; /* several files: each count is followed by its file */
	size_t tokens;  /* of the text so far */
	struct buffer out;
};

static void begin(struct counter *counter)
{
	counter->tokens = 0;
	buffer_reset(&counter->out);
	if (counter->own->ids)
		buffer_append_char(&counter->out, '[');
}

static enum embed_status print_out(struct counter *counter)
{
	if (counter->out.status != EMBED_OK)
		return counter->out.status;
	if (!command_print(counter->out.bytes, counter->out.len, NULL))
		return EMBED_IO;
	buffer_reset(&counter->out);
	return EMBED_OK;
}

static enum embed_status add_ids(struct counter *counter, const char *bytes, size_t len)
{
	uint32_t *ids;
	size_t count;
	enum embed_status status = embed_encode(counter->own->encoding, bytes, len, &ids, &count);

	if (status != EMBED_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		buffer_printf(&counter->out, "%s%u", counter->tokens + i > 0 ? "," : "", ids[i]);
	counter->tokens += count;
	embed_free(ids);
	return counter->out.len > PRINT_BYTES ? print_out(counter) : counter->out.status;
}

/* A text_parts_fn. */
static enum embed_status add_part(const char *bytes, size_t len, void *context)
{
	struct counter *counter = context;
	enum embed_status status;
	size_t tokens;

	if (counter->own->ids)
		return add_ids(counter, bytes, len);
	status = embed_count_tokens(counter->own->encoding, bytes, len, &tokens);
	counter->tokens += status == EMBED_OK ? tokens : 0;
	return status;
}

/* What cannot be printed is told there; false: not all of it was. */
static bool end(struct counter *counter, const char *source)
{
	struct embed_error error;
	enum embed_status status;

	if (counter->own->ids)
		buffer_append_char(&counter->out, ']');
	else
		buffer_printf(&counter->out, "%zu", counter->tokens);
	if (!counter->own->ids && counter->has_names)
		buffer_printf(&counter->out, " %s", source);
	buffer_append_char(&counter->out, '\n');
	status = print_out(counter);
	if (status != EMBED_OK && status != EMBED_IO) {
		error_set(&error, status, "cannot tell the tokens of %.300s: %s", source,
		    embed_status_meaning(status));
		command_fail(&error);
	}
	return status == EMBED_OK;
}

/* A record that failed keeps its line, so that lines of input and output go together. */
static bool fail_text(const struct text *text, const struct embed_error *error)
{
	if (text->line > 0)
		command_print("null\n", 5, NULL);
	command_fail(error);
	return false;
}

/* A text in memory: a record, or a document that had to be converted. */
static bool count_one(const struct text *text, void *context)
{
	struct counter *counter = context;
	struct embed_error error;
	enum embed_status status;

	if (text->bytes == NULL)
		return fail_text(text, text->error);
	begin(counter);
	status = add_part(text->bytes, text->len, counter);
	if (status == EMBED_OK)
		return end(counter, text->source);
	error_set(&error, status, "cannot count the tokens of %.300s: %s", text->source,
	    embed_status_meaning(status));
	return fail_text(text, &error);
}

/* A file of any length. */
static bool count_file(struct counter *counter, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct embed_error error;
	enum embed_status status;

	error_clear(&error);
	if (fd < 0) {
		error_set(&error, EMBED_IO, "cannot open %.300s: %s", path, strerror(errno));
		return command_fail(&error) == COMMAND_GOOD;
	}
	begin(counter);
	status = text_parts_read(fd, path, add_part, counter, &error);
	if (!is_stdin)
		close(fd);
	if (status == EMBED_OK)
		return end(counter, path);
	return command_fail(&error) == COMMAND_GOOD;
}

static bool is_converted(const char *path)
{
	enum document_kind kind = document_kind_of(path);

	return kind == DOCUMENT_PDF || kind == DOCUMENT_PANDOC;
}

static int count_files(struct counter *counter, const struct command_input *input)
{
	bool is_good = true;

	if (input->argument_count == 0)
		return count_file(counter, "-") ? COMMAND_GOOD : COMMAND_SOME_FAILED;
	for (size_t i = 0; i < input->argument_count; i++) {
		struct command_input one = *input;

		one.arguments = input->arguments + i;
		one.argument_count = 1;
		if (is_converted(input->arguments[i]))
			is_good &= texts_each(&one, &(struct texts_options){0}, count_one,
				       counter) == COMMAND_GOOD;
		else
			is_good &= count_file(counter, input->arguments[i]);
	}
	return is_good ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

static int run(const struct command_input *input)
{
	const struct tokens_options *own = input->own;
	struct texts_options texts = {own->jsonl, own->csv};
	struct counter counter = {.own = own, .has_names = input->argument_count > 1};
	size_t tokens;
	int exit_status;

	if (embed_count_tokens(own->encoding, "", 0, &tokens) == EMBED_NOT_FOUND)
		return command_misuse("tokens: there is no encoding \"%.40s\"; cl100k_base and "
				      "o200k_base are known",
		    own->encoding);
	buffer_init(&counter.out, SIZE_MAX / 2);
	if (own->jsonl != NULL || own->csv != NULL) {
		counter.has_names = false;
		exit_status = texts_each(input, &texts, count_one, &counter);
	} else {
		exit_status = count_files(&counter, input);
	}
	buffer_fini(&counter.out);
	return exit_status;
}

const struct command command_tokens = {
    .name = "tokens",
    .arguments = "[FILE...]",
    .summary = "Count tokens as OpenAI's models do, or print their ids",
    .details = "Prints one number for each file (with its name when there are several), or with\n"
	       "--ids a JSON array. \"<|endoftext|>\" and the like are ordinary text, as the\n"
	       "embeddings endpoint takes them; bytes that are not UTF-8 count as U+FFFD.",
    .own = &set,
    .run = run,
};
