/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/error.h"

static void every_status_has_a_code_and_a_meaning(void **state)
{
	(void)state;
	for (int status = 0; status < EMBED_STATUS_COUNT; status++) {
		assert_true(strlen(embed_status_code(status)) > 0);
		assert_true(strlen(embed_status_meaning(status)) > 0);
		for (int other = 0; other < status; other++)
			assert_string_not_equal(
			    embed_status_code(status), embed_status_code(other));
	}
	assert_string_equal(embed_status_code(EMBED_STATUS_COUNT), "unknown");
}

static void a_long_message_is_cut_between_characters(void **state)
{
	struct embed_error error;
	char text[600];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 510, "\xe2\x82\xac", 3); /* the cut falls inside the euro sign */
	text[599] = '\0';
	assert_int_equal(error_set(&error, EMBED_IO, "%s", text), EMBED_IO);
	assert_int_equal(strlen(error.message), 510);
	assert_int_equal(error.message[509], 'a');
	assert_true(error.index == EMBED_NO_INDEX);
}

static void no_error_struct_is_fine(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, EMBED_IO, "x"), EMBED_IO);
	assert_int_equal(error_set_at(NULL, EMBED_IO, 1, 2, "x"), EMBED_IO);
	error_clear(NULL);
}

static void a_copy_tells_the_same_and_nobody_need_ask_for_it(void **state)
{
	struct embed_error from, to;

	(void)state;
	error_set_at(&from, EMBED_BAD_UTF8, 3, 14, "not UTF-8");
	error_clear(&to);
	assert_int_equal(error_copy(&to, &from), EMBED_BAD_UTF8);
	assert_int_equal(to.status, EMBED_BAD_UTF8);
	assert_int_equal(to.index, 3);
	assert_int_equal(to.offset, 14);
	assert_string_equal(to.message, "not UTF-8");
	assert_int_equal(error_copy(&from, &from), EMBED_BAD_UTF8);
	assert_int_equal(error_copy(NULL, &from), EMBED_BAD_UTF8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_status_has_a_code_and_a_meaning),
	    cmocka_unit_test(a_long_message_is_cut_between_characters),
	    cmocka_unit_test(no_error_struct_is_fine),
	    cmocka_unit_test(a_copy_tells_the_same_and_nobody_need_ask_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
