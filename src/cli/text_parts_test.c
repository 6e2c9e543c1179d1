/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <unistd.h>

#include "cli/text_parts.h"

static void parts_end_after_lines_that_a_letter_follows(void **state)
{
	(void)state;
	assert_int_equal(text_parts_end("one\ntwo", 7), 4);
	assert_int_equal(text_parts_end("one\ntwo\n", 8), 4);
	assert_int_equal(text_parts_end("one\n\n two", 9), 0);
	assert_int_equal(text_parts_end("one\ntwo\n/x\n 3", 13), 4);
	assert_int_equal(text_parts_end("", 0), 0);
	assert_int_equal(text_parts_end("\n", 1), 0);
}

struct sum {
	size_t bytes, tokens, parts;
};

static enum embed_status add(const char *bytes, size_t len, void *context)
{
	struct sum *sum = context;
	size_t tokens;

	assert_int_equal(embed_count_tokens(NULL, bytes, len, &tokens), EMBED_OK);
	sum->bytes += len;
	sum->tokens += tokens;
	sum->parts++;
	return EMBED_OK;
}

/* A few MB of lines that begin with all sorts of things, through a file. */
static void parts_have_the_tokens_of_the_whole(void **state)
{
	static const char *const lines[] = {"Plain words.\n", "  indented!\n", "\n\n",
	    "/path ...\n", "'s odd\r\n", "1234\n", "\xe4\xb8\xad\xe6\x96\x87\n", "end.\n\t\n"};
	FILE *file = tmpfile();
	char *whole = malloc(4 << 20);
	size_t len = 0, tokens;
	struct sum sum = {0};

	(void)state;
	for (size_t i = 0; len < (3 << 20); i++) {
		const char *line = lines[(i * i + i / 7) % 8];

		memcpy(whole + len, line, strlen(line));
		len += strlen(line);
	}
	assert_int_equal(fwrite(whole, 1, len, file), len);
	rewind(file);
	assert_int_equal(text_parts_read(fileno(file), "test", add, &sum, NULL), EMBED_OK);
	assert_int_equal(embed_count_tokens(NULL, whole, len, &tokens), EMBED_OK);
	assert_int_equal(sum.bytes, len);
	assert_int_equal(sum.tokens, tokens);
	assert_true(sum.parts > 2);
	fclose(file);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_end_after_lines_that_a_letter_follows),
	    cmocka_unit_test(parts_have_the_tokens_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
