/* SPDX-License-Identifier: MIT */
#include "cli/rows_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"

#define NO_COLUMN SIZE_MAX

#define COLUMNS_SHOWN 160 /* bytes of their names in a message */

/* ---- Choosing a format ------------------------------------------------ */

static enum rows_format format_of_name(const char *name)
{
	static const struct {
		const char *extension;
		enum rows_format format;
	} known[] = {
	    {".jsonl", ROWS_JSONL},
	    {".ndjson", ROWS_JSONL},
	    {".json", ROWS_JSONL},
	    {".csv", ROWS_CSV},
	    {".tsv", ROWS_TSV},
	    {".tab", ROWS_TSV},
	    {".txt", ROWS_LINES},
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(dot, known[i].extension) == 0)
			return known[i].format;
	return ROWS_AUTO;
}

static enum rows_format format_of_bytes(const char *bytes, size_t len)
{
	size_t i = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < len && (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == '\n'))
		i++;
	return i < len && bytes[i] == '{' ? ROWS_JSONL : ROWS_LINES;
}

/* ---- Files ------------------------------------------------------------ */

static enum embed_status open_next(struct rows_source *rows, struct embed_error *error)
{
	const char *name =
	    rows->options.file_count == 0 ? "-" : rows->options.files[rows->next_file];
	enum embed_status status = input_open(&rows->input, name, error);

	if (status != EMBED_OK)
		return status;
	rows->next_file++;
	rows->is_open = true;
	rows->has_header = false;
	rows->source.fd = rows->input.fd;
	rows->format =
	    rows->options.format != ROWS_AUTO ? rows->options.format : format_of_name(name);
	return EMBED_OK;
}

static void close_file(struct rows_source *rows)
{
	rows->bytes_closed += rows->input.bytes_read;
	input_close(&rows->input);
	rows->is_open = false;
}

static bool is_last(const struct rows_source *rows)
{
	size_t count = rows->options.file_count == 0 ? 1 : rows->options.file_count;

	return rows->next_file == count;
}

/* Settles format and framing of the open file; not SOURCE_ITEM: it has to wait, or failed. */
static enum source_status settle_format(struct rows_source *rows, struct embed_error *error)
{
	const char *bytes;
	size_t len;

	if (rows->format == ROWS_AUTO) {
		enum input_status status = input_peek(&rows->input, &bytes, &len, error);

		if (status != INPUT_RECORD)
			return status == INPUT_BLOCKED ? SOURCE_BLOCKED : SOURCE_FAILED;
		rows->format = format_of_bytes(bytes, len);
	}
	if (rows->format == ROWS_CSV || rows->format == ROWS_TSV)
		input_frame(&rows->input, INPUT_CSV, rows->format == ROWS_CSV ? ',' : '\t');
	return SOURCE_ITEM;
}

/* ---- Records ---------------------------------------------------------- */

static const char *text_field(const struct rows_source *rows)
{
	return rows->options.text != NULL ? rows->options.text : "text";
}

static const char *id_field(const struct rows_source *rows)
{
	return rows->options.id != NULL ? rows->options.id : "id";
}

static const char *shown_name(const struct rows_source *rows)
{
	return strcmp(rows->input.name, "-") == 0 ? "stdin" : rows->input.name;
}

static void refuse(struct rows_source *rows, struct item_group *group, struct item *item,
    enum embed_status status, const char *why)
{
	item_group_refuse(group, item, status, "%.200s, line %llu: %s", shown_name(rows),
	    (unsigned long long)rows->input.line, why);
}

static void add_json(struct rows_source *rows, struct item_group *group, struct item *item,
    const char *line, size_t len)
{
	struct json_row_fields fields = {text_field(rows), id_field(rows)};
	struct json_row row;
	char why[200];
	enum embed_status status = json_row_read(line, len, &fields, &group->bytes, &row);

	if (row.has_id && row.id.len > 0)
		item->id = row.id;
	if (status != EMBED_OK) {
		snprintf(why, sizeof(why), "%s, at byte %zu of the line", row.why, row.offset);
		refuse(rows, group, item, status, why);
	} else if (!row.has_text) {
		snprintf(why, sizeof(why), "there is no field \"%.60s\"; %s", fields.text,
		    rows->options.text == NULL ? "--text names another" : "check the name");
		refuse(rows, group, item, EMBED_BAD_FORMAT, why);
	} else if (!row.has_id && rows->options.id != NULL) {
		snprintf(why, sizeof(why), "there is no field \"%.100s\"", fields.id);
		refuse(rows, group, item, EMBED_BAD_FORMAT, why);
	}
	item->text = row.text;
}

