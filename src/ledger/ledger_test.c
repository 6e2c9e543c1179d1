/* SPDX-License-Identifier: MIT */
#include "ledger/testing.h"

#include <fcntl.h>

static void an_attempt_counts_after_reopening(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempt = good_attempt(NOW_S);

	(void)state;
	add(ledger, &attempt, 1);
	ledger_close(ledger);
	ledger = open_ledger();
	assert_string_equal(usage_by(ledger, 0), "0 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void a_ledger_without_rows_has_one_row_of_zeros_and_no_groups(void **state)
{
	struct ledger *ledger = open_ledger();

	(void)state;
	assert_string_equal(usage_by(ledger, 0), "0 - - - -: 0/0 0 0 0 | 0 0 0 0 0\n");
	assert_string_equal(usage_by(ledger, EMBED_BY_DAY), "");
	ledger_close(ledger);
}

static void a_failed_attempt_counts_and_bills_nothing(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[2] = {good_attempt(NOW_S), good_attempt(NOW_S)};

	(void)state;
	attempts[1].is_billed = false;
	attempts[1].status = EMBED_RATE_LIMITED;
	attempts[1].http_status = 429;
	add(ledger, attempts, 2);
	assert_string_equal(usage_by(ledger, 0), "0 - - - -: 2/1 10 100 2000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void parts_of_an_attempt_bill_each_key_and_count_once(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt parts[2] = {good_attempt(NOW_S), good_attempt(NOW_S)};

	(void)state;
	parts[1].key_name = "bob";
	parts[1].is_part = true;
	parts[1].tokens = 50;
	add(ledger, parts, 2);
	assert_string_equal(usage_by(ledger, EMBED_BY_KEY),
	    "0 - alice - -: 1/0 10 100 2000 | 0 0 0 0 0\n"
	    "0 - bob - -: 0/0 10 50 2000 | 0 0 0 0 0\n");
	assert_string_equal(usage_by(ledger, 0), "0 - - - -: 1/0 20 150 4000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void savings_add_up_per_hour_and_belong_to_no_upstream(void **state)
{
	struct ledger *ledger = open_ledger();
	const struct ledger_saving saving = {.time_us = NOW_S * 1000000,
	    .model = "small",
	    .key_name = "alice",
	    .hit_texts = 1,
	    .hit_tokens = 2,
	    .joined_texts = 3,
	    .joined_tokens = 4,
	    .saved_nano = 5};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ledger_add(ledger, NULL, 0, &saving, 1, NULL), EMBED_OK);
	assert_string_equal(usage_by(ledger, EMBED_BY_UPSTREAM | EMBED_BY_LANE | EMBED_BY_MODEL),
	    "0 small -  interactive: 0/0 0 0 0 | 3 6 9 12 15\n");
	ledger_close(ledger);
}

static void groups_by_hour_day_and_month_begin_at_utc_borders(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[3] = {
	    good_attempt(NOW_S), good_attempt(NOW_S + 3600), good_attempt(NOW_S + 86400 * 30)};

	(void)state;
	add(ledger, attempts, 3);
	assert_string_equal(usage_by(ledger, EMBED_BY_HOUR),
	    "1699999200 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n"
	    "1700002800 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n"
	    "1702591200 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	assert_string_equal(usage_by(ledger, EMBED_BY_DAY),
	    "1699920000 - - - -: 2/0 20 200 4000 | 0 0 0 0 0\n"
	    "1702512000 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	assert_string_equal(usage_by(ledger, EMBED_BY_MONTH | EMBED_BY_MODEL),
	    "1698796800 small - - -: 2/0 20 200 4000 | 0 0 0 0 0\n"
	    "1701388800 small - - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void groups_come_in_order_of_every_part(void **state)
{
	static const char *const names[] = {"b", "a", "c"};
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[9];

	(void)state;
	for (int i = 0; i < 9; i++) {
		attempts[i] = good_attempt(NOW_S);
		attempts[i].model = names[i / 3];
		attempts[i].key_name = names[i % 3];
	}
	add(ledger, attempts, 9);
	assert_string_equal(
	    usage_of(ledger,
		(struct embed_usage_query){
		    .by = EMBED_BY_MODEL | EMBED_BY_KEY, .since_s = NOW_S, .key_name = "b"}),
	    "0 a b - -: 1/0 10 100 2000 | 0 0 0 0 0\n"
	    "0 b b - -: 1/0 10 100 2000 | 0 0 0 0 0\n"
	    "0 c b - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void a_query_takes_whole_hours(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[3] = {
	    good_attempt(HOUR_S - 1), good_attempt(HOUR_S), good_attempt(HOUR_S + 3600)};
	struct embed_usage_query query = {.since_s = HOUR_S + 1800, .until_s = HOUR_S + 1801};

	(void)state;
	add(ledger, attempts, 3);
	assert_string_equal(usage_of(ledger, query), "0 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	query.until_s = HOUR_S + 3600;
	assert_string_equal(usage_of(ledger, query), "0 - - - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	query.until_s = 0;
	assert_string_equal(usage_of(ledger, query), "0 - - - -: 2/0 20 200 4000 | 0 0 0 0 0\n");
	query.until_s = INT64_MAX;
	query.since_s = INT64_MIN;
	assert_string_equal(usage_of(ledger, query), "0 - - - -: 3/0 30 300 6000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void names_are_data_whatever_they_hold(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempt = good_attempt(NOW_S);
	struct embed_usage_query query = {
	    .by = EMBED_BY_KEY, .key_name = "'; DROP TABLE hourly; --"};

	(void)state;
	attempt.key_name = query.key_name;
	attempt.request_id = NULL;
	add(ledger, &attempt, 1);
	assert_string_equal(usage_of(ledger, query),
	    "0 - '; DROP TABLE hourly; -- - -: 1/0 10 100 2000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void absurd_numbers_from_upstream_do_not_stop_the_ledger(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempt = good_attempt(NOW_S);

	(void)state;
	attempt.tokens = UINT64_MAX;
	attempt.cost_nano = UINT64_MAX;
	for (int i = 0; i < 20; i++)
		add(ledger, &attempt, 1);
	assert_string_equal(usage_by(ledger, 0),
	    "0 - - - -: 20/0 200 22517998136852480 22517998136852480 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void count_spent(const struct ledger_spent *spent, void *context)
{
	*(struct ledger_spent *)context = *spent;
}

/* 2^50 a row: 2^13 of them are beyond what SQLite adds up. */
static void not_even_thousands_of_absurd_numbers_stop_it(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[1025];
	struct ledger_spent spent = {0};

	(void)state;
	for (size_t i = 0; i < 1025; i++) {
		attempts[i] = good_attempt(NOW_S);
		attempts[i].tokens = UINT64_MAX;
	}
	for (int i = 0; i < 8; i++)
		add(ledger, attempts, 1025);
	assert_string_equal(usage_by(ledger, 0),
	    "0 - - - -: 8200/0 82000 4611686018427387904 16400000 | 0 0 0 0 0\n");
	assert_int_equal(ledger_spent(ledger, 0, count_spent, &spent, NULL), EMBED_OK);
	assert_int_equal(spent.tokens, INT64_MAX);

	/* Nor does their sum over other hours, or a good row after them. */
	attempts[0].time_us += 3600ll * 1000000;
	attempts[1] = good_attempt(NOW_S);
	for (int i = 2; i < 1025; i++)
		attempts[i].time_us += 3600ll * 1000000;
	for (int i = 0; i < 8; i++)
		add(ledger, attempts, 1025);
	assert_string_equal(usage_by(ledger, 0),
	    "0 - - - -: 16400/0 164000 9223372036854775807 32800000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void pruning_attempts_leaves_reports_as_they_are(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[3] = {
	    good_attempt(NOW_S - 100), good_attempt(NOW_S - 1), good_attempt(NOW_S)};
	uint64_t removed = 0;

	(void)state;
	add(ledger, attempts, 3);
	assert_int_equal(ledger_prune(ledger, NOW_S, &removed, NULL), EMBED_OK);
	assert_int_equal(removed, 2);
	assert_int_equal(ledger_prune(ledger, NOW_S, &removed, NULL), EMBED_OK);
	assert_int_equal(removed, 0);
	assert_string_equal(usage_by(ledger, 0), "0 - - - -: 3/0 30 300 6000 | 0 0 0 0 0\n");
	ledger_close(ledger);
}

static void keep_attempt(const struct ledger_attempt *attempt, void *context)
{
	char *text = context;
	size_t len = strlen(text);

	snprintf(text + len, 1024 - len, "%s %s %d %s;", attempt->key_name, attempt->request_id,
	    attempt->http_status, embed_status_code(attempt->status));
}

static void the_latest_attempts_come_newest_first(void **state)
{
	struct ledger *ledger = open_ledger();
	struct ledger_attempt attempts[3] = {
	    good_attempt(NOW_S), good_attempt(NOW_S), good_attempt(NOW_S)};
	char text[1024] = "";

	(void)state;
	attempts[2].request_id = "req_3";
	attempts[2].status = EMBED_QUOTA;
	attempts[2].http_status = 429;
	add(ledger, attempts, 3);
	assert_int_equal(ledger_recent(ledger, 2, keep_attempt, text, NULL), EMBED_OK);
	assert_string_equal(text, "alice req_3 429 quota_exhausted;alice req_1 200 ok;");
	ledger_close(ledger);
}

/* ---- What can be wrong with the file ---------------------------------------------- */

static char *ledger_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/ledger.db", home);
	return path;
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(ledger_path(), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void assert_open_fails_with(const char *part)
{
	struct ledger *ledger = NULL;
	struct embed_error error;

	assert_int_equal(ledger_open(&ledger, home, &error), EMBED_LEDGER);
	if (strstr(error.message, part) == NULL)
		fail_msg("'%s' is not in: %s", part, error.message);
	assert_null(ledger);
}

static void a_newer_version_is_refused_with_a_hint(void **state)
{
	(void)state;
	ledger_close(open_ledger());
	run_sql("PRAGMA user_version = 99");
	assert_open_fails_with("newer program");
}

static void another_programs_database_is_left_alone(void **state)
{
	(void)state;
	run_sql("CREATE TABLE recipes (name TEXT)");
	assert_open_fails_with("another program");
}

static void a_file_that_is_no_database_is_refused_with_a_hint(void **state)
{
	int fd = open(ledger_path(), O_WRONLY | O_CREAT, 0600);
	char junk[5000];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	close(fd);
	assert_open_fails_with("move it away");
}

static void a_home_that_cannot_be_made_is_a_clear_error(void **state)
{
	struct ledger *ledger = NULL;
	struct embed_error error;

	(void)state;
	assert_int_equal(ledger_open(&ledger, "/proc/nowhere", &error), EMBED_LEDGER);
	assert_non_null(strstr(error.message, "another home"));
	assert_int_equal(ledger_open(&ledger, "", &error), EMBED_BAD_OPTION);
}

static void the_file_is_for_its_owner_alone(void **state)
{
	struct ledger *ledger = open_ledger();
	struct stat found;

	(void)state;
	assert_int_equal(stat(ledger_path(), &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	ledger_close(ledger);
}

/* What SQLite does by itself when a file cannot be opened for writing just now. */
static int open_for_reading(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given)
{
	if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
		flags = (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
	return sqlite3_vfs_find("unix")->xOpen(vfs, name, file, flags, given);
}

static void a_ledger_that_no_row_could_go_into_is_refused_with_a_reason(void **state)
{
	sqlite3_vfs reading = *sqlite3_vfs_find("unix");
	struct embed_error error;
	struct ledger *ledger = open_ledger();
	enum embed_status status;

	(void)state;
	ledger_close(ledger);
	reading.zName = "reading";
	reading.xOpen = open_for_reading;
	sqlite3_vfs_register(&reading, 1);
	status = ledger_open(&ledger, home, &error);
	sqlite3_vfs_unregister(&reading);
	sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
	assert_int_equal(status, EMBED_LEDGER);
	assert_non_null(strstr(error.message, "for reading only"));
}

static void keep_spent(const struct ledger_spent *spent, void *context)
{
	char *text = context;

	sprintf(text + strlen(text), "%s %llu %llu %llu\n", spent->upstream,
	    (unsigned long long)spent->attempts, (unsigned long long)spent->texts,
	    (unsigned long long)spent->tokens);
}

static void what_was_spent_of_late_is_told_by_upstream(void **state)
{
	struct ledger_attempt attempts[] = {
	    good_attempt(1000), good_attempt(1060), good_attempt(1061), good_attempt(1062)};
	struct ledger *ledger = open_ledger();
	char text[256] = "";

	(void)state;
	attempts[2].is_part = true; /* of the attempt before, another key's share */
	attempts[3].upstream = "second";
	add(ledger, attempts, 4);
	assert_int_equal(ledger_spent(ledger, 1060000000, keep_spent, text, NULL), EMBED_OK);
	assert_string_equal(text, "openai 1 20 200\nsecond 1 10 100\n");
	text[0] = '\0';
	assert_int_equal(ledger_spent(ledger, 1063000000, keep_spent, text, NULL), EMBED_OK);
	assert_string_equal(text, "");
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_spent_of_late_is_told_by_upstream),
	    TEST(an_attempt_counts_after_reopening),
	    TEST(a_ledger_without_rows_has_one_row_of_zeros_and_no_groups),
	    TEST(a_failed_attempt_counts_and_bills_nothing),
	    TEST(parts_of_an_attempt_bill_each_key_and_count_once),
	    TEST(savings_add_up_per_hour_and_belong_to_no_upstream),
	    TEST(groups_by_hour_day_and_month_begin_at_utc_borders),
	    TEST(groups_come_in_order_of_every_part),
	    TEST(a_query_takes_whole_hours),
	    TEST(names_are_data_whatever_they_hold),
	    TEST(absurd_numbers_from_upstream_do_not_stop_the_ledger),
	    TEST(not_even_thousands_of_absurd_numbers_stop_it),
	    TEST(pruning_attempts_leaves_reports_as_they_are),
	    TEST(the_latest_attempts_come_newest_first),
	    TEST(a_newer_version_is_refused_with_a_hint),
	    TEST(another_programs_database_is_left_alone),
	    TEST(a_file_that_is_no_database_is_refused_with_a_hint),
	    TEST(a_home_that_cannot_be_made_is_a_clear_error),
	    TEST(the_file_is_for_its_owner_alone),
	    TEST(a_ledger_that_no_row_could_go_into_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
