/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "ledger/book.h"

#define BUSY_TIMEOUT_MS 10000
#define MODE_WAIT_MS    5

/* "embd", so that file(1) and we can tell it from other databases. */
#define APPLICATION_ID 0x656d6264

/* Times are UTC; `hour` is the Unix second it starts at. */
static const char schema[] = "CREATE TABLE attempt ("
			     " id INTEGER PRIMARY KEY,"
			     " time_us INTEGER NOT NULL,"
			     " upstream TEXT NOT NULL,"
			     " model TEXT NOT NULL,"
			     " key_name TEXT NOT NULL,"
			     " lane TEXT NOT NULL,"
			     " is_part INTEGER NOT NULL,"
			     " is_billed INTEGER NOT NULL,"
			     " texts INTEGER NOT NULL,"
			     " tokens INTEGER NOT NULL,"
			     " cost_nano INTEGER NOT NULL,"
			     " http_status INTEGER NOT NULL,"
			     " status TEXT NOT NULL,"
			     " latency_us INTEGER NOT NULL,"
			     " retry INTEGER NOT NULL,"
			     " request_id TEXT NOT NULL"
			     ") STRICT;"
			     "CREATE INDEX attempt_by_time ON attempt (time_us);"
			     "CREATE TABLE hourly ("
			     " hour INTEGER NOT NULL,"
			     " model TEXT NOT NULL,"
			     " key_name TEXT NOT NULL,"
			     " upstream TEXT NOT NULL,"
			     " lane TEXT NOT NULL,"
			     " attempts INTEGER NOT NULL,"
			     " failed_attempts INTEGER NOT NULL,"
			     " billed_texts INTEGER NOT NULL,"
			     " billed_tokens INTEGER NOT NULL,"
			     " cost_nano INTEGER NOT NULL,"
			     " hit_texts INTEGER NOT NULL,"
			     " hit_tokens INTEGER NOT NULL,"
			     " joined_texts INTEGER NOT NULL,"
			     " joined_tokens INTEGER NOT NULL,"
			     " saved_nano INTEGER NOT NULL,"
			     " PRIMARY KEY (hour, model, key_name, upstream, lane)"
			     ") STRICT, WITHOUT ROWID;";

static const char add_attempt_sql[] =
    "INSERT INTO attempt (time_us, upstream, model, key_name, lane, is_part, is_billed, texts,"
    " tokens, cost_nano, http_status, status, latency_us, retry, request_id)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/* A sum stops at 2^62: SQLite refuses one that overflows, and with it the whole group. */
#define ADD(column) " " column " = min(" column " + excluded." column ", 4611686018427387904)"

/* clang-format off */
static const char add_hourly_sql[] =
    "INSERT INTO hourly VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    " ON CONFLICT DO UPDATE SET"
    ADD("attempts") ","
    ADD("failed_attempts") ","
    ADD("billed_texts") ","
    ADD("billed_tokens") ","
    ADD("cost_nano") ","
    ADD("hit_texts") ","
    ADD("hit_tokens") ","
    ADD("joined_texts") ","
    ADD("joined_tokens") ","
    ADD("saved_nano");
/* clang-format on */
#undef ADD

/* ---- Errors --------------------------------------------------------------- */

static const struct {
	int code;
	const char *advice;
} advices[] = {
    {SQLITE_FULL, "the disk is full: make room, nothing is lost meanwhile"},
    {SQLITE_BUSY, "another process has kept it locked for 10 s: end that process"},
    {SQLITE_READONLY, "it is read-only: choose a home on a writable disk that belongs to you"},
    {SQLITE_CANTOPEN, "it cannot be opened: make the home belong to the user who runs this"},
    {SQLITE_PERM, "permission denied: make the home belong to the user who runs this"},
    {SQLITE_NOTADB, "the file is no database: move it away, a new one will be made"},
    {SQLITE_CORRUPT, "the file is damaged: save what is left with 'sqlite3 ledger.db .recover', "
		     "then move it away"},
    {SQLITE_IOERR, "the disk failed or is full: check it, nothing is lost meanwhile"},
};

