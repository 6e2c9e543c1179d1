/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "base/random.h"

#define DIMENSIONS 1536

/* ---- Paid once ------------------------------------------------------- */

static void equal_texts_are_paid_for_once_and_later_calls_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	const struct embed_text texts[] = {
	    text_of("a cat"), text_of("a dog"), text_of("a cat"), text_of("a cat")};
	embed_result *first = embed(fixture, texts, 4, NULL), *second;

	assert_int_equal(embed_result_totals(first)->failed, 0);
	assert_int_equal(embed_result_totals(first)->sent, 2);
	assert_int_equal(embed_result_totals(first)->joined, 2);
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 2);
	second = embed(fixture, texts, 4, NULL);
	assert_int_equal(embed_result_totals(second)->sent, 0);
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 2);
	for (size_t i = 0; i < 4; i++)
		assert_memory_equal(embed_result_vector(first, i, NULL),
		    embed_result_vector(second, i, NULL), DIMENSIONS * sizeof(float));
	embed_result_destroy(first);
	embed_result_destroy(second);
}

static void what_was_stored_survives_closing(void **state)
{
	struct fixture *fixture = *state;
	const struct embed_text text = text_of("kept");
	float vector[DIMENSIONS];
	struct embed_answer answer;
	embed_result *result = embed(fixture, &text, 1, NULL);

	embed_close(fixture->service);
	open_service(fixture, NULL);
	assert_int_equal(
	    embed_lookup(fixture->service, &text, NULL, vector, DIMENSIONS, &answer), EMBED_OK);
	assert_int_equal(answer.tokens, 1);
	assert_memory_equal(vector, embed_result_vector(result, 0, NULL), sizeof(vector));
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 1);
	embed_result_destroy(result);
}

static void token_ids_share_the_record_of_their_text(void **state)
{
	struct fixture *fixture = *state;
	const struct embed_text text = text_of("share me, please");
	struct embed_text as_ids = {0};
	embed_result *first, *second;
	uint32_t *ids;

	assert_int_equal(
	    embed_encode(NULL, text.bytes, text.len, &ids, &as_ids.id_count), EMBED_OK);
	as_ids.ids = ids;
	first = embed(fixture, &text, 1, NULL);
	second = embed(fixture, &as_ids, 1, NULL);
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 1);
	assert_memory_equal(embed_result_vector(first, 0, NULL),
	    embed_result_vector(second, 0, NULL), DIMENSIONS * sizeof(float));
	embed_result_destroy(first);
	embed_result_destroy(second);
	embed_free(ids);
}

static void fewer_dimensions_are_served_from_a_larger_record(void **state)
{
	struct fixture *fixture = *state;
	struct embed_request small = EMBED_REQUEST_INIT, unstored = EMBED_REQUEST_INIT;
	const struct embed_text text = text_of("cut me shorter");
	embed_result *full = embed(fixture, &text, 1, NULL), *cut, *asked;
	uint32_t dimensions;

	small.dimensions = unstored.dimensions = 256;
	unstored.no_store = true;
	cut = embed(fixture, &text, 1, &small);
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 1);
	assert_non_null(embed_result_vector(cut, 0, &dimensions));
	assert_int_equal(dimensions, 256);
	embed_close(fixture->service); /* a flight that is not yet durable could be joined */
	open_service(fixture, NULL);
	asked = embed(fixture, &text, 1, &unstored);
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 2);
	assert_true(cosine(embed_result_vector(cut, 0, NULL), embed_result_vector(asked, 0, NULL),
			256) > 0.999999);
	embed_result_destroy(full);
	embed_result_destroy(cut);
	embed_result_destroy(asked);
}

static void more_dimensions_than_stored_are_fetched_and_replace_the_record(void **state)
{
	struct fixture *fixture = *state;
	struct embed_request small = EMBED_REQUEST_INIT;
	const struct embed_text text = text_of("grow");
	uint32_t dimensions;

	small.dimensions = 64;
	embed_result_destroy(embed(fixture, &text, 1, &small));
	embed_result_destroy(embed(fixture, &text, 1, NULL));
	embed_result *again = embed(fixture, &text, 1, NULL);
	assert_non_null(embed_result_vector(again, 0, &dimensions));
	assert_int_equal(dimensions, DIMENSIONS);
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 2);
	embed_result_destroy(again);
}

