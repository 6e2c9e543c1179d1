/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "ledger/book.h"

#define SQL_BYTES_MAX 2048

/* Columns of every report: what groups it, then the sums' halves in embed_usage_row's order. */
enum column {
	START,
	MODEL,
	KEY_NAME,
	UPSTREAM,
	LANE,
	FIRST_SUM,
};

/* Of several parts of the calendar the finest holds. */
static const char *start_expression(uint32_t by)
{
	if (by & EMBED_BY_HOUR)
		return "hour";
	if (by & EMBED_BY_DAY)
		return "hour - hour % 86400";
	if (by & EMBED_BY_MONTH)
		return "CAST(strftime('%s', hour, 'unixepoch', 'start of month') AS INTEGER)";
	return NULL;
}

static void append_group(
    struct buffer *select, struct buffer *group, const char *expression, const char *number)
{
	buffer_append_text(select, expression == NULL ? "NULL" : expression);
	buffer_append_text(select, ", ");
	if (expression == NULL)
		return;
	buffer_append_text(group, group->len == 0 ? " GROUP BY " : ", ");
	buffer_append_text(group, number);
}

/* In two halves, of which none overflows: SQLite gives up a report whose sum does. */
static void append_sums(struct buffer *sql)
{
	static const char *const columns[] = {"attempts", "failed_attempts", "billed_texts",
	    "billed_tokens", "cost_nano", "hit_texts", "hit_tokens", "joined_texts",
	    "joined_tokens", "saved_nano"};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		buffer_printf(sql, "%ssum(%s >> 31), sum(%s & 2147483647)", i > 0 ? ", " : "",
		    columns[i], columns[i]);
}

/* Columns are grouped by their number, and ordered likewise. */
static void write_sql(struct buffer *sql, uint32_t by)
{
	struct buffer group;

	buffer_init(&group, SQL_BYTES_MAX);
	buffer_append_text(sql, "SELECT ");
	append_group(sql, &group, start_expression(by), "1");
	append_group(sql, &group, by & EMBED_BY_MODEL ? "model" : NULL, "2");
	append_group(sql, &group, by & EMBED_BY_KEY ? "key_name" : NULL, "3");
	append_group(sql, &group, by & EMBED_BY_UPSTREAM ? "upstream" : NULL, "4");
	append_group(sql, &group, by & EMBED_BY_LANE ? "lane" : NULL, "5");
	append_sums(sql);
	buffer_append_text(
	    sql, " FROM hourly WHERE hour >= ?1 AND hour < ?2 AND (?3 IS NULL OR key_name = ?3)");
	if (group.len > 0) {
		buffer_append(sql, group.bytes, group.len);
		buffer_append_text(sql, " ORDER BY 1, 2, 3, 4, 5");
	}
	buffer_append_char(sql, '\0');
	if (group.status != EMBED_OK)
		sql->status = group.status;
	buffer_fini(&group);
}

static int64_t hour_floor(int64_t time_s)
{
	return time_s <= 0 ? 0 : time_s - time_s % BOOK_HOUR_S;
}

static int64_t hour_ceiling(int64_t time_s)
{
	if (time_s == 0 || time_s > INT64_MAX - BOOK_HOUR_S)
		return INT64_MAX;
	return hour_floor(time_s + BOOK_HOUR_S - 1);
}

static int bind_query(sqlite3_stmt *statement, const struct embed_usage_query *query)
{
	int rc = sqlite3_bind_int64(statement, 1, hour_floor(query->since_s));

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(statement, 2, hour_ceiling(query->until_s));
	if (rc == SQLITE_OK && query->key_name != NULL)
		rc = sqlite3_bind_text(statement, 3, query->key_name, -1, SQLITE_STATIC);
	return rc;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

static uint64_t column_sum(sqlite3_stmt *statement, int column)
{
	int64_t high = sqlite3_column_int64(statement, FIRST_SUM + 2 * column);
	int64_t low = sqlite3_column_int64(statement, FIRST_SUM + 2 * column + 1);

	high += low >> 31;
	return high > INT64_MAX >> 31 ? INT64_MAX : (uint64_t)(high << 31 | (low & INT32_MAX));
}

static void hand_row(sqlite3_stmt *statement, embed_usage_fn *fn, void *context)
{
	const struct embed_usage_row row = {
		.start_s = sqlite3_column_int64(statement, START),
		.model = column_text(statement, MODEL),
		.key_name = column_text(statement, KEY_NAME),
		.upstream = column_text(statement, UPSTREAM),
		.lane = column_text(statement, LANE),
		.attempts = column_sum(statement, 0),
		.failed_attempts = column_sum(statement, 1),
		.billed_texts = column_sum(statement, 2),
		.billed_tokens = column_sum(statement, 3),
		.cost_nano = column_sum(statement, 4),
		.hit_texts = column_sum(statement, 5),
		.hit_tokens = column_sum(statement, 6),
		.joined_texts = column_sum(statement, 7),
		.joined_tokens = column_sum(statement, 8),
		.saved_nano = column_sum(statement, 9),
	};

	fn(&row, context);
}

static enum embed_status report(struct ledger *ledger, const char *sql,
    const struct embed_usage_query *query, embed_usage_fn *fn, void *context,
    struct embed_error *error)
{
	sqlite3_stmt *statement = NULL;
	enum embed_status status = EMBED_OK;
	int rc = sqlite3_prepare_v2(ledger->reader, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = bind_query(statement, query);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW)
			hand_row(statement, fn, context);
	}
	if (rc != SQLITE_DONE)
		status = book_error(ledger, error, ledger->reader, "be read");
	sqlite3_finalize(statement);
	return status;
}

