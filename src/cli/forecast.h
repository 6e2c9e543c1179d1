/* SPDX-License-Identifier: MIT */
/*
 * Forecast: what a month comes to at the pace of its days so far.  Months are UTC.
 *
 * Pure: of the ledger's rows and the time.  Money in nano-dollars, rounded down.
 */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include "cli/usage_report.h"

/* A pace is taken over at least this long: the ledger keeps hours. */
#define FORECAST_MIN_ELAPSED_S 3600

/* What forecast_append() writes is shorter. */
#define FORECAST_MAX_BYTES 1024

struct forecast {
	int64_t now_s, start_s, end_s; /* the month is from start_s to before end_s */
	uint64_t cost_nano;            /* in the rows so far */
};

/* The month that `now_s` (Unix seconds, not negative) is in, with nothing used. */
void forecast_init(struct forecast *forecast, int64_t now_s);

/* An embed_usage_fn; `context` is the forecast.  Rows of other months are left out. */
void forecast_row(const struct embed_usage_row *row, void *context);

/* Cost at the month's end, UINT64_MAX when it is more. */
uint64_t forecast_month_nano(const struct forecast *forecast);

void forecast_append(const struct forecast *forecast, enum usage_format format, struct buffer *out);

#endif
