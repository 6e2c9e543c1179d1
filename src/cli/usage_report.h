/* SPDX-License-Identifier: MIT */
/*
 * Usage report: rows of the ledger as a table, JSON or CSV.
 *
 * Costs are exact: nano-dollars in JSON, dollars with nine decimals in CSV,
 * rounded only in the table.
 *
 * Threads: none; one owner.
 */
#ifndef CLI_USAGE_REPORT_H
#define CLI_USAGE_REPORT_H

#include "base/buffer.h"

enum usage_format { USAGE_TABLE, USAGE_JSON, USAGE_CSV };

struct usage_report {
	enum usage_format format;
	uint32_t by;
	struct buffer out;
	struct embed_usage_row total;
	size_t rows;
	struct usage_cells *cells; /* of a table, until its widths are known */
	size_t cell_cap;
};

void usage_report_init(struct usage_report *report, enum usage_format format, uint32_t by);
void usage_report_fini(struct usage_report *report);

/* An embed_usage_fn; `context` is the report. */
void usage_report_row(const struct embed_usage_row *row, void *context);

/* After the last row: everything is in report->out. */
void usage_report_finish(struct usage_report *report);

#endif