enum embed_status book_error(
    const struct ledger *ledger, struct embed_error *error, sqlite3 *db, const char *doing)
{
	int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db) & 0xff;

	if (code == SQLITE_NOMEM)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].code == code)
			return error_set(error, EMBED_LEDGER, "the ledger %.200s could not %s: %s",
			    ledger->path, doing, advices[i].advice);
	return error_set(error, EMBED_LEDGER, "the ledger %.200s could not %s: %.150s",
	    ledger->path, doing, sqlite3_errmsg(db));
}

/* ---- The file -------------------------------------------------------------- */

static bool make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		bool made;

		*slash = '\0';
		made = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	return true;
}

/* For its owner alone; SQLite gives the files beside it the same mode. */
static enum embed_status make_file(
    struct ledger *ledger, const char *home, struct embed_error *error)
{
	int len = snprintf(ledger->path, sizeof(ledger->path), "%s/ledger.db", home);
	int fd;

	if (home[0] == '\0' || len < 0 || len + (int)sizeof("-journal") > (int)sizeof(ledger->path))
		return error_set(error, EMBED_BAD_OPTION, "the home's path is empty or too long");
	fd = make_folders(ledger->path) ? open(ledger->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
					: -1;
	if (fd < 0)
		return error_set(error, EMBED_LEDGER,
		    "the ledger %.200s cannot be made: %s; choose another home", ledger->path,
		    strerror(errno));
	close(fd);
	return EMBED_OK;
}

static int connect_to(const char *path, sqlite3 **db)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int rc = sqlite3_open_v2(path, db, flags, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
	return rc;
}

/* One number that SQL answers with. */
static int ask_number(sqlite3 *db, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* ---- The schema ------------------------------------------------------------- */

static enum embed_status check_version(
    const struct ledger *ledger, int64_t application, int64_t version, struct embed_error *error)
{
	if (application != APPLICATION_ID)
		return error_set(error, EMBED_LEDGER,
		    "%.200s is a database of another program: choose another home", ledger->path);
	if (version > BOOK_VERSION)
		return error_set(error, EMBED_LEDGER,
		    "the ledger %.200s has version %lld and this program knows up to %d: use the newer "
		    "program that wrote it, or another home",
		    ledger->path, (long long)version, BOOK_VERSION);
	return EMBED_OK;
}

/* Inside a transaction, because another process may be doing the same. */
static enum embed_status create_or_check(struct ledger *ledger, struct embed_error *error)
{
	sqlite3 *db = ledger->writer;
	int64_t application = 0, version = 0, tables = 0;
	char stamp[96];

	if (ask_number(db, "PRAGMA application_id", &application) != SQLITE_OK ||
	    ask_number(db, "PRAGMA user_version", &version) != SQLITE_OK ||
	    ask_number(db, "SELECT count(*) FROM sqlite_schema", &tables) != SQLITE_OK)
		return book_error(ledger, error, db, "be read");
	if (tables > 0)
		return check_version(ledger, application, version, error);
	snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    APPLICATION_ID, BOOK_VERSION);
	if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, stamp, NULL, NULL, NULL) != SQLITE_OK)
		return book_error(ledger, error, db, "be written");
	return EMBED_OK;
}

/*
 * Changing the mode is the one thing that SQLite does not wait for: processes
 * that make one ledger at the same instant would shut each other out.
 */
static int set_wal(sqlite3 *db)
{
	int64_t until_us = clock_now_us() + (int64_t)BUSY_TIMEOUT_MS * 1000;
	int rc;

	for (;;) {
		rc = sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if ((rc & 0xff) != SQLITE_BUSY || clock_now_us() >= until_us)
			return rc;
		sqlite3_sleep(MODE_WAIT_MS);
	}
}

/*
 * WAL: readers and the writer do not wait for each other.  FULL: a commit is
 * on disk when it returns; in WAL mode NORMAL would lose the last ones in a
 * power cut.
 */
