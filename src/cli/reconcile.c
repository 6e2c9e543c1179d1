/* SPDX-License-Identifier: MIT */
#include "cli/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/csv.h"
#include "cli/json_row.h"
#include "cli/moment.h"

#define DAY_S         INT64_C(86400)
#define MOMENT_LAST_S INT64_C(253402300799) /* the last second of the year 9999 */
/* A field's text, and all fields of a record. */
#define FIELD_MAX  256
#define RECORD_MAX (1u << 20)

enum column { START, START_ISO, MODEL, LINE_ITEM, TOKENS, REQUESTS, AMOUNT, COLUMNS };

static const char *const names[COLUMNS] = {"start_time", "start_time_iso", "model", "line_item",
    "input_tokens", "num_model_requests", "amount_value"};

/* An export while it is read. */
struct reading {
	struct reconcile *to;
	size_t columns[COLUMNS]; /* SIZE_MAX: it is not there */
	struct buffer text;
	struct span fields[CSV_MAX_FIELDS];
	size_t field_count;
	size_t line;
};

void reconcile_init(struct reconcile *reconcile)
{
	*reconcile = (struct reconcile){0};
}

void reconcile_fini(struct reconcile *reconcile)
{
	free(reconcile->rows);
	reconcile->rows = NULL;
}

/* ---- Rows -------------------------------------------------------------- */

static struct reconcile_row *row_of(struct reconcile *reconcile, int64_t day_s, const char *model)
{
	struct reconcile_row *row;

	for (size_t i = reconcile->count; i > 0; i--) {
		row = &reconcile->rows[i - 1];
		if (row->day_s == day_s && strcmp(row->model, model) == 0)
			return row;
	}
	if (reconcile->count == RECONCILE_ROWS_MAX)
		return NULL;
	if (reconcile->count == reconcile->cap) {
		size_t cap = reconcile->cap == 0 ? 64 : reconcile->cap * 2;
		struct reconcile_row *rows = reallocarray(reconcile->rows, cap, sizeof(*rows));

		if (rows == NULL)
			return NULL;
		reconcile->rows = rows;
		reconcile->cap = cap;
	}
	row = &reconcile->rows[reconcile->count++];
	*row = (struct reconcile_row){.day_s = day_s};
	snprintf(row->model, sizeof(row->model), "%s", model);
	return row;
}

/* ---- Reading ------------------------------------------------------------ */

static bool field_of(const struct reading *reading, enum column column, char text[FIELD_MAX])
{
	size_t at = reading->columns[column];

	text[0] = '\0';
	if (at >= reading->field_count || reading->fields[at].len == 0 ||
	    reading->fields[at].len >= FIELD_MAX)
		return false;
	memcpy(text, reading->text.bytes + reading->fields[at].start, reading->fields[at].len);
	text[reading->fields[at].len] = '\0';
	return text[0] != '\0';
}

static void find_columns(struct reading *reading)
{
	for (size_t column = 0; column < COLUMNS; column++) {
		reading->columns[column] = SIZE_MAX;
		for (size_t i = 0; i < reading->field_count; i++)
			if (reading->fields[i].len == strlen(names[column]) &&
			    memcmp(reading->text.bytes + reading->fields[i].start, names[column],
				reading->fields[i].len) == 0)
				reading->columns[column] = i;
	}
	reading->to->has_tokens |= reading->columns[TOKENS] != SIZE_MAX;
	reading->to->has_requests |= reading->columns[REQUESTS] != SIZE_MAX;
	reading->to->has_cost |= reading->columns[AMOUNT] != SIZE_MAX;
}

static bool read_day(const struct reading *reading, int64_t *day_s)
{
	char text[FIELD_MAX];
	char *end;

	if (field_of(reading, START, text)) {
		*day_s = strtoll(text, &end, 10);
		if (*end != '\0')
			return false;
	} else if (!field_of(reading, START_ISO, text)) {
		return false;
	} else {
		text[strcspn(text, "+")] = '\0'; /* always +00:00 */
		if (!moment_parse(text, 0, day_s))
			return false;
	}
	if (*day_s <= 0 || *day_s > MOMENT_LAST_S)
		return false;
	*day_s -= *day_s % DAY_S;
	return true;
}

