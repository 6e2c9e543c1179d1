/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/buffer.h"

static void grows_up_to_its_maximum_and_not_beyond(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1000);
	for (int i = 0; i < 1000; i++)
		buffer_append_char(&buffer, (char)('a' + i % 26));
	assert_int_equal(buffer.status, EMBED_OK);
	assert_int_equal(buffer.len, 1000);
	buffer_append_char(&buffer, '!');
	assert_int_equal(buffer.status, EMBED_TOO_LARGE);
	assert_int_equal(buffer.len, 1000);
	assert_null(buffer_take(&buffer, NULL));
	buffer_fini(&buffer);
}

static void a_failed_buffer_ignores_what_follows_until_reset(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4);
	buffer_append_text(&buffer, "too long");
	buffer_append_text(&buffer, "x");
	assert_int_equal(buffer.len, 0);
	buffer_reset(&buffer);
	buffer_append_text(&buffer, "fits");
	assert_int_equal(buffer.status, EMBED_OK);
	assert_int_equal(buffer.len, 4);
	buffer_fini(&buffer);
}

static void a_huge_length_is_refused_without_overflow(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 100);
	buffer_append_text(&buffer, "ab");
	assert_null(buffer_reserve(&buffer, SIZE_MAX));
	assert_int_equal(buffer.status, EMBED_TOO_LARGE);
	buffer_fini(&buffer);
}

static void taken_bytes_are_terminated_and_the_buffer_starts_anew(void **state)
{
	struct buffer buffer;
	size_t len;
	char *text;

	(void)state;
	buffer_init(&buffer, 100);
	buffer_printf(&buffer, "%d texts", 3);
	text = buffer_take(&buffer, &len);
	assert_string_equal(text, "3 texts");
	assert_int_equal(len, 7);
	assert_int_equal(buffer.len, 0);
	free(text);
	text = buffer_take(&buffer, &len);
	assert_string_equal(text, "");
	free(text);
	buffer_fini(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grows_up_to_its_maximum_and_not_beyond),
	    cmocka_unit_test(a_failed_buffer_ignores_what_follows_until_reset),
	    cmocka_unit_test(a_huge_length_is_refused_without_overflow),
	    cmocka_unit_test(taken_bytes_are_terminated_and_the_buffer_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
