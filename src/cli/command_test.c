/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <string.h>

#include "cli/command.h"

static void each_command_is_found_by_its_name_and_stands_on_the_table_once(void **state)
{
	const struct command *command;

	(void)state;
	assert_non_null(command_at(0));
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(command_at(j)->name, command->name);
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		assert_ptr_equal(command_find(command->name), command);
}

static void a_name_that_is_no_command_is_not_found(void **state)
{
	(void)state;
	assert_null(command_find("tex"));
	assert_null(command_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_command_is_found_by_its_name_and_stands_on_the_table_once),
	    cmocka_unit_test(a_name_that_is_no_command_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
