/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "app/signals.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/embedding.h"

/* More than any model reads by far; --too-long average may take it. */
#define STDIN_MAX_BYTES (64u << 20)

struct text_options {
#define OPTION OPTION_FIELD
#include "cli/text.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct text_options, __VA_ARGS__)
#include "cli/text.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("text", "Options of embed text", struct text_options, rows);

/* The arguments, or what stdin held, one item each. */
struct text_source {
	struct source source;
	const struct command_input *input;
	const struct buffer *whole; /* of stdin */
	size_t count;
	size_t next;
};

static enum source_status next(
    struct source *source, struct item_group *group, struct embed_error *error)
{
	struct text_source *texts = (struct text_source *)source;
	struct item *item;

	(void)error;
	if (texts->next == texts->count)
		return SOURCE_END;
	item = item_group_add(group);
	if (item == NULL)
		return SOURCE_ITEM; /* the group remembers */
	item->id = item_group_number(group, texts->next);
	if (texts->whole != NULL)
		item->text = item_group_copy(group, texts->whole->bytes, texts->whole->len);
	else
		item->text = item_group_copy(group, texts->input->arguments[texts->next],
		    strlen(texts->input->arguments[texts->next]));
	texts->next++;
	return SOURCE_ITEM;
}

static enum embed_status read_stdin(struct buffer *whole, struct embed_error *error)
{
	while (true) {
		struct pollfd ready[] = {
		    {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals_fd(), .events = POLLIN}};
		char *room = buffer_reserve(whole, 65536);
		ssize_t len;

		if (room == NULL)
			return error_set(error, whole->status,
			    "stdin holds more than 64 MiB; \"embed files\" cuts long documents");
		poll(ready, 2, -1);
		if (signals_stop_asked())
			return EMBED_OK;
		len = read(STDIN_FILENO, room, 65536);
		if (len < 0 && errno != EINTR)
			return error_set(error, EMBED_IO, "cannot read stdin: %s", strerror(errno));
		if (len == 0) {
			/* what `echo` and editors add is no part of the text */
			if (whole->len > 0 && whole->bytes[whole->len - 1] == '\n')
				whole->len--;
			return EMBED_OK;
		}
		whole->len += len > 0 ? (size_t)len : 0;
	}
}

static int run_source(const struct command_input *input, const struct buffer *whole, size_t count)
{
	const struct text_options *own = input->own;
	const struct embedding_output output = EMBEDDING_OUTPUT(own);
	struct text_source texts = {
	    .source = {.next = next, .fd = -1, .is_small = true},
	    .input = input,
	    .whole = whole,
	    .count = count,
	};

	return embedding_run(input, "text", &texts.source, &output);
}

static int run(const struct command_input *input)
{
	struct embed_error error;
	struct buffer whole;
	int exit_status;

	if (input->argument_count > 0)
		return run_source(input, NULL, input->argument_count);
	error_clear(&error);
	buffer_init(&whole, STDIN_MAX_BYTES);
	if (isatty(STDIN_FILENO) == 1)
		fputs("embed: reading the text from the terminal; end it with Ctrl-D\n", stderr);
	if (read_stdin(&whole, &error) != EMBED_OK)
		exit_status = command_fail(&error);
	else if (signals_stop_asked())
		exit_status = COMMAND_INTERRUPTED;
	else
		exit_status = run_source(input, &whole, 1);
	buffer_fini(&whole);
	return exit_status;
}

const struct command command_text = {
    .name = "text",
    .arguments = "[TEXT...]",
    .summary = "Embed the arguments, or stdin as one text",
    .details =
	"Prints one record for each text: {\"id\":0,\"tokens\":n,\"embedding\":[..]}, where id\n"
	"is the place among the arguments, from 0. Without arguments all of stdin is one\n"
	"text, but for a newline at its very end.",
    .takes = COMMAND_TAKES_SERVICE | COMMAND_TAKES_REQUEST,
    .own = &set,
    .run = run,
};