static enum embed_status open_writer(struct ledger *ledger, struct embed_error *error)
{
	enum embed_status status;
	int64_t number;

	if (connect_to(ledger->path, &ledger->writer) != SQLITE_OK)
		return book_error(ledger, error, ledger->writer, "be opened");
	/* SQLite tries that by itself when it may not open for writing; no row would ever go in. */
	if (sqlite3_db_readonly(ledger->writer, "main") != 0)
		return error_set(error, EMBED_LEDGER,
		    "the ledger %.200s could be opened for reading only: too many open files (ulimit -n), "
		    "or its rights have just changed",
		    ledger->path);
	/* Reading before the mode is changed: a file that is not ours stays as it is. */
	if (ask_number(ledger->writer, "SELECT count(*) FROM sqlite_schema", &number) != SQLITE_OK)
		return book_error(ledger, error, ledger->writer, "be opened");
	if (number > 0) {
		status = create_or_check(ledger, error);
		if (status != EMBED_OK)
			return status;
	}
	if (set_wal(ledger->writer) != SQLITE_OK ||
	    sqlite3_exec(ledger->writer,
		"PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; BEGIN IMMEDIATE",
		NULL, NULL, NULL) != SQLITE_OK)
		return book_error(ledger, error, ledger->writer, "be opened");
	status = create_or_check(ledger, error);
	if (status == EMBED_OK &&
	    sqlite3_exec(ledger->writer, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		status = book_error(ledger, error, ledger->writer, "be written");
	return status;
}

static int prepare(struct ledger *ledger, const char *sql, sqlite3_stmt **statement)
{
	return sqlite3_prepare_v3(
	    ledger->writer, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static enum embed_status prepare_all(struct ledger *ledger, struct embed_error *error)
{
	if (prepare(ledger, add_attempt_sql, &ledger->add_attempt) != SQLITE_OK ||
	    prepare(ledger, add_hourly_sql, &ledger->add_hourly) != SQLITE_OK ||
	    prepare(ledger, "BEGIN IMMEDIATE", &ledger->begin) != SQLITE_OK ||
	    prepare(ledger, "COMMIT", &ledger->commit) != SQLITE_OK ||
	    prepare(ledger, "ROLLBACK", &ledger->rollback) != SQLITE_OK)
		return book_error(ledger, error, ledger->writer, "be opened");
	return EMBED_OK;
}

static enum embed_status open_reader(struct ledger *ledger, struct embed_error *error)
{
	if (connect_to(ledger->path, &ledger->reader) != SQLITE_OK ||
	    sqlite3_exec(ledger->reader, "PRAGMA query_only = ON", NULL, NULL, NULL) != SQLITE_OK)
		return book_error(ledger, error, ledger->reader, "be opened");
	return EMBED_OK;
}

enum embed_status ledger_open(struct ledger **out, const char *home, struct embed_error *error)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	enum embed_status status;

	if (ledger == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	pthread_mutex_init(&ledger->write_lock, NULL);
	pthread_mutex_init(&ledger->read_lock, NULL);
	status = make_file(ledger, home, error);
	if (status == EMBED_OK)
		status = open_writer(ledger, error);
	if (status == EMBED_OK)
		status = prepare_all(ledger, error);
	if (status == EMBED_OK)
		status = open_reader(ledger, error);
	if (status != EMBED_OK) {
		ledger_close(ledger);
		return status;
	}
	*out = ledger;
	return EMBED_OK;
}

void ledger_close(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	sqlite3_finalize(ledger->add_attempt);
	sqlite3_finalize(ledger->add_hourly);
	sqlite3_finalize(ledger->begin);
	sqlite3_finalize(ledger->commit);
	sqlite3_finalize(ledger->rollback);
	sqlite3_close(ledger->reader);
	sqlite3_close(ledger->writer);
	pthread_mutex_destroy(&ledger->read_lock);
	pthread_mutex_destroy(&ledger->write_lock);
	free(ledger);
}
