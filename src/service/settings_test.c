/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "service/settings.h"

static enum embed_status create(
    struct settings **settings, const struct embed_options *options, struct embed_error *error)
{
	memset(error, 0, sizeof(*error));
	return settings_create(settings, options, error);
}

static void without_upstreams_there_is_openai(void **state)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.api_key = "sk-x";
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	assert_int_equal(settings->options.upstream_count, 1);
	assert_string_equal(settings->upstreams[0].base_url, "https://api.openai.com/v1");
	assert_string_equal(settings->upstreams[0].name, "api.openai.com");
	assert_string_equal(settings->upstreams[0].api_key, "sk-x");
	assert_int_equal(settings->upstreams[0].batch_texts, 2048);
	assert_string_equal(settings->options.model, "text-embedding-3-small");
	settings_destroy(settings);
}

static void strings_are_copies(void **state)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	char url[] = "http://127.0.0.1:8080/v1";
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.base_url = url;
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	url[0] = 'X';
	assert_string_equal(settings->upstreams[0].base_url, "http://127.0.0.1:8080/v1");
	assert_string_equal(settings->upstreams[0].name, "127.0.0.1:8080");
	settings_destroy(settings);
}

static void the_least_text_limit_of_all_upstreams_counts(void **state)
{
	const struct embed_upstream upstreams[] = {
	    {.base_url = "https://a/v1"}, {.base_url = "https://b/v1", .text_tokens = 2048}};
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.upstreams = upstreams;
	options.upstream_count = 2;
	options.batch_texts = 100;
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	assert_int_equal(settings->text_tokens, 2048);
	assert_int_equal(settings->upstreams[1].batch_texts, 100);
	settings_destroy(settings);
}

static void an_older_and_shorter_struct_works(void **state)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.model = "m";
	options.store_bytes = 5; /* beyond the old struct's end: must not be read */
	options.size = offsetof(struct embed_options, upstreams);
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	assert_string_equal(settings->options.model, "m");
	settings_destroy(settings);
}

static void a_struct_that_its_macro_did_not_make_is_refused(void **state)
{
	struct embed_options options = {.model = "m"};
	struct settings *settings;
	struct embed_error error;

	(void)state;
	assert_int_equal(create(&settings, &options, &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, "EMBED_OPTIONS_INIT"));
	options = (struct embed_options)EMBED_OPTIONS_INIT;
	options.upstream_count = 2;
	assert_int_equal(create(&settings, &options, &error), EMBED_BAD_OPTION);
	assert_string_equal(
	    error.message, "upstream_count is above 0, but the array it counts is NULL");
}

static void what_cannot_work_is_refused_with_a_sentence(void **state)
{
	const struct {
		struct embed_upstream upstream;
		const char *says;
	} cases[] = {
	    {{.base_url = "api.openai.com/v1"}, "https://host/v1"},
	    {{.base_url = "https:///v1"}, "https://host/v1"},
	    {{.base_url = "https://host/v1 "}, "blank"},
	    {{.api_key = "sk-x\n"}, "newline"},
	    {{.base_url = "https://r.openai.azure.com", .kind = EMBED_UPSTREAM_AZURE},
		"deployment"},
	};
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.upstream_count = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		options.upstreams = &cases[i].upstream;
		assert_int_equal(create(&settings, &options, &error), EMBED_BAD_OPTION);
		assert_non_null(strstr(error.message, cases[i].says));
		assert_null(strstr(error.message, "sk-x"));
	}
	options.upstreams = NULL;
	assert_int_equal(create(&settings, &options, &error), EMBED_BAD_OPTION);
}

