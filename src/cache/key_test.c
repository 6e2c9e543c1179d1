/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cache/key.h"

static struct cache_space space_of(const char *base_url, const char *model, const char *named)
{
	struct cache_space space;
	struct embed_error error;

	assert_int_equal(cache_space_make(&space, base_url, model, named, &error), EMBED_OK);
	return space;
}

static bool same_space(struct cache_space a, struct cache_space b)
{
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

#define SMALL "text-embedding-3-small"

static void openai_and_azure_hosts_share_one_space_per_model(void **state)
{
	static const char *const urls[] = {
	    "https://api.openai.com/v1",
	    "https://API.OpenAI.com:443/v1/",
	    "https://api.openai.com.",
	    "https://eu.api.openai.com/v1",
	    "https://mtls.api.openai.com/v1",
	    "https://res.openai.azure.com/openai/deployments/mine",
	    "https://res.openai.azure.com/openai/v1",
	    "https://res.cognitiveservices.azure.com/openai",
	    "https://user:secret@api.openai.com/v1",
	};
	struct cache_space own = space_of(NULL, SMALL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_true(same_space(own, space_of(urls[i], SMALL, NULL)));
	assert_false(same_space(own, space_of(NULL, "text-embedding-3-large", NULL)));
}

static void look_alikes_of_openai_are_somewhere_else(void **state)
{
	static const char *const urls[] = {
	    "http://api.openai.com/v1",
	    "https://api.openai.com:8443/v1",
	    "https://api.openai.com.evil.example/v1",
	    "https://notapi.openai.com/v1",
	    "https://evil.example/api.openai.com",
	    "https://evil.example/?x=@api.openai.com",
	    "https://api.openai.com@evil.example/v1",
	    "https://evilopenai.azure.com/",
	    "https://.openai.azure.com/",
	};
	struct cache_space own = space_of(NULL, SMALL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_false(same_space(own, space_of(urls[i], SMALL, NULL)));
}

static void elsewhere_the_origin_counts_and_the_path_does_not(void **state)
{
	struct cache_space local = space_of("http://localhost:8080/v1", "m", NULL);

	(void)state;
	assert_true(same_space(local, space_of("HTTP://LocalHost:8080/other/", "m", NULL)));
	assert_true(same_space(local, space_of("http://me@localhost:8080", "m", NULL)));
	assert_false(same_space(local, space_of("http://localhost:8081/v1", "m", NULL)));
	assert_false(same_space(local, space_of("https://localhost:8080/v1", "m", NULL)));
	assert_false(same_space(local, space_of("http://localhost:8080/v1", "M", NULL)));
	assert_true(
	    same_space(space_of("http://a/v1", "m", NULL), space_of("http://a:80", "m", NULL)));
	assert_false(same_space(
	    space_of("http://[::1]:1/", "m", NULL), space_of("http://[::1]:2/", "m", NULL)));
}

static void a_named_space_replaces_the_origin(void **state)
{
	struct cache_space named = space_of("http://one:1/v1", "m", "ours");

	(void)state;
	assert_true(same_space(named, space_of("http://two:2/v1", "m", "ours")));
	assert_true(same_space(named, space_of(NULL, "m", "ours")));
	assert_false(same_space(named, space_of(NULL, "n", "ours")));
	assert_false(same_space(named, space_of(NULL, "m", "theirs")));
	assert_true(same_space(space_of(NULL, "m", NULL), space_of(NULL, "m", "")));
}

static void no_model_name_can_imitate_another_space(void **state)
{
	(void)state;
	assert_false(
	    same_space(space_of(NULL, "m@http://a", NULL), space_of("http://a", "m", NULL)));
	assert_false(same_space(space_of(NULL, "ours m", NULL), space_of(NULL, "m", "ours")));
}

static void what_cannot_be_a_space_is_refused(void **state)
{
	char long_name[CACHE_SPACE_MAX + 1];
	struct cache_space space;
	struct embed_error error;

	(void)state;
	memset(long_name, 'm', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(cache_space_make(&space, NULL, NULL, NULL, &error), EMBED_NO_MODEL);
	assert_int_equal(cache_space_make(&space, NULL, "", NULL, &error), EMBED_NO_MODEL);
	assert_int_equal(
	    cache_space_make(&space, "localhost", "m", NULL, &error), EMBED_BAD_OPTION);
	assert_int_equal(cache_space_make(&space, "http://", "m", NULL, &error), EMBED_BAD_OPTION);
	assert_int_equal(
	    cache_space_make(&space, "http:///v1", "m", NULL, &error), EMBED_BAD_OPTION);
	assert_int_equal(
	    cache_space_make(&space, "http://[::1", "m", NULL, &error), EMBED_BAD_OPTION);
	assert_int_equal(cache_space_make(&space, NULL, "a\nb", NULL, &error), EMBED_BAD_OPTION);
	assert_int_equal(cache_space_make(&space, NULL, "m", "a\nb", &error), EMBED_BAD_OPTION);
	assert_int_equal(cache_space_make(&space, NULL, long_name, NULL, &error), EMBED_BAD_OPTION);
	assert_int_equal(cache_space_make(&space, long_name, "m", NULL, &error), EMBED_BAD_OPTION);
}

static void every_part_of_the_scope_makes_another_key(void **state)
{
	struct cache_space one = space_of(NULL, "m", NULL), two = space_of(NULL, "n", NULL);
	const struct cache_scope scopes[] = {{&one, NULL, 0}, {&two, NULL, 0}, {&one, "team", 0},
	    {&one, NULL, 256}, {&one, NULL, 0, "\"a\":1"}, {&one, NULL, 0, "\"a\":2"}};
	struct digest keys[6], again;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_true(cache_key_text(&keys[i], &scopes[i], "text", 4));
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(digest_equals(&keys[i], &keys[j]));
	assert_true(cache_key_text(&again, &(struct cache_scope){&one, "", 0, ""}, "text", 4));
	assert_true(digest_equals(&again, &keys[0]));
}

static void text_is_its_bytes_with_nul_and_all(void **state)
{
	struct cache_space space = space_of(NULL, "m", NULL);
	const struct cache_scope scope = {&space, NULL, 0};
	struct digest a, b;

	(void)state;
	assert_true(cache_key_text(&a, &scope, "a\0b", 3));
	assert_true(cache_key_text(&b, &scope, "a\0c", 3));
	assert_false(digest_equals(&a, &b));
	assert_true(cache_key_text(&b, &scope, "a", 1));
	assert_false(digest_equals(&a, &b));
}

static void ids_never_share_a_key_with_the_text_of_the_same_bytes(void **state)
{
	static const uint32_t ids[] = {0x64636261, 0x68676665};
	struct cache_space space = space_of(NULL, "m", NULL);
	const struct cache_scope scope = {&space, NULL, 0};
	struct digest from_ids, from_text;

	(void)state;
	assert_true(cache_key_ids(&from_ids, &scope, ids, 2));
	assert_true(cache_key_text(&from_text, &scope, "abcdefgh", 8));
	assert_false(digest_equals(&from_ids, &from_text));
}

/* A store outlives the program: if this changes, every store is worth nothing.  Computed by hand in Python. */
static void a_known_text_keeps_its_key_for_ever(void **state)
{
	static const uint8_t expected[4] = {0x1e, 0x05, 0x04, 0x84};
	struct cache_space space = space_of(NULL, SMALL, NULL);
	struct digest key;

	(void)state;
	assert_true(cache_key_text(&key, &(struct cache_scope){&space, NULL, 0}, "hello", 5));
	assert_memory_equal(key.bytes, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openai_and_azure_hosts_share_one_space_per_model),
	    cmocka_unit_test(look_alikes_of_openai_are_somewhere_else),
	    cmocka_unit_test(elsewhere_the_origin_counts_and_the_path_does_not),
	    cmocka_unit_test(a_named_space_replaces_the_origin),
	    cmocka_unit_test(no_model_name_can_imitate_another_space),
	    cmocka_unit_test(what_cannot_be_a_space_is_refused),
	    cmocka_unit_test(every_part_of_the_scope_makes_another_key),
	    cmocka_unit_test(text_is_its_bytes_with_nul_and_all),
	    cmocka_unit_test(ids_never_share_a_key_with_the_text_of_the_same_bytes),
	    cmocka_unit_test(a_known_text_keeps_its_key_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
