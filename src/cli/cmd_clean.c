/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "cli/json_row.h"
#include "cli/texts.h"

struct clean_options {
#define OPTION OPTION_FIELD
#include "cli/clean.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct clean_options, __VA_ARGS__)
#include "cli/clean.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("clean", "Options of embed clean", struct clean_options, rows);

/* The places of --preset's values. */
static const uint32_t presets[] = {EMBED_CLEAN_NONE, EMBED_CLEAN_LIGHT, EMBED_CLEAN_STRONG};

static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
    {"utf8", EMBED_CLEAN_UTF8},
    {"bom", EMBED_CLEAN_BOM},
    {"newlines", EMBED_CLEAN_NEWLINES},
    {"nfc", EMBED_CLEAN_NFC},
    {"nfkc", EMBED_CLEAN_NFKC},
    {"control", EMBED_CLEAN_CONTROL},
    {"zero-width", EMBED_CLEAN_ZERO_WIDTH},
    {"soft-hyphens", EMBED_CLEAN_SOFT_HYPHEN},
    {"hyphenation", EMBED_CLEAN_HYPHENATION},
    {"ligatures", EMBED_CLEAN_LIGATURES},
    {"blanks", EMBED_CLEAN_BLANKS},
    {"quotes", EMBED_CLEAN_QUOTES},
    {"dashes", EMBED_CLEAN_DASHES},
    {"html", EMBED_CLEAN_HTML},
    {"markdown", EMBED_CLEAN_MARKDOWN},
};

struct cleaner {
	const struct clean_options *own;
	uint32_t with, without;
	struct buffer out;
};

/* The flags of a list of names, or false with a message. */
static bool read_flags(const struct option_list *list, uint32_t *found)
{
	*found = 0;
	for (size_t i = 0; i < list->count; i++) {
		size_t at = 0;

		while (at < sizeof(flags) / sizeof(flags[0]) &&
		       strcmp(flags[at].name, list->items[i]) != 0)
			at++;
		if (at == sizeof(flags) / sizeof(flags[0])) {
			command_misuse("clean: there is no cleaning \"%.40s\"; "
				       "\"embed clean --help\" lists them",
			    list->items[i]);
			return false;
		}
		*found |= flags[at].flag;
	}
	return true;
}

static void append_spans(struct buffer *out, const embed_cleaned *cleaned)
{
	size_t count;
	const struct embed_clean_span *spans = embed_cleaned_spans(cleaned, &count);

	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "%s{\"clean\":%zu,\"source\":%zu,\"verbatim\":%s}",
		    i > 0 ? "," : "", spans[i].clean, spans[i].source,
		    spans[i].is_verbatim ? "true" : "false");
}

static void append_answer(
    struct cleaner *cleaner, const struct text *text, const embed_cleaned *cleaned)
{
	struct buffer *out = &cleaner->out;
	size_t len;
	const char *bytes = embed_cleaned_bytes(cleaned, &len);

	if (cleaner->own->map) {
		buffer_append_text(out, "{\"text\":");
		json_append_string(out, bytes, len);
		buffer_append_text(out, ",\"spans\":[");
		append_spans(out, cleaned);
		buffer_append_text(out, "]}\n");
	} else if (text->line > 0) {
		json_append_string(out, bytes, len);
		buffer_append_char(out, '\n');
	}
}

/* A record that failed keeps its line, so that lines of input and output go together. */
static bool fail_text(const struct text *text, const struct embed_error *error)
{
	if (text->line > 0)
		command_print("null\n", 5, NULL);
	command_fail(error);
	return false;
}

static bool print_answer(
    struct cleaner *cleaner, const struct text *text, const embed_cleaned *cleaned)
{
	struct embed_error error;
	size_t len;
	const char *bytes = embed_cleaned_bytes(cleaned, &len);

	if (!cleaner->own->map && text->line == 0)
		return command_print(bytes, len, NULL);
	buffer_reset(&cleaner->out);
	append_answer(cleaner, text, cleaned);
	if (cleaner->out.status == EMBED_OK)
		return command_print(cleaner->out.bytes, cleaner->out.len, NULL);
	error_set(&error, cleaner->out.status, "cannot print %.300s: %s", text->source,
	    embed_status_meaning(cleaner->out.status));
	return fail_text(text, &error);
}

static bool clean_one(const struct text *text, void *context)
{
	struct cleaner *cleaner = context;
	uint32_t wanted = presets[cleaner->own->preset];
	struct embed_error error;
	embed_cleaned *cleaned;
	bool is_good;

	if (text->bytes == NULL)
		return fail_text(text, text->error);
	if (wanted != EMBED_CLEAN_NONE)
		wanted |= document_clean_flags(text->kind);
	wanted = (wanted | cleaner->with) & ~cleaner->without;
	error_clear(&error);
	if (embed_clean(text->bytes, text->len, wanted, &cleaned, &error) != EMBED_OK)
		return fail_text(text, &error);
	is_good = print_answer(cleaner, text, cleaned);
	embed_cleaned_destroy(cleaned);
	return is_good;
}

static int run(const struct command_input *input)
{
	const struct clean_options *own = input->own;
	struct texts_options texts = {own->jsonl, own->csv};
	struct cleaner cleaner = {.own = own};
	int exit_status;

	if (!read_flags(&own->with, &cleaner.with) || !read_flags(&own->without, &cleaner.without))
		return COMMAND_USAGE;
	buffer_init(&cleaner.out, SIZE_MAX / 2);
	exit_status = texts_each(input, &texts, clean_one, &cleaner);
	buffer_fini(&cleaner.out);
	return exit_status;
}

const struct command command_clean = {
    .name = "clean",
    .arguments = "[FILE...]",
    .summary = "Clean texts: normal form, line ends, control characters, HTML",
    .details =
	"Prints the cleaned text. \"light\" repairs UTF-8, line ends and control characters\n"
	"and normalises (NFC); \"strong\" also folds blanks and spells out typography. HTML\n"
	"files become text, markdown keeps its code. Cleaning twice is cleaning once.",
    .own = &set,
    .run = run,
};
