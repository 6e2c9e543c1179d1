/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "wire/model.h"

static void holds_openais_three_models(void **state)
{
	const struct embed_model *small = model_find("text-embedding-3-small");
	const struct embed_model *large = model_find("text-embedding-3-large");
	const struct embed_model *ada = model_find("text-embedding-ada-002");

	(void)state;
	assert_int_equal(small->dimensions, 1536);
	assert_int_equal(small->nano_per_token, 20);
	assert_int_equal(model_batch_nano_per_token(small), 10);
	assert_int_equal(large->dimensions, 3072);
	assert_int_equal(large->nano_per_token, 130);
	assert_int_equal(model_batch_nano_per_token(large), 65);
	assert_false(ada->can_shorten);
	assert_string_equal(ada->owned_by, "openai-internal");
	assert_int_equal(ada->created_s, 1671217299);
	assert_string_equal(ada->encoding, "cl100k_base");
	assert_int_equal(ada->text_tokens, 8192);
}

static void the_list_ends(void **state)
{
	size_t count = 0;

	(void)state;
	while (model_at(count) != NULL)
		count++;
	assert_int_equal(count, 3);
	assert_null(model_at(SIZE_MAX));
	assert_null(model_find("text-embedding-3"));
	assert_null(model_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holds_openais_three_models),
	    cmocka_unit_test(the_list_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
