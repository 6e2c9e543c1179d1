/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/chunk_view.h"
#include "cli/chunking.h"
#include "cli/json_row.h"
#include "cli/texts.h"

struct chunk_options {
#define OPTION OPTION_FIELD
#include "cli/chunk.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct chunk_options, __VA_ARGS__)
#include "cli/chunk.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("chunk", "Options of embed chunk", struct chunk_options, rows);

#define PRINT_BYTES ((size_t)1 << 20) /* output is written in parts of about this size */

struct cutter {
	const struct chunk_options *own;
	struct embed_chunk_options options;
	struct embed_request request; /* of the sentences of semantic chunks */
	embed_service *service;       /* NULL where no vectors are needed */
	struct chunk_stats stats;
	struct buffer out;
	size_t columns;
	bool has_color, has_sources;
	bool
	    is_closed; /* nothing more can be done: stdout takes no more, no memory, refused for good */
	bool is_refused; /* by upstream, for good */
	bool is_unread;  /* whoever read the output has seen enough */
};

static void tell_no_memory(struct cutter *cutter)
{
	struct embed_error error;

	error_set(&error, EMBED_NO_MEMORY, "out of memory for the output");
	command_fail(&error);
	cutter->is_closed = true;
}

static bool flush(struct cutter *cutter, size_t above)
{
	if (cutter->out.status != EMBED_OK && !cutter->is_closed)
		tell_no_memory(cutter);
	if (cutter->is_closed)
		return false;
	if (cutter->out.len > above) {
		cutter->is_closed =
		    !command_print(cutter->out.bytes, cutter->out.len, &cutter->is_unread) ||
		    cutter->is_unread;
		buffer_reset(&cutter->out);
	}
	return !cutter->is_closed;
}

/* What a record tells before its chunk: where it is from. */
static void append_origin(struct cutter *cutter, const struct text *text)
{
	struct buffer *out = &cutter->out;

	buffer_append_char(out, '{');
	if (cutter->has_sources) {
		buffer_append_text(out, "\"source\":");
		json_append_string(out, text->source, strlen(text->source));
		buffer_append_char(out, ',');
	}
	if (text->line > 0) {
		buffer_printf(out, "\"line\":%llu,\"id\":", (unsigned long long)text->line);
		json_append_sanitized(out, text->id, text->id_len);
		buffer_append_char(out, ',');
	}
}

static void append_chunk(
    struct cutter *cutter, const struct text *text, const struct embed_chunk *chunk, size_t index)
{
	struct buffer *out = &cutter->out;

	append_origin(cutter, text);
	buffer_printf(out, "\"index\":%zu,\"start\":%zu,\"end\":%zu,\"tokens\":%zu,", index,
	    chunk->start, chunk->end, chunk->tokens);
	if (chunk->heading != NULL) {
		buffer_append_text(out, "\"heading\":");
		json_append_string(out, chunk->heading, strlen(chunk->heading));
		buffer_append_char(out, ',');
	}
	buffer_append_text(out, "\"text\":");
	json_append_string(out, text->bytes + chunk->start, chunk->end - chunk->start);
	buffer_append_text(out, "}\n");
}

static bool print_chunks(struct cutter *cutter, const struct text *text, const embed_chunks *chunks)
{
	size_t count = embed_chunks_count(chunks);

	for (size_t i = 0; i < count; i++) {
		append_chunk(cutter, text, embed_chunks_at(chunks, i), i);
		if (!flush(cutter, PRINT_BYTES))
			return false;
	}
	/* A record's chunks are there when the next one is read. */
	return flush(
	    cutter, text->line > 0 && cutter->out.len < PRINT_BYTES / 16 ? PRINT_BYTES / 16 : 0);
}

static bool fail_text(
    struct cutter *cutter, const struct text *text, const struct embed_error *error)
{
	bool is_record = text->line > 0 && !cutter->own->show && !cutter->own->stats;