static void other_options_change_keys_limits_and_prices_of_the_upstreams_there_are(void **state)
{
	struct embed_upstream upstreams[] = {{.base_url = "http://a/v1", .api_key = "sk-1"},
	    {.base_url = "http://b/v1", .api_key = "sk-2"}};
	const struct embed_upstream later[] = {{.base_url = "http://c/v1", .api_key = "sk-3"},
	    {.base_url = "http://b/v1", .api_key = "sk-4", .requests_per_minute = 7, .share = 9}};
	const struct embed_price price = {"text-embedding-3-small", 99};
	struct embed_options options = EMBED_OPTIONS_INIT;
	const struct settings *taken;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.upstreams = upstreams;
	options.upstream_count = 2;
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	assert_int_equal(settings_nano_per_token(settings, price.model), 20);
	options.upstreams = later;
	options.prices = &price;
	options.price_count = 1;
	assert_int_equal(settings_change(settings, &options, &taken, &error), EMBED_OK);
	assert_int_equal(settings_nano_per_token(settings, price.model), 99);
	assert_int_equal(taken->options.upstream_count, 2);
	assert_string_equal(taken->upstreams[0].api_key, "sk-1");
	assert_string_equal(taken->upstreams[1].api_key, "sk-4");
	assert_int_equal(taken->upstreams[1].requests_per_minute, 7);
	assert_int_equal(taken->upstreams[1].share, 1);
	assert_int_equal(settings_change(settings, &options, &taken, &error), EMBED_OK);
	assert_null(taken); /* nothing new */
	options.upstreams = upstreams;
	options.price_count = 0;
	assert_int_equal(settings_change(settings, &options, &taken, &error), EMBED_OK);
	assert_string_equal(taken->upstreams[1].api_key, "sk-2");
	assert_int_equal(settings_nano_per_token(settings, price.model), 20);
	settings_destroy(settings);
}

static void upstreams_that_look_alike_keep_their_own_keys(void **state)
{
	const struct embed_upstream upstreams[] = {
	    {.base_url = "https://a/v1", .api_key = "sk-1", .requests_per_minute = 1},
	    {.base_url = "https://a/v1", .api_key = "sk-2", .requests_per_minute = 2}};
	struct embed_upstream later[] = {upstreams[0], upstreams[1]};
	struct embed_options options = EMBED_OPTIONS_INIT;
	const struct settings *taken;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.upstreams = upstreams;
	options.upstream_count = 2;
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	assert_int_equal(settings_change(settings, &options, &taken, &error), EMBED_OK);
	assert_null(taken); /* nothing new */
	later[1].api_key = "sk-3";
	options.upstreams = later;
	assert_int_equal(settings_change(settings, &options, &taken, &error), EMBED_OK);
	assert_string_equal(taken->upstreams[0].api_key, "sk-1");
	assert_string_equal(taken->upstreams[1].api_key, "sk-3");
	assert_int_equal(taken->upstreams[1].requests_per_minute, 2);
	settings_destroy(settings);
}

static void a_password_in_the_url_is_no_part_of_the_name(void **state)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	options.base_url = "http://user:p@ss@proxy.example:8080/v1";
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	assert_string_equal(settings->upstreams[0].name, "proxy.example:8080");
	settings_destroy(settings);
}

static void options_that_cannot_work_change_nothing(void **state)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	const struct embed_price nameless = {NULL, 1};
	const struct settings *taken;
	struct settings *settings;
	struct embed_error error;

	(void)state;
	assert_int_equal(create(&settings, &options, &error), EMBED_OK);
	options.prices = &nameless;
	options.price_count = 1;
	assert_int_equal(settings_change(settings, &options, &taken, &error), EMBED_BAD_OPTION);
	assert_int_equal(settings_nano_per_token(settings, "text-embedding-3-small"), 20);
	settings_destroy(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_upstreams_there_is_openai),
	    cmocka_unit_test(strings_are_copies),
	    cmocka_unit_test(the_least_text_limit_of_all_upstreams_counts),
	    cmocka_unit_test(an_older_and_shorter_struct_works),
	    cmocka_unit_test(a_struct_that_its_macro_did_not_make_is_refused),
	    cmocka_unit_test(what_cannot_work_is_refused_with_a_sentence),
	    cmocka_unit_test(
		other_options_change_keys_limits_and_prices_of_the_upstreams_there_are),
	    cmocka_unit_test(upstreams_that_look_alike_keep_their_own_keys),
	    cmocka_unit_test(a_password_in_the_url_is_no_part_of_the_name),
	    cmocka_unit_test(options_that_cannot_work_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
