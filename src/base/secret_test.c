/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/secret.h"

static void a_string_is_overwritten_to_its_end(void **state)
{
	char text[] = "sk-test-string";

	(void)state;
	secret_forget(text);
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 0);
	secret_forget(NULL);
}

static void a_block_keeps_its_bytes_when_it_grows_and_shrinks(void **state)
{
	char *block = secret_realloc(NULL, 3);

	(void)state;
	assert_non_null(block);
	memcpy(block, "abc", 3);
	block = secret_realloc(block, 100000);
	assert_memory_equal(block, "abc", 3);
	memset(block, 'x', 100000);
	block = secret_realloc(block, 2);
	assert_memory_equal(block, "xx", 2);
	secret_free(block);
	secret_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_string_is_overwritten_to_its_end),
	    cmocka_unit_test(a_block_keeps_its_bytes_when_it_grows_and_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
