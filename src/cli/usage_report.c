/* SPDX-License-Identifier: MIT */
#include "cli/usage_report.h"

#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/json_row.h"
#include "cli/moment.h"
#include "cli/progress.h"

#define REPORT_MAX_BYTES (64u << 20)
#define CELL_MAX         40
#define GROUPS_MAX       5
#define NUMBERS          8
#define COLUMNS_MAX      (GROUPS_MAX + NUMBERS)

/* The numbers of a row, once: name in JSON and CSV, heading in the table. */
static const struct {
	const char *name;
	const char *heading;
	size_t offset;
	bool is_money;
} numbers[] = {
#define NUMBER(field, heading, is_money)                                                           \
	{                                                                                          \
#field, heading, offsetof(struct embed_usage_row, field), is_money                 \
	}
    NUMBER(attempts, "requests", false),
    NUMBER(failed_attempts, "failed", false),
    NUMBER(billed_texts, "texts", false),
    NUMBER(billed_tokens, "tokens", false),
    NUMBER(cost_nano, "cost", true),
    NUMBER(hit_texts, "hits", false),
    NUMBER(joined_texts, "joined", false),
    NUMBER(saved_nano, "saved", true),
#undef NUMBER
};

struct usage_cells {
	char text[COLUMNS_MAX][CELL_MAX];
};

static uint64_t number_of(const struct embed_usage_row *row, size_t index)
{
	return *(const uint64_t *)(const void *)((const char *)row + numbers[index].offset);
}

/* ---- Groups ----------------------------------------------------------- */

static bool has_time(uint32_t by)
{
	return (by & (EMBED_BY_HOUR | EMBED_BY_DAY | EMBED_BY_MONTH)) != 0;
}

struct group {
	const char *name;
	char time[24];
	const char *value;
};

/* The columns that a row is grouped by, in order; gives how many. */
static size_t groups_of(
    struct group groups[GROUPS_MAX], uint32_t by, const struct embed_usage_row *row)
{
	const struct {
		uint32_t bit;
		const char *name, *value;
	} words[] = {
	    {EMBED_BY_MODEL, "model", row->model},
	    {EMBED_BY_KEY, "key", row->key_name},
	    {EMBED_BY_UPSTREAM, "upstream", row->upstream},
	    {EMBED_BY_LANE, "lane", row->lane},
	};
	size_t count = 0;

	if (has_time(by)) {
		bool is_hour = (by & EMBED_BY_HOUR) != 0;
		bool is_month = (by & EMBED_BY_DAY) == 0;

		moment_format(groups[0].time, row->start_s, is_hour, is_month);
		groups[0].name = is_hour ? "hour" : is_month ? "month" : "day";
		groups[0].value = groups[0].time;
		count = 1;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (by & words[i].bit) {
			groups[count].name = words[i].name;
			groups[count++].value = words[i].value != NULL ? words[i].value : "";
		}
	return count;
}

/* ---- JSON and CSV ----------------------------------------------------- */

static void append_json_row(struct usage_report *report, const struct embed_usage_row *row)
{
	struct group groups[GROUPS_MAX];
	size_t count = groups_of(groups, report->by, row);

	buffer_append_text(&report->out, report->rows == 0 ? "[\n  {" : ",\n  {");
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&report->out, "\"%s\":", groups[i].name);
		json_append_string(&report->out, groups[i].value, strlen(groups[i].value));
		buffer_append_char(&report->out, ',');
	}
	for (size_t i = 0; i < NUMBERS; i++)
		buffer_printf(&report->out, "%s\"%s\":%llu", i == 0 ? "" : ",", numbers[i].name,
		    (unsigned long long)number_of(row, i));
	buffer_printf(&report->out, ",\"hit_tokens\":%llu,\"joined_tokens\":%llu}",
	    (unsigned long long)row->hit_tokens, (unsigned long long)row->joined_tokens);
}

static void append_csv_names(struct usage_report *report, const struct group *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_printf(&report->out, "%s,", groups[i].name);
	for (size_t i = 0; i < NUMBERS; i++)
		buffer_printf(&report->out, "%s%s", i == 0 ? "" : ",",
		    strcmp(numbers[i].name, "cost_nano") == 0    ? "cost_usd"
		    : strcmp(numbers[i].name, "saved_nano") == 0 ? "saved_usd"
								 : numbers[i].name);
	buffer_append_text(&report->out, "\r\n");
}

static void append_csv_row(struct usage_report *report, const struct embed_usage_row *row)
{
	struct group groups[GROUPS_MAX];
	size_t count = groups_of(groups, report->by, row);

	if (report->rows == 0)
		append_csv_names(report, groups, count);
	for (size_t i = 0; i < count; i++) {
		csv_append(&report->out, groups[i].value, strlen(groups[i].value));
		buffer_append_char(&report->out, ',');
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		unsigned long long number = number_of(row, i);

		if (numbers[i].is_money)
			buffer_printf(&report->out, "%s%llu.%09llu", i == 0 ? "" : ",",
			    number / 1000000000, number % 1000000000);
		else
			buffer_printf(&report->out, "%s%llu", i == 0 ? "" : ",", number);
	}
	buffer_append_text(&report->out, "\r\n");
}