/* ---- Bad input ------------------------------------------------------- */

static void a_bad_text_fails_alone_and_says_why_and_where(void **state)
{
	struct fixture *fixture = *state;
	const struct {
		struct embed_text text;
		enum embed_status status;
		size_t offset;
	} cases[] = {
	    {text_of("good"), EMBED_OK, 0},
	    {{.bytes = "", .len = 0}, EMBED_EMPTY_TEXT, EMBED_NO_INDEX},
	    {{.bytes = "ab\xff", .len = 3}, EMBED_BAD_UTF8, 2},
	    {{.bytes = "ab\xed\xa0\x80", .len = 5}, EMBED_BAD_UTF8, 2},
	    {{.bytes = "a\0b", .len = 3}, EMBED_NUL_IN_TEXT, 1},
	    {{.ids = (const uint32_t[]){1, 200000}, .id_count = 2}, EMBED_BAD_TOKEN, 1},
	    {text_of("also good"), EMBED_OK, 0},
	};
	struct embed_text texts[sizeof(cases) / sizeof(cases[0])];
	const struct embed_answer *answer;
	embed_result *result;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		texts[i] = cases[i].text;
	result = embed(fixture, texts, sizeof(cases) / sizeof(cases[0]), NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer = embed_result_answer(result, i);
		assert_int_equal(answer->status, cases[i].status);
		if (answer->status == EMBED_OK)
			continue;
		assert_int_equal(answer->error->index, i);
		assert_true(answer->error->offset == cases[i].offset);
		assert_true(strlen(answer->error->message) > 0);
	}
	assert_int_equal(stand_in_count(fixture->stand_in, "texts"), 2);
	embed_result_destroy(result);
}

/* `words` times "word " is that many tokens and one more. */
static char *long_text(size_t words)
{
	char *bytes = malloc(words * 5 + 1);

	for (size_t i = 0; i < words; i++)
		memcpy(bytes + i * 5, "word ", 5);
	bytes[words * 5] = '\0';
	return bytes;
}

static void a_text_that_is_too_long_follows_the_policy(void **state)
{
	struct fixture *fixture = *state;
	struct embed_request request = EMBED_REQUEST_INIT;
	char *bytes = long_text(20000);
	const struct embed_text text = text_of(bytes);
	const struct embed_answer *answer;
	embed_result *result;

	result = embed(fixture, &text, 1, &request);
	answer = embed_result_answer(result, 0);
	assert_int_equal(answer->status, EMBED_TEXT_TOO_LONG);
	assert_non_null(strstr(answer->error->message, "20001 tokens"));
	assert_int_equal(stand_in_count(fixture->stand_in, "embeddings_requests"), 0);
	embed_result_destroy(result);

	request.too_long = EMBED_TOO_LONG_TRUNCATE;
	result = embed(fixture, &text, 1, &request);
	answer = embed_result_answer(result, 0);
	assert_int_equal(answer->status, EMBED_OK);
	assert_true(answer->truncated);
	assert_int_equal(answer->tokens, 8192);
	embed_result_destroy(result);

	request.too_long = EMBED_TOO_LONG_AVERAGE;
	result = embed(fixture, &text, 1, &request);
	answer = embed_result_answer(result, 0);
	assert_int_equal(answer->status, EMBED_OK);
	assert_int_equal(answer->parts, 3);
	assert_int_equal(answer->tokens, 20001);
	assert_true(fabs(cosine(answer->vector, answer->vector, DIMENSIONS) - 1) < 1e-6);
	embed_result_destroy(result);
	free(bytes);
}

