/* SPDX-License-Identifier: MIT */
#include "base/test_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "ledger/book.h"

/* 2023-11-14 22:13:20 UTC, a Tuesday; its hour began 800 s before. */
#define NOW_S  1700000000ll
#define HOUR_S (NOW_S - 800)

static struct test_folder folder;
static const char *const home = folder.path;

static int set_up(void **state)
{
	(void)state;
	test_folder_make(&folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_folder_drop(&folder);
	return 0;
}

static struct ledger *open_ledger(void)
{
	struct ledger *ledger = NULL;
	struct embed_error error;

	if (ledger_open(&ledger, home, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	return ledger;
}

static struct ledger_attempt good_attempt(int64_t time_s)
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

static void add(struct ledger *ledger, const struct ledger_attempt *attempts, size_t count)
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

static void print_row(const struct embed_usage_row *row, void *context)
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

static const char *usage_of(struct ledger *ledger, struct embed_usage_query query)
{
	static struct lines lines;
	struct embed_error error;

	lines.text[0] = '\0';
	lines.rows = 0;
	if (ledger_usage(ledger, &query, print_row, &lines, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	return lines.text;
}

static const char *usage_by(struct ledger *ledger, uint32_t by)
{
	return usage_of(ledger, (struct embed_usage_query){.by = by});
}

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

/* ---- Crashes, full disks, other processes ------------------------------------------- */

/* Wide rows, so that the limit is met soon. */
static enum embed_status add_wide(struct ledger *ledger, struct embed_error *error)
{
	struct ledger_attempt attempts[64];

	for (int i = 0; i < 64; i++) {
		attempts[i] = good_attempt(NOW_S);
		attempts[i].request_id =
		    "a request id that takes some room in the file, again and again";
	}
	return ledger_add(ledger, attempts, 64, NULL, 0, error);
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The kernel refuses to let files grow: what a full disk does, without one. */
static void a_full_disk_is_told_and_nothing_is_lost_or_counted_twice(void **state)
{
	struct ledger *ledger = open_ledger();
	struct embed_error error;
	uint64_t groups = 0;
	char expected[128];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_limit(256 << 10);
	while (add_wide(ledger, &error) == EMBED_OK && groups < 1000)
		groups++;
	assert_in_range(groups, 1, 999);
	assert_int_equal(error.status, EMBED_LEDGER);
	assert_non_null(strstr(error.message, "full"));
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(add_wide(ledger, &error), EMBED_OK);
	groups++;
	ledger_close(ledger);
	ledger = open_ledger();
	snprintf(expected, sizeof(expected), "0 - - - -: %llu/0 %llu %llu %llu | 0 0 0 0 0\n",
	    (unsigned long long)groups * 64, (unsigned long long)groups * 640,
	    (unsigned long long)groups * 6400, (unsigned long long)groups * 128000);
	assert_string_equal(usage_by(ledger, 0), expected);
	ledger_close(ledger);
}

/* A child adds one attempt of one token after the other and counts in shared memory. */
static void child_adds_for_ever(volatile uint64_t *added)
{
	struct ledger_attempt attempt = good_attempt(NOW_S);
	struct ledger *ledger = NULL;

	if (ledger_open(&ledger, home, NULL) != EMBED_OK)
		_exit(1);
	attempt.tokens = 1;
	while (ledger_add(ledger, &attempt, 1, NULL, 0, NULL) == EMBED_OK)
		(*added)++;
	_exit(1);
}

static void wait_until(volatile const uint64_t *added, uint64_t wanted, int64_t give_up_us)
{
	while (*added < wanted && clock_now_us() < give_up_us)
		usleep(200);
}

static uint64_t tokens_billed(struct ledger *ledger)
{
	unsigned long long attempts, failed, texts, tokens;

	assert_int_equal(sscanf(usage_by(ledger, 0), "0 - - - -: %llu/%llu %llu %llu", &attempts,
			     &failed, &texts, &tokens),
	    4);
	return tokens;
}

static int rounds_asked(int usual)
{
	const char *asked = getenv("EMBED_TEST_KILL_ROUNDS");

	return asked == NULL ? usual : atoi(asked);
}

static void nothing_that_was_added_is_lost_by_kill_9(void **state)
{
	volatile uint64_t *added =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct random random = {(uint64_t)clock_now_us()};
	int rounds = rounds_asked(15);
	struct ledger *ledger;

	(void)state;
	ledger_close(open_ledger());
	for (int round = 0; round < rounds; round++) {
		pid_t child = fork();
		uint64_t wanted = *added + random_below(&random, 8);
		uint64_t tokens;
		int how;

		if (child == 0)
			child_adds_for_ever(added);
		wait_until(added, wanted, clock_now_us() + 5000000);
		usleep((useconds_t)random_below(&random, 3000));
		kill(child, SIGKILL);
		waitpid(child, &how, 0);
		assert_true(WIFSIGNALED(how));
		ledger = open_ledger();
		tokens = tokens_billed(ledger);
		ledger_close(ledger);
		/* The one in the air may have arrived without being counted. */
		assert_in_range(tokens, *added, *added + 1);
		*added = tokens;
	}
	munmap((void *)(uintptr_t)added, 4096);
}

#define CHILDREN     4
#define CHILD_GROUPS 10

static void several_processes_add_at_once(void **state)
{
	pid_t children[CHILDREN];
	struct ledger *ledger;
	int how;

	(void)state;
	/* No one has made the file yet: they meet at creating it too. */
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct ledger *own = NULL;
			int failed = ledger_open(&own, home, NULL) != EMBED_OK;

			for (int group = 0; !failed && group < CHILD_GROUPS; group++)
				failed = add_wide(own, NULL) != EMBED_OK;
			_exit(failed);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		waitpid(children[i], &how, 0);
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
	ledger = open_ledger();
	assert_int_equal(tokens_billed(ledger), CHILDREN * CHILD_GROUPS * 6400);
	ledger_close(ledger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	    TEST(pruning_attempts_leaves_reports_as_they_are),
	    TEST(the_latest_attempts_come_newest_first),
	    TEST(a_newer_version_is_refused_with_a_hint),
	    TEST(another_programs_database_is_left_alone),
	    TEST(a_file_that_is_no_database_is_refused_with_a_hint),
	    TEST(a_home_that_cannot_be_made_is_a_clear_error),
	    TEST(the_file_is_for_its_owner_alone),
	    TEST(a_full_disk_is_told_and_nothing_is_lost_or_counted_twice),
	    TEST(nothing_that_was_added_is_lost_by_kill_9),
	    TEST(several_processes_add_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
