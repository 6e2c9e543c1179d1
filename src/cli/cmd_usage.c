/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/option_value.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/forecast.h"
#include "cli/moment.h"
#include "cli/reconcile.h"
#include "cli/usage_report.h"

/* An export, and what is written of it. */
#define RECONCILE_MAX_BYTES (256u << 20)

struct usage_options {
#define OPTION OPTION_FIELD
#include "cli/usage.def"
#undef OPTION
};

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct usage_options, __VA_ARGS__)
#include "cli/usage.def"
#undef OPTION
};

static const struct option_set set =
    OPTION_SET("usage", "Options of embed usage", struct usage_options, rows);

static const struct {
	const char *name;
	uint32_t bit;
} groups[] = {
    {"hour", EMBED_BY_HOUR},
    {"day", EMBED_BY_DAY},
    {"month", EMBED_BY_MONTH},
    {"model", EMBED_BY_MODEL},
    {"key", EMBED_BY_KEY},
    {"upstream", EMBED_BY_UPSTREAM},
    {"lane", EMBED_BY_LANE},
    {"none", 0},
};

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

static enum embed_status find_group(const char *name, uint32_t *by, struct embed_error *error)
{
	for (size_t i = 0; i < GROUP_COUNT; i++)
		if (strcmp(groups[i].name, name) == 0) {
			*by |= groups[i].bit;
			return EMBED_OK;
		}
	return error_set(error, EMBED_BAD_OPTION,
	    "--by: \"%.60s\" is not one of hour, day, month, model, key, upstream, lane, none",
	    name);
}

static enum embed_status find_moment(
    const char *flag, const char *text, int64_t *unix_s, struct embed_error *error)
{
	if (text == NULL || moment_parse(text, clock_unix_s(), unix_s))
		return EMBED_OK;
	return error_set(error, EMBED_BAD_OPTION,
	    "%s: \"%.60s\" is no point in time; give 2026-11-22, 2026-11-22T14:00Z, or 7d", flag,
	    text);
}

static enum embed_status make_query(
    const struct usage_options *own, struct embed_usage_query *query, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < own->by.count && status == EMBED_OK; i++)
		status = find_group(own->by.items[i], &query->by, error);
	if (status == EMBED_OK)
		status = find_moment("--since", own->since, &query->since_s, error);
	if (status == EMBED_OK)
		status = find_moment("--until", own->until, &query->until_s, error);
	if (status == EMBED_OK && own->since != NULL && own->until != NULL &&
	    query->until_s <= query->since_s)
		status = error_set(error, EMBED_BAD_OPTION,
		    "--until %.40s is not after --since %.40s", own->until, own->since);
	query->key_name = own->key;
	return status;
}

static enum embed_status read_ledger(const struct command_input *input,
    const struct embed_usage_query *query, embed_usage_fn *fn, void *context,
    struct embed_error *error)
{
	embed_service *service;
	enum embed_status status =
	    settings_open_service(&service, input->options, SETTINGS_OFFLINE, input->log, error);

	if (status != EMBED_OK)
		return status;
	status = embed_usage(service, query, fn, context, error);
	embed_close(service);
	return status;
}

static int print(const struct command_input *input, const struct usage_options *own,
    const struct embed_usage_query *query, struct embed_error *error)
{
	struct usage_report report;
	enum embed_status status;
	int exit_status = COMMAND_GOOD;

	usage_report_init(&report, (enum usage_format)own->format, query->by);
	status = read_ledger(input, query, usage_report_row, &report, error);
	if (status == EMBED_OK) {
		usage_report_finish(&report);
		exit_status = command_print_all(&report.out);
	}
	usage_report_fini(&report);
	return status == EMBED_OK ? exit_status : command_fail(error);
}

static int print_forecast(const struct command_input *input, const struct usage_options *own,
    struct embed_usage_query *query, struct embed_error *error)
{
	struct forecast forecast;
	struct buffer out;

