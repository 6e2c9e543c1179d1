/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
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

struct counter {
	const struct tokens_options *own;
	bool has_names; /* several files: each count is followed by its file */
	struct buffer out;
};

static enum embed_status append_ids(struct counter *counter, const struct text *text)
{
	uint32_t *ids;
	size_t count;
	enum embed_status status =
	    embed_encode(counter->own->encoding, text->bytes, text->len, &ids, &count);

	if (status != EMBED_OK)
		return status;
	buffer_append_char(&counter->out, '[');
	for (size_t i = 0; i < count; i++)
		buffer_printf(&counter->out, "%s%u", i > 0 ? "," : "", ids[i]);
	buffer_append_char(&counter->out, ']');
	embed_free(ids);
	return counter->out.status;
}

static enum embed_status append_answer(struct counter *counter, const struct text *text)
{
	enum embed_status status;
	size_t tokens;

	buffer_reset(&counter->out);
	if (counter->own->ids)
		status = append_ids(counter, text);
	else
		status =
		    embed_count_tokens(counter->own->encoding, text->bytes, text->len, &tokens);
	if (status != EMBED_OK)
		return status;
	if (!counter->own->ids)
		buffer_printf(&counter->out, "%zu", tokens);
	if (!counter->own->ids && counter->has_names)
		buffer_printf(&counter->out, " %s", text->source);
	buffer_append_char(&counter->out, '\n');
	return counter->out.status;
}

/* A record that failed keeps its line, so that lines of input and output go together. */
static bool fail_text(const struct text *text, const struct embed_error *error)
{
	if (text->line > 0)
		command_print("null\n", 5);
	command_fail(error);
	return false;
}

static bool count_one(const struct text *text, void *context)
{
	struct counter *counter = context;
	struct embed_error error;
	enum embed_status status;

	if (text->bytes == NULL)
		return fail_text(text, text->error);
	status = append_answer(counter, text);
	if (status != EMBED_OK) {
		error_set(&error, status, "cannot count the tokens of %.300s: %s", text->source,
		    embed_status_meaning(status));
		return fail_text(text, &error);
	}
	return command_print(counter->out.bytes, counter->out.len);
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
	if (own->jsonl != NULL || own->csv != NULL)
		counter.has_names = false;
	buffer_init(&counter.out, SIZE_MAX / 2);
	exit_status = texts_each(input, &texts, count_one, &counter);
	buffer_fini(&counter.out);
	return exit_status;
}

const struct command command_tokens = {
    .name = "tokens",
    .arguments = "[FILE...]",
    .summary = "Count tokens as OpenAI's models do, or print their ids",
    .details =
	"Prints one number for each file (with its name when there are several), or with --ids a\n"
	"JSON array. \"<|endoftext|>\" and the like are ordinary text, as the embeddings endpoint\n"
	"takes them; bytes that are not UTF-8 count as U+FFFD.",
    .own = &set,
    .run = run,
};