	/* What no text can get past is told once. */
	if (command_exit_of(error->status) == COMMAND_REFUSED)
		cutter->is_refused = cutter->is_closed = true;
	if (cutter->is_refused)
		is_record = false;
	if (is_record) {
		append_origin(cutter, text);
		buffer_printf(&cutter->out,
		    "\"error\":{\"code\":\"%s\",\"message\":", embed_status_code(error->status));
		json_append_string(&cutter->out, error->message, strlen(error->message));
		buffer_append_text(&cutter->out, "}}\n");
	} else {
		command_fail(error);
	}
	return false;
}

static bool take_chunks(struct cutter *cutter, const struct text *text, const embed_chunks *chunks)
{
	if (cutter->own->stats && !chunk_stats_add(&cutter->stats, chunks)) {
		tell_no_memory(cutter);
		return false;
	}
	if (cutter->own->show) {
		chunk_view_show(
		    &cutter->out, text->bytes, chunks, cutter->columns, cutter->has_color);
		return flush(cutter, 0);
	}
	return cutter->own->stats || print_chunks(cutter, text, chunks);
}

/* Here HTML is cut as it stands; `embed files` makes it text first. */
static enum embed_chunk_strategy strategy_of(enum document_kind kind)
{
	return kind == DOCUMENT_HTML ? EMBED_CHUNK_HTML : document_strategy(kind);
}

static bool cut_one(const struct text *text, void *context)
{
	struct cutter *cutter = context;
	struct embed_chunk_options options = cutter->options;
	struct embed_error error;
	embed_chunks *chunks;
	bool is_good;

	if (cutter->is_closed)
		return false;
	if (text->bytes == NULL)
		return fail_text(cutter, text, text->error);
	if (cutter->own->strategy == 0)
		options.strategy = strategy_of(text->kind);
	error_clear(&error);
	if (chunking_cut(cutter->service, text->bytes, text->len, &options, &cutter->request,
		&chunks, &error) != EMBED_OK)
		return fail_text(cutter, text, &error);
	is_good = take_chunks(cutter, text, chunks);
	embed_chunks_destroy(chunks);
	return is_good;
}

static struct embed_chunk_options options_of(const struct chunk_options *own)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;

	if (own->strategy > 0)
		options.strategy = (enum embed_chunk_strategy)(own->strategy - 1);
	options.unit = (enum embed_chunk_unit)own->unit;
	options.max = own->size;
	options.overlap = own->overlap;
	options.min = own->min_size;
	options.encoding = own->encoding;
	options.locale = own->locale;
	return options;
}

/* Colour is for people at a terminal who have not said no (no-color.org). */
static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
}

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

static int finish(struct cutter *cutter, int exit_status)
{
	if (cutter->own->stats)
		chunk_view_stats(&cutter->out, &cutter->stats, cutter->columns);
	if (!flush(cutter, 0))
		exit_status = cutter->is_unread ? COMMAND_GOOD : COMMAND_SOME_FAILED;
	if (cutter->is_refused)
		exit_status = COMMAND_REFUSED;
	chunk_stats_fini(&cutter->stats);
	buffer_fini(&cutter->out);
	embed_close(cutter->service);
	return exit_status;
}

/* Only semantic chunks need a service, and with it a key. */
static enum embed_status prepare(
    struct cutter *cutter, const struct command_input *input, struct embed_error *error)
{
	enum embed_status status = chunking_check(&cutter->options, error);

	if (status == EMBED_OK && cutter->options.strategy == EMBED_CHUNK_SEMANTIC)
		status = settings_open_service(
		    &cutter->service, input->options, SETTINGS_ONLINE, input->log, error);
	return status;
}

static int run(const struct command_input *input)
{
	const struct chunk_options *own = input->own;
	struct texts_options texts = {own->jsonl, own->csv};
	struct cutter cutter = {
	    .own = own,
	    .options = options_of(own),
	    .request = settings_request_of(input->options),
	    .columns = columns(),
	    .has_color = wants_color(),
	    .has_sources = input->argument_count > 1,
	};
	struct embed_error error;

	error_clear(&error);
	if (prepare(&cutter, input, &error) != EMBED_OK)
		return command_fail(&error);
	buffer_init(&cutter.out, SIZE_MAX / 2);
	return finish(&cutter, texts_each(input, &texts, cut_one, &cutter));
}

const struct command command_chunk = {
    .name = "chunk",
    .arguments = "[FILE...]",
    .summary = "Cut texts into chunks that fit",
    .details =
	"Prints one JSON object a chunk: {\"index\":n,\"start\":byte,\"end\":byte,\"tokens\":n,\n"
	"\"text\":..}, with \"heading\" for markdown and HTML. Chunks are slices of the text\n"
	"as it stands; none is above --size. --show draws them for people, --stats sums\n"
	"them up. PDF needs pdftotext; DOCX, ODT, RTF and EPUB need pandoc. Only\n"
	"--strategy semantic needs a key: it embeds the sentences, as \"embed text\" would.",
    .takes = COMMAND_TAKES_SERVICE | COMMAND_TAKES_REQUEST,
    .own = &set,
    .run = run,
};
