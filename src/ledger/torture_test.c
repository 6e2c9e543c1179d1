/* SPDX-License-Identifier: MIT */
/* Torture: each allocation fails in turn, SQLite's too; what was said to be added is there. */
#include "base/test_folder.h"
#include "base/test_memory.h"

#include "ledger/ledger.h"

#define NOW_US 1700000000000000ll

static const struct ledger_attempt one_token = {.time_us = NOW_US,
    .upstream = "u",
    .model = "m",
    .key_name = "k",
    .is_billed = true,
    .texts = 1,
    .tokens = 1};

static void count_tokens(const struct embed_usage_row *row, void *context)
{
	uint64_t *tokens = context;

	*tokens = row->billed_tokens;
}

static bool is_expected(enum embed_status status)
{
	return status == EMBED_OK || status == EMBED_NO_MEMORY || status == EMBED_LEDGER;
}

/* Returns how many tokens were said to be added. */
static uint64_t use_ledger(const char *home)
{
	struct embed_usage_query query = {.by = EMBED_BY_DAY | EMBED_BY_KEY};
	uint64_t added = 0, tokens = 0, removed;
	struct ledger *ledger;
	struct embed_error error;
	enum embed_status status = ledger_open(&ledger, home, &error);

	assert_true(is_expected(status));
	if (status != EMBED_OK)
		return 0;
	for (int i = 0; i < 2; i++) {
		status = ledger_add(ledger, &one_token, 1, NULL, 0, &error);
		assert_true(is_expected(status));
		added += status == EMBED_OK;
	}
	assert_true(is_expected(ledger_usage(ledger, &query, count_tokens, &tokens, &error)));
	assert_true(is_expected(ledger_prune(ledger, 1, &removed, &error)));
	ledger_close(ledger);
	return added;
}

static uint64_t tokens_in(const char *home)
{
	const struct embed_usage_query query = {.by = 0};
	struct ledger *ledger;
	uint64_t tokens = 0;

	assert_int_equal(ledger_open(&ledger, home, NULL), EMBED_OK);
	assert_int_equal(ledger_usage(ledger, &query, count_tokens, &tokens, NULL), EMBED_OK);
	ledger_close(ledger);
	return tokens;
}

static void no_failed_allocation_loses_or_doubles_a_row(void **state)
{
	struct test_folder home;
	bool has_failed = true;
	uint64_t added = 0;

	(void)state;
	if (!test_memory_can_fail)
		skip();
	test_folder_make(&home);
	for (long count = 1; has_failed; count++) {
		test_memory_fail_at(count);
		added += use_ledger(home.path);
		has_failed = test_memory_has_failed();
		test_memory_fail_at(0);
		assert_int_equal(tokens_in(home.path), added);
	}
	assert_true(added > 100);
	test_folder_drop(&home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_failed_allocation_loses_or_doubles_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
