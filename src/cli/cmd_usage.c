/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app/option_value.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/forecast.h"
#include "cli/moment.h"
#include "cli/usage_report.h"

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
	bool is_printed = true;

	usage_report_init(&report, (enum usage_format)own->format, query->by);
	status = read_ledger(input, query, usage_report_row, &report, error);
	if (status == EMBED_OK) {
		usage_report_finish(&report);
		status = report.out.status;
	}
	if (status == EMBED_OK)
		is_printed = command_print(report.out.bytes, report.out.len);
	usage_report_fini(&report);
	if (status != EMBED_OK)
		return command_fail(error);
	return is_printed ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

static int print_forecast(const struct command_input *input, const struct usage_options *own,
    struct embed_usage_query *query, struct embed_error *error)
{
	struct forecast forecast;
	struct buffer out;
	bool is_printed;

	if (own->since != NULL || own->until != NULL)
		return command_misuse("--forecast is of this month: leave out --since and --until");
	forecast_init(&forecast, clock_unix_s());
	query->by = EMBED_BY_DAY;
	query->since_s = forecast.start_s;
	if (read_ledger(input, query, forecast_row, &forecast, error) != EMBED_OK)
		return command_fail(error);
	buffer_init(&out, FORECAST_MAX_BYTES);
	forecast_append(&forecast, (enum usage_format)own->format, &out);
	is_printed = out.status == EMBED_OK && command_print(out.bytes, out.len);
	buffer_fini(&out);
	return is_printed ? COMMAND_GOOD : COMMAND_SOME_FAILED;
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
