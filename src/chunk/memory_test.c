/* SPDX-License-Identifier: MIT */
/* Cutting a text takes no memory that grows with it, but for the list of chunks.  How time grows is text.linear. */
#include "chunk/chunk_cases.h"

#include <sys/resource.h>

static size_t peak_bytes(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (size_t)usage.ru_maxrss << 10;
}

/* A program of its own, since the peak is that of the process. */
static void a_long_text_is_cut_in_little_memory(void **state)
{
	static const char unit[] = "Ships sail on the sea. Wax seals letters, says Dr. Bell.\n\n";
	struct embed_chunk_options options =
	    options_of(EMBED_CHUNK_RECURSIVE, EMBED_UNIT_TOKENS, 512, 64);
	size_t len = (size_t)16 << 20, before;
	char *bytes;

	(void)state;
	if (TEST_IS_SANITIZED)
		skip();
	bytes = malloc(len);
	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = unit[i % (sizeof(unit) - 1)];
	chunk_destroy(chunk(bytes, (size_t)1 << 20, &options)); /* what is there once */
	before = peak_bytes();
	chunk_destroy(chunk(bytes, len, &options));
	assert_true(peak_bytes() - before < len / 4);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_long_text_is_cut_in_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
