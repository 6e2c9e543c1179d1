/* SPDX-License-Identifier: MIT */
/* Text when memory fails. */
#include "text/boundary.h"

#include "base/test_memory.h"

/* The first allocation of a look is the window's. */
static void a_look_without_memory_is_told(void **state)
{
	static const char text[] = "e\xcc\x81 \xe6\xbd\xae\xe6\xb1\x90 sails";
	struct boundary *finder;
	struct embed_error error;

	(void)state;
	if (!test_memory_can_fail)
		skip();
	assert_int_equal(boundary_create(&finder, BOUNDARY_GRAPHEME, NULL, &error), EMBED_OK);
	boundary_set_text(finder, text, sizeof(text) - 1);
	test_memory_fail_at(1);
	boundary_after(finder, 0);
	assert_true(test_memory_has_failed());
	test_memory_fail_at(0);
	assert_int_equal(boundary_status(finder), EMBED_NO_MEMORY);
	boundary_destroy(finder);

	assert_int_equal(boundary_create(&finder, BOUNDARY_GRAPHEME, NULL, &error), EMBED_OK);
	boundary_set_text(finder, text, sizeof(text) - 1);
	assert_int_equal(boundary_after(finder, 0), 3);
	assert_int_equal(boundary_status(finder), EMBED_OK);
	boundary_destroy(finder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_look_without_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
