/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "service/backlog.h"

static void rows_keep_their_own_strings(void **state)
{
	struct backlog backlog;
	char model[] = "m", key[] = "alice";
	struct ledger_attempt row = {.upstream = "u", .model = model, .key_name = key, .tokens = 7};

	(void)state;
	backlog_init(&backlog);
	assert_int_equal(backlog_add(&backlog, &row, 1), 1);
	model[0] = key[0] = 'X';
	assert_string_equal(backlog.rows[0].model, "m");
	assert_string_equal(backlog.rows[0].key_name, "alice");
	assert_string_equal(backlog.rows[0].request_id, "");
	assert_int_equal(backlog.rows[0].tokens, 7);
	backlog_fini(&backlog);
}

static void a_full_backlog_says_how_much_it_took(void **state)
{
	const struct ledger_attempt rows[10] = {{.model = "m"}};
	struct backlog backlog;
	size_t taken = 0;

	(void)state;
	backlog_init(&backlog);
	for (size_t i = 0; i < BACKLOG_MAX_ROWS / 10 + 3; i++)
		taken += backlog_add(&backlog, rows, 10);
	assert_int_equal(taken, BACKLOG_MAX_ROWS);
	backlog_clear(&backlog);
	assert_int_equal(backlog_add(&backlog, rows, 10), 10);
	backlog_fini(&backlog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_keep_their_own_strings),
	    cmocka_unit_test(a_full_backlog_says_how_much_it_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