static size_t find_column(const struct rows_source *rows, const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows->fields[i].len == strlen(name) &&
		    memcmp(rows->scratch.bytes + rows->fields[i].start, name,
			rows->fields[i].len) == 0)
			return i;
	return NO_COLUMN;
}

static const char *split(struct rows_source *rows, const char *record, size_t len, size_t *count)
{
	const char *why;

	buffer_reset(&rows->scratch);
	why = csv_split(record, len, rows->format == ROWS_CSV ? ',' : '\t', &rows->scratch,
	    rows->fields, count);
	if (rows->scratch.status == EMBED_NO_MEMORY)
		return "there is no memory for the record";
	return rows->scratch.status != EMBED_OK ? "the record is too long" : why;
}

/* Those that fit, in quotes. */
static void write_columns(const struct rows_source *rows, char names[COLUMNS_SHOWN])
{
	size_t len = 0;

	names[0] = '\0';
	for (size_t i = 0; i < rows->columns; i++) {
		const struct span *name = &rows->fields[i];
		int width = name->len < 40 ? (int)name->len : 40;

		if (len + (size_t)width + sizeof(", \"\", ..") > COLUMNS_SHOWN) {
			snprintf(names + len, COLUMNS_SHOWN - len, ", ..");
			return;
		}
		len += (size_t)snprintf(names + len, COLUMNS_SHOWN - len, "%s\"%.*s\"",
		    i > 0 ? ", " : "", width,
		    rows->scratch.bytes == NULL ? "" : rows->scratch.bytes + name->start);
	}
}

static enum embed_status read_header(
    struct rows_source *rows, const char *record, size_t len, struct embed_error *error)
{
	size_t count;
	const char *why = split(rows, record, len, &count);

	if (why != NULL)
		return error_set(error, EMBED_BAD_FORMAT, "%.300s, line 1 (the column names): %s",
		    shown_name(rows), why);
	rows->text_column = find_column(rows, text_field(rows), count);
	rows->id_column = find_column(rows, id_field(rows), count);
	rows->columns = count;
	rows->has_header = true;
	if (rows->text_column == NO_COLUMN) {
		char names[COLUMNS_SHOWN];

		write_columns(rows, names);
		return error_set(error, EMBED_BAD_OPTION,
		    "%.200s has no column \"%.60s\"; --text takes one of %s", shown_name(rows),
		    text_field(rows), names);
	}
	if (rows->id_column == NO_COLUMN && rows->options.id != NULL)
		return error_set(error, EMBED_BAD_OPTION, "%.300s has no column \"%.60s\" for --id",
		    shown_name(rows), rows->options.id);
	return EMBED_OK;
}

/*
 * More fields than columns: a comma in a text that has no quotes, and what
 * stands behind it would be lost.  Empty ones at the end are some writers' habit.
 */
static bool has_surplus(const struct rows_source *rows, size_t count)
{
	for (size_t i = rows->columns; i < count; i++)
		if (rows->fields[i].len > 0)
			return true;
	return false;
}

static void add_csv(struct rows_source *rows, struct item_group *group, struct item *item,
    const char *record, size_t len)
{
	size_t count;
	const char *why = split(rows, record, len, &count);
	char surplus[160];

	if (why == NULL && rows->text_column >= count)
		why = "the record has too few fields";
	if (why == NULL && has_surplus(rows, count)) {
		snprintf(surplus, sizeof(surplus),
		    "%zu fields, but the first line names %zu column%s; a text with a %s needs quotes",
		    count, rows->columns, rows->columns == 1 ? "" : "s",
		    rows->format == ROWS_CSV ? "comma" : "tab");
		why = surplus;
	}
	if (why != NULL) {
		refuse(rows, group, item, EMBED_BAD_FORMAT, why);
		return;
	}
	if (rows->id_column < count) {
		const struct span *id = &rows->fields[rows->id_column];

		item->id.start = group->bytes.len;
		json_append_string(&group->bytes, rows->scratch.bytes + id->start, id->len);
		item->id.len = group->bytes.len - item->id.start;
	}
	item->text = item_group_copy(group,
	    rows->scratch.bytes == NULL
		? ""
		: rows->scratch.bytes + rows->fields[rows->text_column].start,
	    rows->fields[rows->text_column].len);
}

