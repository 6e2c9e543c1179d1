/* SPDX-License-Identifier: MIT */
/* Texts from the store only, many at a time. */
#include "fixture.h"

#define DIMENSIONS 1536

#define MANY 21 /* more than two groups of a lookup, and not a multiple of one */

struct found {
	const embed_result *expected;
	size_t count;
};

static void compare_found(size_t index, const struct embed_answer *answer, void *context)
{
	struct found *found = context;

	assert_int_equal(index, found->count++);
	assert_int_equal(answer->source, EMBED_FROM_STORE);
	assert_int_equal(answer->tokens, embed_result_answer(found->expected, index)->tokens);
	assert_memory_equal(answer->vector, embed_result_vector(found->expected, index, NULL),
	    DIMENSIONS * sizeof(float));
}

static void make_many(struct embed_text *texts, char bytes[MANY][16])
{
	for (size_t i = 0; i < MANY; i++) {
		snprintf(bytes[i], sizeof(bytes[i]), "many %zu", i);
		texts[i] = text_of(bytes[i]);
	}
}

/* What was answered is in the store once the service was closed. */
static void reopen(struct fixture *fixture)
{
	embed_close(fixture->service);
	open_service(fixture, NULL);
}

static void many_are_looked_up_in_order_until_one_is_not_there(void **state)
{
	struct fixture *fixture = *state;
	char bytes[MANY][16];
	struct embed_text texts[MANY];
	float vector[DIMENSIONS];
	struct embed_lookup_options options = EMBED_LOOKUP_OPTIONS_INIT;
	struct embed_stats before = EMBED_STATS_INIT, after = EMBED_STATS_INIT;
	struct found seen = {0};
	embed_result *expected;
	size_t found;

	make_many(texts, bytes);
	expected = embed(fixture, texts, MANY, NULL);
	reopen(fixture);
	embed_stats(fixture->service, &before);
	options.vector = vector;
	options.cap = DIMENSIONS;
	options.on_found = compare_found;
	options.context = &seen;
	for (size_t missing = 0; missing <= MANY; missing++) {
		struct embed_text asked[MANY];

		memcpy(asked, texts, sizeof(asked));
		if (missing < MANY)
			asked[missing] = text_of(missing % 2 ? "never asked for" : "");
		seen = (struct found){.expected = expected};
		assert_int_equal(embed_lookup_many(fixture->service, asked, MANY, &options, &found),
		    missing == MANY ? EMBED_OK
		    : missing % 2   ? EMBED_NOT_STORED
				    : EMBED_EMPTY_TEXT);
		assert_int_equal(found, missing);
		assert_int_equal(seen.count, missing);
	}
	embed_stats(fixture->service, &after);
	assert_int_equal(after.hits - before.hits, MANY * (MANY + 1) / 2);
	assert_int_equal(after.texts - before.texts, MANY * (MANY + 1) / 2);
	embed_result_destroy(expected);
}

static void many_are_not_found_when_there_is_no_store_or_no_room(void **state)
{
	struct fixture *fixture = *state;
	const struct embed_text text = text_of("a vector too large");
	struct embed_request unstored = EMBED_REQUEST_INIT;
	struct embed_lookup_options options = EMBED_LOOKUP_OPTIONS_INIT;
	struct found seen = {0};
	float vector[8];
	size_t found = 1;

	embed_result_destroy(embed(fixture, &text, 1, NULL));
	reopen(fixture);
	options.vector = vector;
	options.cap = 8;
	options.on_found = compare_found;
	options.context = &seen;
	assert_int_equal(
	    embed_lookup_many(fixture->service, &text, 1, &options, &found), EMBED_TOO_LARGE);
	assert_int_equal(found, 0);
	unstored.no_store = true;
	options.request = &unstored;
	assert_int_equal(
	    embed_lookup_many(fixture->service, &text, 1, &options, &found), EMBED_NOT_STORED);
	assert_int_equal(found, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(many_are_looked_up_in_order_until_one_is_not_there),
	    TEST(many_are_not_found_when_there_is_no_store_or_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