static void an_average_is_the_mean_of_its_parts_by_tokens(void **state)
{
	struct fixture *fixture = *state;
	struct embed_request request = EMBED_REQUEST_INIT;
	char *bytes = long_text(10000);
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	const struct embed_text text = text_of(bytes);
	double mean[DIMENSIONS] = {0}, dot = 0, square = 0;
	embed_result *averaged, *part;
	const struct embed_chunk *chunk;
	embed_chunks *chunks;

	request.too_long = EMBED_TOO_LONG_AVERAGE;
	averaged = embed(fixture, &text, 1, &request);
	options.strategy = EMBED_CHUNK_TOKENS;
	options.max = 8192;
	assert_int_equal(embed_chunk(bytes, text.len, &options, &chunks, NULL), EMBED_OK);
	for (size_t i = 0; i < embed_chunks_count(chunks); i++) {
		chunk = embed_chunks_at(chunks, i);
		part = embed(fixture,
		    &(struct embed_text){
			.bytes = bytes + chunk->start, .len = chunk->end - chunk->start},
		    1, NULL);
		assert_int_equal(embed_result_totals(part)->sent, 0);
		for (size_t d = 0; d < DIMENSIONS; d++)
			mean[d] += (double)chunk->tokens * embed_result_vector(part, 0, NULL)[d];
		embed_result_destroy(part);
	}
	for (size_t d = 0; d < DIMENSIONS; d++) {
		dot += mean[d] * embed_result_vector(averaged, 0, NULL)[d];
		square += mean[d] * mean[d];
	}
	assert_true(fabs(dot / sqrt(square) - 1) < 1e-6);
	embed_chunks_destroy(chunks);
	embed_result_destroy(averaged);
	free(bytes);
}

static void offline_a_miss_is_said_and_nothing_sent(void **state)
{
	struct fixture *fixture = *state;
	struct embed_request request = EMBED_REQUEST_INIT;
	const struct embed_text text = text_of("never seen");
	uint64_t before = stand_in_count(fixture->stand_in, "embeddings_requests");
	embed_result *result;

	request.offline = true;
	result = embed(fixture, &text, 1, &request);
	assert_int_equal(embed_result_answer(result, 0)->status, EMBED_NOT_STORED);
	assert_int_equal(stand_in_count(fixture->stand_in, "embeddings_requests"), before);
	embed_result_destroy(result);
}

static void without_a_key_openai_is_not_even_asked(void **state)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	const struct embed_text text = text_of("x");
	embed_service *service;
	embed_result *result;

	(void)state;
	assert_int_equal(embed_open(&service, &options, NULL), EMBED_OK);
	assert_int_equal(embed_texts(service, &text, 1, NULL, &result, NULL), EMBED_OK);
	assert_int_equal(embed_result_answer(result, 0)->status, EMBED_UNAUTHORIZED);
	assert_non_null(strstr(embed_result_answer(result, 0)->error->message, "OPENAI_API_KEY"));
	embed_result_destroy(result);
	embed_close(service);
}

