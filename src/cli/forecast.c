/* SPDX-License-Identifier: MIT */
#include "cli/forecast.h"

#include <time.h>

#include "cli/moment.h"
#include "cli/progress.h"

static int64_t month_start(int64_t now_s, int months_later)
{
	time_t seconds = (time_t)now_s;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon + months_later, .tm_mday = 1};
	return timegm(&tm); /* which carries a 13th month into the next year */
}

void forecast_init(struct forecast *forecast, int64_t now_s)
{
	*forecast = (struct forecast){
	    .now_s = now_s,
	    .start_s = month_start(now_s, 0),
	    .end_s = month_start(now_s, 1),
	};
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void forecast_row(const struct embed_usage_row *row, void *context)
{
	struct forecast *forecast = context;

	if (row->start_s >= forecast->start_s && row->start_s < forecast->end_s)
		forecast->cost_nano = add_capped(forecast->cost_nano, row->cost_nano);
}

uint64_t forecast_month_nano(const struct forecast *forecast)
{
	uint64_t month_s = (uint64_t)(forecast->end_s - forecast->start_s);
	uint64_t elapsed_s = (uint64_t)(forecast->now_s - forecast->start_s);
	uint64_t whole, rest;

	if (elapsed_s < FORECAST_MIN_ELAPSED_S)
		elapsed_s = FORECAST_MIN_ELAPSED_S;
	/* cost * month / elapsed in two parts, neither of which overflows unseen. */
	whole = forecast->cost_nano / elapsed_s;
	rest = forecast->cost_nano % elapsed_s * month_s / elapsed_s;
	if (whole > UINT64_MAX / month_s)
		return UINT64_MAX;
	return add_capped(whole * month_s, rest);
}

static void append_csv(struct buffer *out, const char *month, uint64_t so_far, uint64_t at_end)
{
	buffer_printf(out, "month,cost_usd,forecast_usd\r\n%s,%llu.%09llu,%llu.%09llu\r\n", month,
	    (unsigned long long)so_far / 1000000000, (unsigned long long)so_far % 1000000000,
	    (unsigned long long)at_end / 1000000000, (unsigned long long)at_end % 1000000000);
}

static void append_table(struct buffer *out, const char *month, uint64_t so_far, uint64_t at_end)
{
	buffer_printf(out, "month            %s\ncost so far      ", month);
	progress_append_dollars(out, so_far);
	buffer_append_text(out, "\nat month's end   ");
	progress_append_dollars(out, at_end);
	buffer_append_char(out, '\n');
}

void forecast_append(const struct forecast *forecast, enum usage_format format, struct buffer *out)
{
	uint64_t at_end = forecast_month_nano(forecast);
	char month[24];

	moment_format(month, forecast->start_s, false, true);
	if (format == USAGE_JSON)
		buffer_printf(out,
		    "{\"month\":\"%s\",\"now_s\":%lld,\"cost_nano\":%llu,\"forecast_nano\":%llu}\n",
		    month, (long long)forecast->now_s, (unsigned long long)forecast->cost_nano,
		    (unsigned long long)at_end);
	else if (format == USAGE_CSV)
		append_csv(out, month, forecast->cost_nano, at_end);
	else
		append_table(out, month, forecast->cost_nano, at_end);
}
