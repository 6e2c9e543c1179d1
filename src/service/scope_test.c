/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "service/scope.h"

struct fixture {
	struct settings *settings;
};

static int open_settings(void **state)
{
	static struct fixture fixture;
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_error error;

	options.home = "/nowhere";
	assert_int_equal(settings_create(&fixture.settings, &options, &error), EMBED_OK);
	*state = &fixture;
	return 0;
}

static int close_settings(void **state)
{
	settings_destroy(((struct fixture *)*state)->settings);
	return 0;
}

static enum embed_status scope_of(void **state, struct scope *scope,
    const struct embed_request *request, struct embed_error *error)
{
	return scope_init(scope, ((struct fixture *)*state)->settings, request, error);
}

static void without_a_request_everything_has_its_default(void **state)
{
	struct embed_error error;
	struct scope scope;

	assert_int_equal(scope_of(state, &scope, NULL, &error), EMBED_OK);
	assert_string_equal(scope.request.model, "text-embedding-3-small");
	assert_int_equal(scope.dimensions, 1536);
	assert_int_equal(scope.text_tokens, 8192);
	assert_int_equal(scope.key.fixed_dimensions, 0);
	assert_string_equal(scope.request.key_name, "");
	assert_false(scope.request.no_store);
}

static void fewer_dimensions_share_a_key_where_the_model_can_shorten(void **state)
{
	struct embed_request request = EMBED_REQUEST_INIT;
	struct embed_error error;
	struct scope scope;

	request.dimensions = 256;
	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_OK);
	assert_int_equal(scope.key.fixed_dimensions, 0);
	assert_int_equal(scope.dimensions, 256);
	request.model = "somebody-elses-model";
	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_OK);
	assert_int_equal(scope.key.fixed_dimensions, 256);
}

static void impossible_dimensions_are_refused_before_anything_is_sent(void **state)
{
	struct embed_request request = EMBED_REQUEST_INIT;
	struct embed_error error;
	struct scope scope;

	request.dimensions = 1537;
	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_BAD_DIMENSIONS);
	assert_non_null(strstr(error.message, "at most 1536"));
	request.model = "text-embedding-ada-002";
	request.dimensions = 1536;
	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_BAD_DIMENSIONS);
	request.model = "";
	request.dimensions = 0;
	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_NO_MODEL);
}

static void a_shorter_request_struct_of_an_older_caller_works(void **state)
{
	struct embed_request request = EMBED_REQUEST_INIT;
	struct embed_error error;
	struct scope scope;

	request.dimensions = 99;
	request.lane = EMBED_LANE_BULK;
	request.size = offsetof(struct embed_request, lane);
	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_OK);
	assert_int_equal(scope.dimensions, 99);
	assert_int_equal(scope.request.lane, EMBED_LANE_INTERACTIVE);
}

static void a_request_that_its_macro_did_not_make_is_refused(void **state)
{
	struct embed_request request = {.model = "text-embedding-3-large"};
	struct embed_error error;
	struct scope scope;

	assert_int_equal(scope_of(state, &scope, &request, &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, "EMBED_REQUEST_INIT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_request_everything_has_its_default),
	    cmocka_unit_test(fewer_dimensions_share_a_key_where_the_model_can_shorten),
	    cmocka_unit_test(impossible_dimensions_are_refused_before_anything_is_sent),
	    cmocka_unit_test(a_shorter_request_struct_of_an_older_caller_works),
	    cmocka_unit_test(a_request_that_its_macro_did_not_make_is_refused),
	};

	return cmocka_run_group_tests(tests, open_settings, close_settings);
}
