/* SPDX-License-Identifier: MIT */
/*
 * Cutting a text takes no memory that grows with it, but for the list of
 * chunks, and linear time: four times the bytes must not take much more than
 * four times the time (sixteen times would be quadratic).  CPU time of this
 * thread, the best of some runs, so that other load on the machine does not count.
 */
#include "chunk/chunk_cases.h"

#include <sys/resource.h>
#include <time.h>

#define STRATEGIES EMBED_CHUNK_SEMANTIC /* all below it */
/* Far above the windows in which boundaries are looked for. */
#define SMALL      ((size_t)256 << 10)
#define TIMES      4
#define MOST_TIMES 8.0
#define RUNS       3

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double best_s(const char *bytes, size_t len, const struct embed_chunk_options *options)
{
	double best = 1e9;

	/* What takes long enough to be measured well is measured once. */
	for (int run = 0; run < RUNS; run++) {
		double start = cpu_s(), took;

		chunk_destroy(chunk(bytes, len, options));
		took = cpu_s() - start;
		best = took < best ? took : best;
		if (took > 0.05)
			break;
	}
	return best;
}

static void assert_linear(const char *unit)
{
	size_t unit_len = strlen(unit);
	char *bytes;

	/* Sanitizers have times of their own. */
	if (TEST_IS_SANITIZED)
		skip();
	bytes = malloc(SMALL * TIMES);
	assert_non_null(bytes);
	for (size_t i = 0; i < SMALL * TIMES; i++)
		bytes[i] = unit[i % unit_len];
	for (int strategy = 0; strategy < STRATEGIES; strategy++) {
		struct embed_chunk_options options =
		    options_of(strategy, EMBED_UNIT_BYTES, 256, 32);
		double small, large;

		options.uncounted = true;
		small = best_s(bytes, SMALL, &options);
		large = best_s(bytes, SMALL * TIMES, &options);
		if (large > small * MOST_TIMES)
			fail_msg("strategy %d: %.1f ms, and %.1f for four times as much", strategy,
			    small * 1e3, large * 1e3);
	}
	free(bytes);
}

static size_t peak_bytes(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (size_t)usage.ru_maxrss << 10;
}

/* First of all tests, since the peak is that of the process. */
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

static void prose_in_lines(void **state)
{
	(void)state;
	assert_linear("Ships sail on the sea. Wax seals letters, says Dr. Bell.\n\n");
}

static void a_text_that_is_one_line(void **state)
{
	(void)state;
	assert_linear("Ships sail on the sea. Wax seals letters, says Dr. Bell. ");
}

static void a_text_that_is_one_word(void **state)
{
	(void)state;
	assert_linear("a");
}

static void brackets_that_never_close(void **state)
{
	(void)state;
	assert_linear("([{ <a ");
}

static void a_script_without_blanks(void **state)
{
	(void)state;
	assert_linear("\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_long_text_is_cut_in_little_memory),
	    cmocka_unit_test(prose_in_lines),
	    cmocka_unit_test(a_text_that_is_one_line),
	    cmocka_unit_test(a_text_that_is_one_word),
	    cmocka_unit_test(brackets_that_never_close),
	    cmocka_unit_test(a_script_without_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