	if (own->since != NULL || own->until != NULL)
		return command_misuse("--forecast is of this month: leave out --since and --until");
	forecast_init(&forecast, clock_unix_s());
	query->by = EMBED_BY_DAY;
	query->since_s = forecast.start_s;
	if (read_ledger(input, query, forecast_row, &forecast, error) != EMBED_OK)
		return command_fail(error);
	buffer_init(&out, FORECAST_MAX_BYTES);
	forecast_append(&forecast, (enum usage_format)own->format, &out);
	return command_print_all(&out);
}

/* All of a file into `bytes`. */
static enum embed_status read_file(
    struct buffer *bytes, const char *path, struct embed_error *error)
{
	char part[65536];
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL)
		return error_set(error, EMBED_BAD_OPTION, "--reconcile: cannot open %.200s: %s",
		    path, strerror(errno));
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		buffer_append(bytes, part, len);
	if (ferror(file))
		error_set(
		    error, EMBED_IO, "--reconcile: cannot read %.200s: %s", path, strerror(errno));
	if (fclose(file) != 0 || error->status != EMBED_OK)
		return EMBED_IO;
	return bytes->status == EMBED_OK
		   ? EMBED_OK
		   : error_set(error, EMBED_TOO_LARGE, "--reconcile: %.200s is too large", path);
}

static enum embed_status compare_with_file(const struct command_input *input, const char *path,
    struct reconcile *reconcile, struct embed_error *error)
{
	struct embed_usage_query query = EMBED_USAGE_QUERY_INIT;
	enum embed_status status;
	struct buffer bytes;

	buffer_init(&bytes, RECONCILE_MAX_BYTES);
	status = read_file(&bytes, path, error);
	if (status == EMBED_OK)
		status = reconcile_read(reconcile, bytes.bytes, bytes.len, error);
	buffer_fini(&bytes);
	query.by = EMBED_BY_DAY | EMBED_BY_MODEL;
	query.since_s = reconcile->first_s;
	query.until_s = reconcile->end_s;
	if (status == EMBED_OK)
		status = read_ledger(input, &query, reconcile_add, reconcile, error);
	return status;
}

static int print_reconciled(
    const struct command_input *input, const struct usage_options *own, struct embed_error *error)
{
	struct reconcile reconcile;
	struct buffer out;
	int exit_status;

	reconcile_init(&reconcile);
	if (compare_with_file(input, own->reconcile, &reconcile, error) != EMBED_OK) {
		reconcile_fini(&reconcile);
		return command_fail(error);
	}
	buffer_init(&out, RECONCILE_MAX_BYTES);
	reconcile_append(&reconcile, (enum usage_format)own->format, &out);
	exit_status = command_print_all(&out);
	if (reconcile_differs(&reconcile))
		exit_status = COMMAND_SOME_FAILED;
	reconcile_fini(&reconcile);
	return exit_status;
}

static int run(const struct command_input *input)
{
	const struct usage_options *own = input->own;
	struct embed_usage_query query = EMBED_USAGE_QUERY_INIT;
	struct embed_error error;

	error_clear(&error);
	if (input->argument_count > 0)
		return command_misuse("usage takes no arguments: \"%.60s\"", input->arguments[0]);
	if (make_query(own, &query, &error) != EMBED_OK)
		return command_fail(&error);
	if (own->reconcile != NULL && (own->forecast || own->since != NULL || own->until != NULL))
		return command_misuse(
		    "--reconcile is of the days in its file: leave out --forecast, --since and --until");
	if (own->reconcile != NULL)
		return print_reconciled(input, own, &error);
	if (own->forecast)
		return print_forecast(input, own, &query, &error);
	return print(input, own, &query, &error);
}

const struct command command_usage = {
    .name = "usage",
    .arguments = "",
    .summary = "Report what was used, what it cost and what the store saved",
    .takes = COMMAND_TAKES_SERVICE,
    .own = &set,
    .run = run,
};