/* ---- Table ------------------------------------------------------------ */

static struct usage_cells *add_cells(struct usage_report *report)
{
	if (report->rows + 2 > report->cell_cap) {
		size_t cap = report->cell_cap == 0 ? 64 : report->cell_cap * 2;
		struct usage_cells *cells = reallocarray(report->cells, cap, sizeof(*cells));

		if (cells == NULL) {
			report->out.status = EMBED_NO_MEMORY;
			return NULL;
		}
		report->cells = cells;
		report->cell_cap = cap;
	}
	return &report->cells[report->rows];
}

static void fill_number(
    struct usage_report *report, char cell[CELL_MAX], uint64_t number, bool is_money)
{
	struct buffer text;

	buffer_init(&text, CELL_MAX);
	if (is_money)
		progress_append_dollars(&text, number);
	else
		progress_append_count(&text, number);
	if (text.status != EMBED_OK)
		report->out.status = text.status;
	snprintf(cell, CELL_MAX, "%.*s", (int)text.len, text.bytes == NULL ? "" : text.bytes);
	buffer_fini(&text);
}

static void add_table_row(
    struct usage_report *report, const struct embed_usage_row *row, bool is_total)
{
	struct usage_cells *cells = add_cells(report);
	struct group groups[GROUPS_MAX];
	size_t count = groups_of(groups, report->by, row);

	if (cells == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		snprintf(cells->text[i], CELL_MAX, "%.*s", CELL_MAX - 1,
		    is_total                   ? (i == 0 ? "total" : "")
		    : *groups[i].value != '\0' ? groups[i].value
					       : "-");
	for (size_t i = 0; i < NUMBERS; i++)
		fill_number(report, cells->text[count + i], number_of(row, i), numbers[i].is_money);
}

static void widths_of(const struct usage_report *report, const struct group *groups, size_t count,
    size_t rows, size_t widths[COLUMNS_MAX])
{
	for (size_t i = 0; i < count + NUMBERS; i++) {
		widths[i] = strlen(i < count ? groups[i].name : numbers[i - count].heading);
		for (size_t j = 0; j < rows; j++)
			if (strlen(report->cells[j].text[i]) > widths[i])
				widths[i] = strlen(report->cells[j].text[i]);
	}
}

/* Words to the left, numbers to the right. */
static void append_cell(
    struct buffer *out, const char *text, size_t width, size_t column, size_t words)
{
	buffer_printf(out, column < words ? "%-*s" : "%*s", (int)width, text);
}

static void append_table(struct usage_report *report, size_t rows)
{
	struct group groups[GROUPS_MAX];
	size_t count = groups_of(groups, report->by, &report->total), widths[COLUMNS_MAX];

	widths_of(report, groups, count, rows, widths);
	for (size_t i = 0; i < count + NUMBERS; i++) {
		if (i > 0)
			buffer_append_text(&report->out, "  ");
		append_cell(&report->out, i < count ? groups[i].name : numbers[i - count].heading,
		    widths[i], i, count);
	}
	buffer_append_char(&report->out, '\n');
	for (size_t j = 0; j < rows; j++) {
		for (size_t i = 0; i < count + NUMBERS; i++) {
			if (i > 0)
				buffer_append_text(&report->out, "  ");
			append_cell(&report->out, report->cells[j].text[i], widths[i], i, count);
		}
		buffer_append_char(&report->out, '\n');
	}
}

/* ---- The report ------------------------------------------------------- */

void usage_report_init(struct usage_report *report, enum usage_format format, uint32_t by)
{
	*report = (struct usage_report){.format = format, .by = by};
	buffer_init(&report->out, REPORT_MAX_BYTES);
}

void usage_report_fini(struct usage_report *report)
{
	buffer_fini(&report->out);
	free(report->cells);
	report->cells = NULL;
}

static void add_up(struct embed_usage_row *total, const struct embed_usage_row *row)
{
	for (size_t i = 0; i < NUMBERS; i++)
		*(uint64_t *)(void *)((char *)total + numbers[i].offset) += number_of(row, i);
}

void usage_report_row(const struct embed_usage_row *row, void *context)
{
	struct usage_report *report = context;

	if (report->format == USAGE_JSON)
		append_json_row(report, row);
	else if (report->format == USAGE_CSV)
		append_csv_row(report, row);
	else
		add_table_row(report, row, false);
	add_up(&report->total, row);
	report->rows++;
}

void usage_report_finish(struct usage_report *report)
{
	size_t rows = report->rows;

	if (report->format == USAGE_JSON)
		buffer_append_text(&report->out, rows == 0 ? "[]\n" : "\n]\n");
	if (report->format != USAGE_TABLE || report->out.status != EMBED_OK)
		return;
	if (rows == 0) {
		buffer_append_text(&report->out, "nothing was used\n");
		return;
	}
	if (rows > 1) {
		add_table_row(report, &report->total, true);
		rows++;
	}
	if (report->out.status == EMBED_OK)
		append_table(report, rows);
}