enum embed_status ledger_usage(struct ledger *ledger, const struct embed_usage_query *query,
    embed_usage_fn *fn, void *context, struct embed_error *error)
{
	enum embed_status status;
	struct buffer sql;

	buffer_init(&sql, SQL_BYTES_MAX);
	write_sql(&sql, query->by);
	if (sql.status == EMBED_OK) {
		pthread_mutex_lock(&ledger->read_lock);
		status = report(ledger, sql.bytes, query, fn, context, error);
		pthread_mutex_unlock(&ledger->read_lock);
	} else {
		status = error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	buffer_fini(&sql);
	return status;
}

/* ---- The latest attempts ------------------------------------------------------ */

static enum embed_status status_of_code(const char *code)
{
	for (int status = 0; status < EMBED_STATUS_COUNT; status++)
		if (strcmp(code, embed_status_code((enum embed_status)status)) == 0)
			return (enum embed_status)status;
	return EMBED_UPSTREAM; /* of a newer version */
}

static void hand_attempt(sqlite3_stmt *statement, ledger_attempt_fn *fn, void *context)
{
	const char *lane = column_text(statement, 4), *status = column_text(statement, 11);
	const struct ledger_attempt attempt = {
	    .time_us = sqlite3_column_int64(statement, 0),
	    .upstream = column_text(statement, 1),
	    .model = column_text(statement, 2),
	    .key_name = column_text(statement, 3),
	    .lane = strcmp(lane == NULL ? "" : lane, "bulk") == 0 ? EMBED_LANE_BULK
								  : EMBED_LANE_INTERACTIVE,
	    .is_part = sqlite3_column_int(statement, 5) != 0,
	    .is_billed = sqlite3_column_int(statement, 6) != 0,
	    .texts = (uint32_t)sqlite3_column_int64(statement, 7),
	    .tokens = (uint64_t)sqlite3_column_int64(statement, 8),
	    .cost_nano = (uint64_t)sqlite3_column_int64(statement, 9),
	    .http_status = sqlite3_column_int(statement, 10),
	    .status = status_of_code(status == NULL ? "" : status),
	    .latency_us = sqlite3_column_int64(statement, 12),
	    .retry = (uint32_t)sqlite3_column_int64(statement, 13),
	    .request_id = column_text(statement, 14),
	};

	fn(&attempt, context);
}

static enum embed_status recent(struct ledger *ledger, size_t limit, ledger_attempt_fn *fn,
    void *context, struct embed_error *error)
{
	static const char sql[] =
	    "SELECT time_us, upstream, model, key_name, lane, is_part, is_billed, texts, tokens,"
	    " cost_nano, http_status, status, latency_us, retry, request_id"
	    " FROM attempt ORDER BY id DESC LIMIT ?1";
	sqlite3_stmt *statement = NULL;
	enum embed_status status = EMBED_OK;
	int rc = sqlite3_prepare_v2(ledger->reader, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(
		    statement, 1, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW)
			hand_attempt(statement, fn, context);
	}
	if (rc != SQLITE_DONE)
		status = book_error(ledger, error, ledger->reader, "be read");
	sqlite3_finalize(statement);
	return status;
}

enum embed_status ledger_recent(struct ledger *ledger, size_t limit, ledger_attempt_fn *fn,
    void *context, struct embed_error *error)
{
	enum embed_status status;

	pthread_mutex_lock(&ledger->read_lock);
	status = recent(ledger, limit, fn, context, error);
	pthread_mutex_unlock(&ledger->read_lock);
	return status;
}

static enum embed_status spent(struct ledger *ledger, int64_t since_us, ledger_spent_fn *fn,
    void *context, struct embed_error *error)
{
	/* total() does not overflow, and the cast stops at the largest number. */
	static const char sql[] =
	    "SELECT upstream, sum(NOT is_part), sum(texts), CAST(total(tokens) AS INTEGER)"
	    " FROM attempt WHERE time_us >= ?1 GROUP BY upstream";
	sqlite3_stmt *statement = NULL;
	enum embed_status status = EMBED_OK;
	int rc = sqlite3_prepare_v2(ledger->reader, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(statement, 1, since_us);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW)
			fn(&(struct ledger_spent){.upstream = column_text(statement, 0),
			       .attempts = (uint64_t)sqlite3_column_int64(statement, 1),
			       .texts = (uint64_t)sqlite3_column_int64(statement, 2),
			       .tokens = (uint64_t)sqlite3_column_int64(statement, 3)},
			    context);
	}
	if (rc != SQLITE_DONE)
		status = book_error(ledger, error, ledger->reader, "be read");
	sqlite3_finalize(statement);
	return status;
}

enum embed_status ledger_spent(struct ledger *ledger, int64_t since_us, ledger_spent_fn *fn,
    void *context, struct embed_error *error)
{
	enum embed_status status;

	pthread_mutex_lock(&ledger->read_lock);
	status = spent(ledger, since_us, fn, context, error);
	pthread_mutex_unlock(&ledger->read_lock);
	return status;
}
