/* SPDX-License-Identifier: MIT */
#include "ledger/book.h"

/* A transaction that removes this many rows takes some 10 ms. */
#define PRUNE_ROWS 10000

/* What one row adds to its hour; the order is the table's. */
struct hourly {
	int64_t hour_s;
	const char *model, *key_name, *upstream, *lane;
	uint64_t sums[10];
};

enum hourly_sum {
	ATTEMPTS,
	FAILED_ATTEMPTS,
	BILLED_TEXTS,
	BILLED_TOKENS,
	COST_NANO,
	HIT_TEXTS,
	HIT_TOKENS,
	JOINED_TEXTS,
	JOINED_TOKENS,
	SAVED_NANO,
};

static const char *lane_name(enum embed_lane lane)
{
	return lane == EMBED_LANE_BULK ? "bulk" : "interactive";
}

static int64_t hour_of(int64_t time_us)
{
	int64_t time_s = time_us / 1000000;

	return time_s < 0 ? 0 : time_s - time_s % BOOK_HOUR_S;
}

static int64_t bounded(uint64_t value)
{
	return (int64_t)(value < BOOK_VALUE_MAX ? value : BOOK_VALUE_MAX);
}

/* Binding can fail only for lack of memory; the first failure is kept. */
static void bind_text(sqlite3_stmt *statement, int at, const char *text, int *rc)
{
	if (*rc == SQLITE_OK)
		*rc = sqlite3_bind_text(statement, at, text == NULL ? "" : text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int at, int64_t number, int *rc)
{
	if (*rc == SQLITE_OK)
		*rc = sqlite3_bind_int64(statement, at, number);
}

static int run(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int add_hourly(struct ledger *ledger, const struct hourly *hourly)
{
	sqlite3_stmt *statement = ledger->add_hourly;
	int rc = SQLITE_OK;

	bind_number(statement, 1, hourly->hour_s, &rc);
	bind_text(statement, 2, hourly->model, &rc);
	bind_text(statement, 3, hourly->key_name, &rc);
	bind_text(statement, 4, hourly->upstream, &rc);
	bind_text(statement, 5, hourly->lane, &rc);
	for (int i = 0; i < 10; i++)
		bind_number(statement, 6 + i, bounded(hourly->sums[i]), &rc);
	return rc == SQLITE_OK ? run(statement) : rc;
}

static int add_attempt_row(struct ledger *ledger, const struct ledger_attempt *attempt)
{
	sqlite3_stmt *statement = ledger->add_attempt;
	int rc = SQLITE_OK;

	bind_number(statement, 1, attempt->time_us, &rc);
	bind_text(statement, 2, attempt->upstream, &rc);
	bind_text(statement, 3, attempt->model, &rc);
	bind_text(statement, 4, attempt->key_name, &rc);
	bind_text(statement, 5, lane_name(attempt->lane), &rc);
	bind_number(statement, 6, attempt->is_part, &rc);
	bind_number(statement, 7, attempt->is_billed, &rc);
	bind_number(statement, 8, attempt->texts, &rc);
	bind_number(statement, 9, bounded(attempt->tokens), &rc);
	bind_number(statement, 10, bounded(attempt->cost_nano), &rc);
	bind_number(statement, 11, attempt->http_status, &rc);
	bind_text(statement, 12, embed_status_code(attempt->status), &rc);
	bind_number(statement, 13, attempt->latency_us, &rc);
	bind_number(statement, 14, attempt->retry, &rc);
	bind_text(statement, 15, attempt->request_id, &rc);
	return rc == SQLITE_OK ? run(statement) : rc;
}

static int add_attempt(struct ledger *ledger, const struct ledger_attempt *attempt)
{
	struct hourly hourly = {hour_of(attempt->time_us), attempt->model, attempt->key_name,
	    attempt->upstream, lane_name(attempt->lane), {0}};
	int rc = add_attempt_row(ledger, attempt);

	if (rc != SQLITE_OK)
		return rc;
	if (!attempt->is_part) {
		hourly.sums[ATTEMPTS] = 1;
		hourly.sums[FAILED_ATTEMPTS] = attempt->status != EMBED_OK;
	}
	if (attempt->is_billed) {
		hourly.sums[BILLED_TEXTS] = attempt->texts;
		hourly.sums[BILLED_TOKENS] = attempt->tokens;
		hourly.sums[COST_NANO] = attempt->cost_nano;
	}
	return add_hourly(ledger, &hourly);
}

static int add_saving(struct ledger *ledger, const struct ledger_saving *saving)
{
	const struct hourly hourly = {
	    .hour_s = hour_of(saving->time_us),
	    .model = saving->model,
	    .key_name = saving->key_name,
	    .lane = lane_name(saving->lane),
	    .sums[HIT_TEXTS] = saving->hit_texts,
	    .sums[HIT_TOKENS] = saving->hit_tokens,
	    .sums[JOINED_TEXTS] = saving->joined_texts,
	    .sums[JOINED_TOKENS] = saving->joined_tokens,
	    .sums[SAVED_NANO] = saving->saved_nano,
	};

	return add_hourly(ledger, &hourly);
}

/* With write_lock held.  Explains before it rolls back, which would change the reason. */
static enum embed_status add_all(struct ledger *ledger, const struct ledger_attempt *attempts,
    size_t attempt_count, const struct ledger_saving *savings, size_t saving_count,
    struct embed_error *error)
{
	enum embed_status status;
	int rc = run(ledger->begin);

	for (size_t i = 0; rc == SQLITE_OK && i < attempt_count; i++)
		rc = add_attempt(ledger, &attempts[i]);
	for (size_t i = 0; rc == SQLITE_OK && i < saving_count; i++)
		rc = add_saving(ledger, &savings[i]);
	if (rc == SQLITE_OK)
		rc = run(ledger->commit);
	if (rc == SQLITE_OK)
		return EMBED_OK;
	status = book_error(ledger, error, ledger->writer, "be written");
	if (!sqlite3_get_autocommit(ledger->writer))
		run(ledger->rollback);
	return status;
}

enum embed_status ledger_add(struct ledger *ledger, const struct ledger_attempt *attempts,
    size_t attempt_count, const struct ledger_saving *savings, size_t saving_count,
    struct embed_error *error)
{
	enum embed_status status;

	if (attempt_count + saving_count == 0)
		return EMBED_OK;
	pthread_mutex_lock(&ledger->write_lock);
	status = add_all(ledger, attempts, attempt_count, savings, saving_count, error);
	pthread_mutex_unlock(&ledger->write_lock);
	return status;
}

/* One transaction of its own. */
static enum embed_status prune_some(
    struct ledger *ledger, sqlite3_stmt *statement, int *gone, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	pthread_mutex_lock(&ledger->write_lock);
	if (run(statement) == SQLITE_OK)
		*gone = sqlite3_changes(ledger->writer);
	else
		status = book_error(ledger, error, ledger->writer, "be pruned");
	pthread_mutex_unlock(&ledger->write_lock);
	return status;
}

static enum embed_status prune_prepare(
    struct ledger *ledger, int64_t before_s, sqlite3_stmt **statement, struct embed_error *error)
{
	static const char sql[] = "DELETE FROM attempt WHERE id IN"
				  " (SELECT id FROM attempt WHERE time_us < ?1 LIMIT ?2)";
	int64_t before_us = before_s < INT64_MAX / 1000000 ? before_s * 1000000 : INT64_MAX;
	enum embed_status status = EMBED_OK;
	int rc;

	pthread_mutex_lock(&ledger->write_lock);
	rc = sqlite3_prepare_v2(ledger->writer, sql, -1, statement, NULL);
	bind_number(*statement, 1, before_us, &rc);
	bind_number(*statement, 2, PRUNE_ROWS, &rc);
	if (rc != SQLITE_OK)
		status = book_error(ledger, error, ledger->writer, "be pruned");
	pthread_mutex_unlock(&ledger->write_lock);
	return status;
}

enum embed_status ledger_prune(
    struct ledger *ledger, int64_t before_s, uint64_t *removed, struct embed_error *error)
{
	sqlite3_stmt *statement = NULL;
	uint64_t sum = 0;
	int gone = PRUNE_ROWS;
	enum embed_status status = prune_prepare(ledger, before_s, &statement, error);

	while (status == EMBED_OK && gone == PRUNE_ROWS) {
		status = prune_some(ledger, statement, &gone, error);
		sum += status == EMBED_OK ? (uint64_t)gone : 0;
	}
	pthread_mutex_lock(&ledger->write_lock);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&ledger->write_lock);
	if (status == EMBED_OK)
		*removed = sum;
	return status;
}