/* "text-embedding-3-small, input" of costs; "-v2" is a name of ada-002 that nobody asks for. */
static bool read_model(const struct reading *reading, char model[FIELD_MAX])
{
	size_t len;

	if (!field_of(reading, MODEL, model) && !field_of(reading, LINE_ITEM, model))
		return false;
	model[strcspn(model, ",")] = '\0';
	len = strlen(model);
	if (len > 3 && strcmp(model + len - 3, "-v2") == 0)
		model[len - 3] = '\0';
	return strstr(model, "embedding") != NULL && strlen(model) <= RECONCILE_MODEL_MAX;
}

/* Dollars with any number of decimals, cut to nano-dollars. */
static bool read_nano(const char *text, uint64_t *nano)
{
	uint64_t value = 0, unit = 1000000000;
	bool has_point = false;

	for (; *text != '\0'; text++) {
		if (*text == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (*text < '0' || *text > '9' || value > UINT64_MAX / 100)
			return false;
		if (has_point && unit == 1)
			continue;
		value = value * 10 + (uint64_t)(*text - '0');
		unit /= has_point ? 10 : 1;
	}
	if (value > UINT64_MAX / unit)
		return false;
	*nano = value * unit;
	return true;
}

static bool read_count(const struct reading *reading, enum column column, uint64_t *sum)
{
	char text[FIELD_MAX];
	char *end;
	uint64_t count;

	if (!field_of(reading, column, text))
		return true;
	count = strtoull(text, &end, 10);
	if (*end != '\0' || text[0] == '-')
		return false;
	*sum += count;
	return true;
}

static enum embed_status bad_line(
    const struct reading *reading, const char *what, struct embed_error *error)
{
	return error_set(error, EMBED_BAD_FORMAT,
	    "line %zu of the export: %s; is it OpenAI's usage or cost export as CSV?",
	    reading->line, what);
}

static enum embed_status read_record(struct reading *reading, struct embed_error *error)
{
	char model[FIELD_MAX], amount[FIELD_MAX];
	struct reconcile *to = reading->to;
	struct reconcile_row *row;
	uint64_t nano = 0;
	int64_t day_s;

	if (!read_day(reading, &day_s))
		return bad_line(reading, "no time in start_time", error);
	if (to->first_s == 0 || day_s < to->first_s)
		to->first_s = day_s;
	if (day_s + DAY_S > to->end_s)
		to->end_s = day_s + DAY_S;
	if (!read_model(reading, model))
		return EMBED_OK;
	row = row_of(to, day_s, model);
	if (row == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	if (!read_count(reading, TOKENS, &row->theirs.tokens) ||
	    !read_count(reading, REQUESTS, &row->theirs.requests))
		return bad_line(reading, "a count that is no number", error);
	if (field_of(reading, AMOUNT, amount) && !read_nano(amount, &nano))
		return bad_line(reading, "an amount that is no number", error);
	row->theirs.nano += nano;
	return EMBED_OK;
}

static enum embed_status read_line(
    struct reading *reading, const char *line, size_t len, struct embed_error *error)
{
	const char *why;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return EMBED_OK;
	buffer_reset(&reading->text);
	why = csv_split(line, len, ',', &reading->text, reading->fields, &reading->field_count);
	if (why != NULL)
		return bad_line(reading, why, error);
	if (reading->text.status != EMBED_OK)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	if (reading->line > 1)
		return read_record(reading, error);
	find_columns(reading);
	if ((reading->columns[START] == SIZE_MAX && reading->columns[START_ISO] == SIZE_MAX) ||
	    (reading->columns[MODEL] == SIZE_MAX && reading->columns[LINE_ITEM] == SIZE_MAX))
		return bad_line(reading,
		    "no columns start_time and model (group the export by model) or line_item",
		    error);
	return EMBED_OK;
}

enum embed_status reconcile_read(
    struct reconcile *reconcile, const char *bytes, size_t len, struct embed_error *error)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	enum embed_status status = EMBED_OK;
	const char *end = bytes + len;

	if (reading == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	reading->to = reconcile;
	buffer_init(&reading->text, RECORD_MAX);
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3;
	while (bytes < end && status == EMBED_OK) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = newline == NULL ? end : newline;

		reading->line++;
		status = read_line(reading, bytes, (size_t)(stop - bytes), error);
		bytes = newline == NULL ? end : newline + 1;
	}
	if (status == EMBED_OK && reading->line == 0)
		status = error_set(error, EMBED_BAD_FORMAT,
		    "the export is empty; OpenAI's usage or cost export as CSV is wanted");
	buffer_fini(&reading->text);
	free(reading);
	return status;
}

void reconcile_add(const struct embed_usage_row *of, void *context)
{
	struct reconcile *reconcile = context;
	struct reconcile_row *row;

	if (of->billed_tokens == 0 || of->start_s < reconcile->first_s ||
	    of->start_s >= reconcile->end_s)
		return;
	row = row_of(reconcile, of->start_s, of->model);
	if (row == NULL)
		return;
	row->ours.requests += of->attempts - of->failed_attempts;
	row->ours.tokens += of->billed_tokens;
	row->ours.nano += of->cost_nano;
}

/* ---- Writing ------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct reconcile_row *left = a, *right = b;

	if (left->day_s != right->day_s)
		return left->day_s < right->day_s ? -1 : 1;
	return strcmp(left->model, right->model);
}

static void append_pair(
    struct buffer *out, enum usage_format format, const char *name, uint64_t theirs, uint64_t ours)
{
	int64_t more = (int64_t)(theirs - ours);

	if (format == USAGE_JSON)
		buffer_printf(out, ",\"%s\":{\"theirs\":%llu,\"ours\":%llu,\"difference\":%lld}",
		    name, (unsigned long long)theirs, (unsigned long long)ours, (long long)more);
	else
		buffer_printf(out,
		    format == USAGE_CSV ? ",%llu,%llu,%lld" : "  %14llu  %14llu  %+14lld",
		    (unsigned long long)theirs, (unsigned long long)ours, (long long)more);
}

static void append_row(const struct reconcile *reconcile, enum usage_format format,
    const struct reconcile_row *row, struct buffer *out)
{
	char day[24];

	moment_format(day, row->day_s, false, false);
	if (format == USAGE_JSON) {
		buffer_printf(out, "{\"day\":\"%s\",\"model\":", day);
		json_append_string(out, row->model, strlen(row->model));
	} else if (format == USAGE_CSV) {
		buffer_printf(out, "%s,", day);
		csv_append(out, row->model, strlen(row->model));
	} else {
		buffer_printf(out, "%-10s  %-24s", day, row->model);
	}
	if (reconcile->has_requests)
		append_pair(out, format, "requests", row->theirs.requests, row->ours.requests);
	if (reconcile->has_tokens)
		append_pair(out, format, "tokens", row->theirs.tokens, row->ours.tokens);
	if (reconcile->has_cost)
		append_pair(out, format, "cost_nano", row->theirs.nano, row->ours.nano);
	buffer_append_text(out, format == USAGE_JSON ? "}" : format == USAGE_CSV ? "\r\n" : "\n");
}

static void append_names(
    const struct reconcile *reconcile, enum usage_format format, struct buffer *out)
{
	const struct {
		bool is_there;
		const char *name;
	} sums[] = {{reconcile->has_requests, "requests"}, {reconcile->has_tokens, "tokens"},
	    {reconcile->has_cost, "cost_nano"}};

	if (format == USAGE_CSV)
		buffer_append_text(out, "day,model");
	else
		buffer_printf(out, "%-10s  %-24s", "day", "model");
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		if (!sums[i].is_there)
			continue;
		if (format == USAGE_CSV)
			buffer_printf(out, ",%s_theirs,%s_ours,%s_difference", sums[i].name,
			    sums[i].name, sums[i].name);
		else
			buffer_printf(
			    out, "  %14s  %14s  %14s", sums[i].name, "in the ledger", "difference");
	}
	buffer_append_text(out, format == USAGE_CSV ? "\r\n" : "\n");
}

void reconcile_append(struct reconcile *reconcile, enum usage_format format, struct buffer *out)
{
	if (reconcile->count > 0)
		qsort(reconcile->rows, reconcile->count, sizeof(*reconcile->rows), compare);
	if (format != USAGE_JSON)
		append_names(reconcile, format, out);
	else
		buffer_append_text(out, "[");
	for (size_t i = 0; i < reconcile->count; i++) {
		if (format == USAGE_JSON)
			buffer_append_text(out, i == 0 ? "\n  " : ",\n  ");
		append_row(reconcile, format, &reconcile->rows[i], out);
	}
	if (format == USAGE_JSON)
		buffer_append_text(out, "\n]\n");
}

bool reconcile_differs(const struct reconcile *reconcile)
{
	for (size_t i = 0; i < reconcile->count; i++) {
		const struct reconcile_row *row = &reconcile->rows[i];

		if ((reconcile->has_requests && row->theirs.requests != row->ours.requests) ||
		    (reconcile->has_tokens && row->theirs.tokens != row->ours.tokens) ||
		    (reconcile->has_cost && row->theirs.nano != row->ours.nano))
			return true;
	}
	return false;
}
