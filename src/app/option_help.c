/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app/option_name.h"
#include "app/options.h"

#define HELP_INDENT 28

static bool has_default(const struct option_row *row)
{
	return row->fallback != NULL && *row->fallback != '\0' && row->kind != OPTION_FLAG &&
	       strcmp(row->fallback, "0") != 0;
}

/* Length of the word at `text`; of one that no line has room for, the alternatives "a|b|" that fit. */
static size_t word_width(const char *text, size_t columns)
{
	size_t width = strcspn(text, " "), fitting = 0;

	if (HELP_INDENT + width <= columns)
		return width;
	for (size_t i = 0; i < width && HELP_INDENT + i < columns; i++)
		if (text[i] == '|')
			fitting = i + 1;
	return fitting > 0 ? fitting : width;
}

/* Words of `text` from column `at` on, continued at HELP_INDENT. */
static void write_wrapped(struct buffer *out, const char *text, size_t at, size_t columns)
{
	bool is_first = at <= HELP_INDENT;

	while (*text != '\0') {
		size_t width = word_width(text, columns);

		if (!is_first && (text[-1] == '|' || at + 1 + width > columns)) {
			buffer_printf(out, "\n%*s", HELP_INDENT, "");
			at = HELP_INDENT;
			is_first = true;
		}
		if (!is_first) {
			buffer_append_char(out, ' ');
			at++;
		}
		buffer_append(out, text, width);
		at += width;
		text += width;
		text += strspn(text, " ");
		is_first = false;
	}
}

/* A secret has no flag: its variable stands there. */
static size_t write_variable(
    struct buffer *out, const struct option_set *set, const struct option_row *row)
{
	char variable[OPTION_NAME_MAX];

	option_name_variable(variable, set, row);
	buffer_printf(out, "      %s", variable);
	return strlen(variable) + 6;
}

static size_t write_flags(
    struct buffer *out, const struct option_set *set, const struct option_row *row)
{
	size_t start = out->len;
	char flag[OPTION_NAME_MAX];

	if (row->kind == OPTION_SECRET)
		return write_variable(out, set, row);
	option_name_flag(flag, row);
	if (row->letter != 0)
		buffer_printf(out, "  -%c, --%s", row->letter, flag);
	else
		buffer_printf(out, "      --%s", flag);
	if (row->kind != OPTION_FLAG && row->kind != OPTION_CHOICE)
		buffer_printf(out, " %s", row->argument);
	return out->len - start;
}

static void write_row(
    struct buffer *out, const struct option_set *set, const struct option_row *row, size_t columns)
{
	struct buffer text;
	size_t at = write_flags(out, set, row);

	buffer_init(&text, 4096);
	if (row->kind == OPTION_CHOICE)
		buffer_printf(&text, "%s: ", row->argument);
	buffer_append_text(&text, row->help);
	if (has_default(row))
		buffer_printf(&text, " (default %s)", row->fallback);
	buffer_append_char(&text, '\0');
	if (at + 2 > HELP_INDENT)
		buffer_printf(out, "\n%*s", HELP_INDENT, "");
	else
		buffer_printf(out, "%*s", (int)(HELP_INDENT - at), "");
	if (text.status == EMBED_OK)
		write_wrapped(out, text.bytes, HELP_INDENT, columns);
	else
		out->status = text.status;
	buffer_append_char(out, '\n');
	buffer_fini(&text);
}

void options_write_help(struct buffer *out, const struct option_set *set, size_t columns)
{
	buffer_printf(out, "\n%s:\n", set->title);
	for (size_t i = 0; i < set->count; i++)
		write_row(out, set, &set->rows[i], columns);
}

/* A new sentence begins a new line, so that the formatter can space them. */
static void end_sentence(struct buffer *out, const char **text)
{
	buffer_append_text(out, ".\n");
	(*text)++;
}

/* mdoc takes a leading dot or quote for a request, and a backslash for an escape. */
static void write_mdoc_text(struct buffer *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		buffer_append_text(out, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			buffer_append_text(out, "\\e");
		else if (text[0] == '.' && text[1] == ' ')
			end_sentence(out, &text);
		else
			buffer_append_char(out, *text);
	}
}

/* A section of which there may be many has keys only: neither flags nor variables. */
static bool is_of_file_only(const struct option_set *set)
{
	return strchr(set->section, ' ') != NULL;
}

static void write_mdoc_names(
    struct buffer *out, const struct option_set *set, const struct option_row *row)
{
	const char *sdk = option_name_sdk_variable(set, row);
	char variable[OPTION_NAME_MAX];

	option_name_variable(variable, set, row);
	if (sdk != NULL)
		buffer_printf(out, "Variables\n.Ev %s\nand\n.Ev %s ,\n", variable, sdk);
	else
		buffer_printf(out, "Variable\n.Ev %s ,\n", variable);
	buffer_printf(out, "key\n.Cm %s", row->field);
	if (*set->section != '\0')
		buffer_printf(out, "\nin\n.Bq %s", set->section);
	buffer_append_text(out, has_default(row) ? " ;\ndefault" : " .\n");
}

static void write_mdoc_sources(
    struct buffer *out, const struct option_set *set, const struct option_row *row)
{
	if (!is_of_file_only(set))
		write_mdoc_names(out, set, row);
	else if (has_default(row))
		buffer_append_text(out, "Default");
	if (has_default(row))
		buffer_printf(out, "\n.Cm %s .\n", row->fallback);
	if (row->change == OPTION_RELOAD)
		buffer_append_text(out, "Read again on SIGHUP.\n");
}

static void write_mdoc_row(
    struct buffer *out, const struct option_set *set, const struct option_row *row)
{
	char flag[OPTION_NAME_MAX];

	option_name_flag(flag, row);
	buffer_append_text(out, ".It ");
	if (is_of_file_only(set))
		buffer_printf(out, "Cm %s", row->field);
	else if (row->kind == OPTION_SECRET)
		buffer_printf(out, "No (no flag) Ar %s", row->argument);
	else if (row->letter != 0)
		buffer_printf(out, "Fl %c , Fl -%s", row->letter, flag);
	else
		buffer_printf(out, "Fl -%s", flag);
	if (row->kind == OPTION_FLAG && is_of_file_only(set))
		buffer_append_text(out, " No = Ar yes|no");
	else if (is_of_file_only(set))
		buffer_printf(out, " No = Ar %s", row->argument);
	else if (row->kind != OPTION_FLAG && row->kind != OPTION_SECRET)
		buffer_printf(out, " Ar %s", row->argument);
	buffer_append_char(out, '\n');
	write_mdoc_text(out, row->help);
	buffer_append_text(out, ".\n");
	write_mdoc_sources(out, set, row);
}

void options_write_manual(struct buffer *out, const struct option_set *set)
{
	buffer_printf(out, ".Ss %s\n", set->title);
	if (is_of_file_only(set))
		buffer_printf(
		    out, "Keys of a section\n.Bq %s\nof the configuration file:\n", set->section);
	buffer_append_text(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < set->count; i++)
		write_mdoc_row(out, set, &set->rows[i]);
	buffer_append_text(out, ".El\n");
}