static void semantic_chunks_are_cut_where_the_subject_changes(void **state)
{
	static const char bytes[] =
	    "The cat sat on the mat. The cat ate the mouse on the mat. The cat slept on the mat. "
	    "Interest rates rose again. Banks raised interest rates. Rates of interest rose in banks.";
	struct fixture *fixture = *state;
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;
	struct embed_error error = {0};
	embed_chunks *chunks;

	options.strategy = EMBED_CHUNK_SEMANTIC;
	options.max = 40;
	if (embed_chunk_semantic(fixture->service, bytes, sizeof(bytes) - 1, &options, NULL,
		&chunks, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	assert_int_equal(embed_chunks_count(chunks), 2);
	assert_int_equal(embed_chunks_at(chunks, 1)->start, strstr(bytes, "Interest") - bytes);
	embed_chunks_destroy(chunks);
}

/* ---- Each vector its own text ----------------------------------------- */

#define POOL 60

/* What the stand-in says to each text of the pool, asked without a store. */
static float *reference(struct fixture *fixture, char pool[POOL][32], struct embed_text *texts)
{
	struct embed_request request = EMBED_REQUEST_INIT;
	float *vectors = malloc(POOL * DIMENSIONS * sizeof(float));
	embed_result *result;

	for (size_t i = 0; i < POOL; i++) {
		snprintf(pool[i], 32, "text number %zu", i);
		texts[i] = text_of(pool[i]);
	}
	request.no_store = true;
	result = embed(fixture, texts, POOL, &request);
	for (size_t i = 0; i < POOL; i++)
		memcpy(vectors + i * DIMENSIONS, embed_result_vector(result, i, NULL),
		    DIMENSIONS * sizeof(float));
	embed_result_destroy(result);
	return vectors;
}

static void overlapping_calls_of_any_dimensions_get_each_text_its_own_vector(void **state)
{
	static const uint32_t dimensions[] = {0, 1536, 512, 100, 1};
	struct fixture *fixture = *state;
	struct embed_request request = EMBED_REQUEST_INIT;
	struct embed_text texts[POOL], asked[40];
	struct random random = {7};
	char pool[POOL][32];
	float *vectors = reference(fixture, pool, texts);
	size_t which[40], count;
	embed_result *result;
	uint32_t given;

	for (int round = 0; round < 60; round++) {
		count = 1 + random_below(&random, 40);
		request.dimensions = dimensions[random_below(&random, 5)];
		for (size_t i = 0; i < count; i++) {
			which[i] = random_below(&random, POOL);
			asked[i] = texts[which[i]];
		}
		result = embed(fixture, asked, count, &request);
		for (size_t i = 0; i < count; i++) {
			const float *vector = embed_result_vector(result, i, &given);

			assert_non_null(vector);
			assert_int_equal(
			    given, request.dimensions == 0 ? 1536 : request.dimensions);
			assert_true(
			    cosine(vector, vectors + which[i] * DIMENSIONS, given) > 0.99999);
		}
		embed_result_destroy(result);
	}
	free(vectors);
}

/* ---- Ledger ----------------------------------------------------------- */

static void add_usage(const struct embed_usage_row *row, void *context)
{
	struct embed_usage_row *sum = context;

	sum->attempts += row->attempts;
	sum->billed_texts += row->billed_texts;
	sum->billed_tokens += row->billed_tokens;
	sum->cost_nano += row->cost_nano;
	sum->hit_texts += row->hit_texts;
	sum->hit_tokens += row->hit_tokens;
	sum->joined_texts += row->joined_texts;
	sum->joined_tokens += row->joined_tokens;
	sum->saved_nano += row->saved_nano;
}

static void ledger_and_counters_agree_with_the_bill(void **state)
{
	struct fixture *fixture = *state;
	struct embed_usage_row sum = {0};
	struct embed_stats stats = EMBED_STATS_INIT;
	struct embed_text texts[100];
	char bytes[100][40];
	uint64_t tokens;

	for (size_t i = 0; i < 100; i++) {
		snprintf(bytes[i], sizeof(bytes[i]), "sentence %zu for the ledger", i);
		texts[i] = text_of(bytes[i]);
	}
	stand_in_fault(fixture->stand_in, "fault@next=1");
	embed_result_destroy(embed(fixture, texts, 100, NULL));
	embed_result_destroy(embed(fixture, texts, 100, NULL));
	assert_int_equal(embed_usage(fixture->service, NULL, add_usage, &sum, NULL), EMBED_OK);
	embed_stats(fixture->service, &stats);
	tokens = stand_in_count(fixture->stand_in, "tokens");
	assert_int_equal(sum.billed_tokens, tokens);
	assert_int_equal(sum.cost_nano, tokens * 20);
	assert_int_equal(sum.billed_texts, 100);
	/* What was not durable yet when it was asked again joined its flight. */
	assert_int_equal(sum.hit_texts + sum.joined_texts, 100);
	assert_int_equal(sum.hit_tokens + sum.joined_tokens, tokens);
	assert_int_equal(sum.saved_nano, tokens * 20);
	assert_int_equal(stats.billed_tokens, tokens);
	assert_int_equal(stats.cost_nano, tokens * 20);
	assert_int_equal(stats.hits, sum.hit_texts);
	assert_int_equal(stats.joined, sum.joined_texts);
	assert_int_equal(stats.attempts, sum.attempts);
	assert_true(sum.attempts >= 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(equal_texts_are_paid_for_once_and_later_calls_not_at_all),
	    TEST(what_was_stored_survives_closing),
	    TEST(token_ids_share_the_record_of_their_text),
	    TEST(fewer_dimensions_are_served_from_a_larger_record),
	    TEST(more_dimensions_than_stored_are_fetched_and_replace_the_record),
	    TEST(a_bad_text_fails_alone_and_says_why_and_where),
	    TEST(a_text_that_is_too_long_follows_the_policy),
	    TEST(an_average_is_the_mean_of_its_parts_by_tokens),
	    TEST(semantic_chunks_are_cut_where_the_subject_changes),
	    TEST(offline_a_miss_is_said_and_nothing_sent),
	    cmocka_unit_test(without_a_key_openai_is_not_even_asked),
	    TEST(overlapping_calls_of_any_dimensions_get_each_text_its_own_vector),
	    TEST(ledger_and_counters_agree_with_the_bill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
