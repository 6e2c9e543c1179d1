/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/error.h"
#include "service/result.h"

static void vectors_do_not_overlap_and_are_aligned(void **state)
{
	struct embed_result *result = result_create(100);
	float *vectors[100];

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		vectors[i] = result_vector(result, 1 + (uint32_t)i * 37);
		assert_int_equal((uintptr_t)vectors[i] % 64, 0);
		for (size_t j = 0; j < 1 + i * 37; j++)
			vectors[i][j] = (float)i;
	}
	for (size_t i = 0; i < 100; i++)
		for (size_t j = 0; j < 1 + i * 37; j++)
			assert_true(vectors[i][j] == (float)i);
	embed_result_destroy(result);
}

static void an_undone_vector_is_carved_again(void **state)
{
	struct embed_result *result = result_create(1);
	float *first;

	(void)state;
	result_vector(result, 10);
	first = result_vector(result, 1536);
	result_vector_undo(result, 1536);
	assert_ptr_equal(result_vector(result, 1536), first);
	embed_result_destroy(result);
}

static void a_failed_text_says_which_it_was(void **state)
{
	struct embed_result *result = result_create(3);
	const struct embed_answer *answer;
	struct embed_error error;

	(void)state;
	error_set(&error, EMBED_REFUSED, "no");
	result_fail(result, 2, &error);
	answer = embed_result_answer(result, 2);
	assert_int_equal(answer->status, EMBED_REFUSED);
	assert_int_equal(answer->error->index, 2);
	assert_null(embed_result_vector(result, 2, NULL));
	assert_int_equal(embed_result_totals(result)->failed, 1);
	assert_null(embed_result_answer(result, 3));
	embed_result_destroy(result);
}

static void a_count_that_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_null(result_create(SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_do_not_overlap_and_are_aligned),
	    cmocka_unit_test(an_undone_vector_is_carved_again),
	    cmocka_unit_test(a_failed_text_says_which_it_was),
	    cmocka_unit_test(a_count_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