static bool is_blank(const char *bytes, size_t len)
{
	while (len > 0 && (*bytes == ' ' || *bytes == '\t')) {
		bytes++;
		len--;
	}
	return len == 0;
}

static void add_record(struct rows_source *rows, struct item_group *group, enum input_status status,
    const char *bytes, size_t len)
{
	struct item *item = item_group_add(group);

	if (item == NULL)
		return;
	item->line = rows->input.line;
	if (status == INPUT_TOO_LONG)
		refuse(rows, group, item, EMBED_TOO_LARGE, "the record is longer than 64 MiB");
	else if (status == INPUT_UNCLOSED)
		refuse(
		    rows, group, item, EMBED_BAD_FORMAT, "a quote is opened here and never closed");
	else if (rows->format == ROWS_JSONL)
		add_json(rows, group, item, bytes, len);
	else if (rows->format == ROWS_LINES)
		item->text = item_group_copy(group, bytes, len);
	else
		add_csv(rows, group, item, bytes, len);
	if (item->id.len == 0)
		item->id = item_group_number(group, item->line);
}

/* One step in the open file; SOURCE_END at its end. */
static enum source_status step(
    struct rows_source *rows, struct item_group *group, struct embed_error *error)
{
	bool is_table = rows->format == ROWS_CSV || rows->format == ROWS_TSV;

	while (true) {
		const char *bytes;
		size_t len;
		enum input_status status = input_next(&rows->input, &bytes, &len, error);

		rows->source.bytes_done = rows->bytes_closed + input_bytes_taken(&rows->input);
		if (status == INPUT_BLOCKED)
			return SOURCE_BLOCKED;
		if (status == INPUT_END)
			return SOURCE_END;
		if (status == INPUT_FAILED)
			return SOURCE_FAILED;
		if (is_table && !rows->has_header) {
			if (read_header(rows, bytes, len, error) != EMBED_OK)
				return SOURCE_FAILED;
			continue;
		}
		if ((is_table || rows->format == ROWS_JSONL) && status == INPUT_RECORD &&
		    is_blank(bytes, len))
			continue;
		add_record(rows, group, status, bytes, len);
		return SOURCE_ITEM;
	}
}

static enum source_status next(
    struct source *source, struct item_group *group, struct embed_error *error)
{
	struct rows_source *rows = (struct rows_source *)source;

	while (true) {
		enum source_status status;

		if (!rows->is_open) {
			if (is_last(rows))
				return SOURCE_END;
			if (open_next(rows, error) != EMBED_OK)
				return SOURCE_FAILED;
		}
		status = settle_format(rows, error);
		if (status == SOURCE_ITEM)
			status = step(rows, group, error);
		if (status != SOURCE_END)
			return status;
		close_file(rows);
	}
}

/* ---- Lifetime --------------------------------------------------------- */

static enum embed_status sum_sizes(struct rows_source *rows, struct embed_error *error)
{
	for (size_t i = 0; i < rows->options.file_count; i++) {
		struct stat stat_;

		if (strcmp(rows->options.files[i], "-") == 0) {
			rows->source.bytes_total = 0;
			return EMBED_OK;
		}
		if (stat(rows->options.files[i], &stat_) != 0)
			return error_set(error, EMBED_BAD_OPTION, "cannot open %.400s: %s",
			    rows->options.files[i], strerror(errno));
		if (S_ISDIR(stat_.st_mode))
			return error_set(error, EMBED_BAD_OPTION,
			    "%.400s is a folder; \"embed files\" reads folders",
			    rows->options.files[i]);
		rows->source.bytes_total += S_ISREG(stat_.st_mode) ? (uint64_t)stat_.st_size : 0;
	}
	return EMBED_OK;
}

enum embed_status rows_source_init(
    struct rows_source *rows, const struct rows_source_options *options, struct embed_error *error)
{
	*rows = (struct rows_source){.source = {.next = next, .fd = -1}, .options = *options};
	rows->input.fd = -1;
	buffer_init(&rows->scratch, 2 * (size_t)INPUT_RECORD_MAX_BYTES);
	rows->fields = calloc(CSV_MAX_FIELDS, sizeof(*rows->fields));
	if (rows->fields == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	return sum_sizes(rows, error);
}

void rows_source_fini(struct rows_source *rows)
{
	if (rows->is_open)
		close_file(rows);
	buffer_fini(&rows->scratch);
	free(rows->fields);
	rows->fields = NULL;
}
