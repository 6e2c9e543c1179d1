/* SPDX-License-Identifier: MIT */
/* Testing: a ledger in a fresh folder, rows to add, reports as text.  For tests only. */
#ifndef LEDGER_TESTING_H
#define LEDGER_TESTING_H

#include "base/test_folder.h"

#include "ledger/book.h"

/* 2023-11-14 22:13:20 UTC, a Tuesday; its hour began 800 s before. */
#define NOW_S  1700000000ll
#define HOUR_S (NOW_S - 800)

static struct test_folder folder;
static const char *const home = folder.path;

static inline int set_up(void **state)
{
	(void)state;
	test_folder_make(&folder);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	test_folder_drop(&folder);
	return 0;
}

static inline struct ledger *open_ledger(void)
{
	struct ledger *ledger = NULL;
	struct embed_error error;

	if (ledger_open(&ledger, home, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	return ledger;
}

static inline struct ledger_attempt good_attempt(int64_t time_s)
{
	return (struct ledger_attempt){
	    .time_us = time_s * 1000000,
	    .upstream = "openai",
	    .model = "small",
	    .key_name = "alice",
	    .lane = EMBED_LANE_BULK,
	    .is_billed = true,
	    .texts = 10,
	    .tokens = 100,
	    .cost_nano = 2000,
	    .http_status = 200,
	    .status = EMBED_OK,
	    .latency_us = 25000,
	    .request_id = "req_1",
	};
}

static inline void add(struct ledger *ledger, const struct ledger_attempt *attempts, size_t count)
{
	struct embed_error error;

	if (ledger_add(ledger, attempts, count, NULL, 0, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

/* A report as text, one group a line: easy to compare, easy to read when it is wrong. */
struct lines {
	char text[8192];
	size_t rows;
};

static inline void print_row(const struct embed_usage_row *row, void *context)
{
	struct lines *lines = context;
	size_t len = strlen(lines->text);

	lines->rows++;
	snprintf(lines->text + len, sizeof(lines->text) - len,
	    "%lld %s %s %s %s: %llu/%llu %llu %llu %llu | %llu %llu %llu %llu %llu\n",
	    (long long)row->start_s, row->model == NULL ? "-" : row->model,
	    row->key_name == NULL ? "-" : row->key_name,
	    row->upstream == NULL ? "-" : row->upstream, row->lane == NULL ? "-" : row->lane,
	    (unsigned long long)row->attempts, (unsigned long long)row->failed_attempts,
	    (unsigned long long)row->billed_texts, (unsigned long long)row->billed_tokens,
	    (unsigned long long)row->cost_nano, (unsigned long long)row->hit_texts,
	    (unsigned long long)row->hit_tokens, (unsigned long long)row->joined_texts,
	    (unsigned long long)row->joined_tokens, (unsigned long long)row->saved_nano);
}

static inline const char *usage_of(struct ledger *ledger, struct embed_usage_query query)
{
	static struct lines lines;
	struct embed_error error;

	lines.text[0] = '\0';
	lines.rows = 0;
	if (ledger_usage(ledger, &query, print_row, &lines, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	return lines.text;
}

static inline const char *usage_by(struct ledger *ledger, uint32_t by)
{
	return usage_of(ledger, (struct embed_usage_query){.by = by});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
