/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <pthread.h>

#include "service/tally.h"

struct sums {
	size_t rows;
	struct tally_counts counts;
	char last_key[64];
};

static void add_up(const struct tally_row *row, void *context)
{
	struct sums *sums = context;

	sums->rows++;
	sums->counts.hit_texts += row->counts.hit_texts;
	sums->counts.hit_tokens += row->counts.hit_tokens;
	sums->counts.joined_texts += row->counts.joined_texts;
	sums->counts.joined_tokens += row->counts.joined_tokens;
	snprintf(sums->last_key, sizeof(sums->last_key), "%s", row->key_name);
}

static const struct tally_counts one_hit = {.hit_texts = 1, .hit_tokens = 7};

static void groups_are_kept_apart_and_drained_once(void **state)
{
	struct tally *tally = tally_create();
	struct sums sums = {0};

	(void)state;
	tally_add(tally, "m", "alice", EMBED_LANE_BULK, &one_hit);
	tally_add(tally, "m", "alice", EMBED_LANE_BULK, &one_hit);
	tally_add(tally, "m", "alice", EMBED_LANE_INTERACTIVE, &one_hit);
	tally_add(tally, "ma", "lice", EMBED_LANE_BULK, &one_hit);
	tally_drain(tally, add_up, &sums);
	assert_int_equal(sums.rows, 3);
	assert_int_equal(sums.counts.hit_texts, 4);
	assert_int_equal(sums.counts.hit_tokens, 28);
	tally_drain(tally, add_up, &sums);
	assert_int_equal(sums.rows, 3);
	tally_destroy(tally);
}

static void groups_beyond_the_table_are_counted_together(void **state)
{
	struct tally *tally = tally_create();
	struct sums sums = {0};
	char key[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		tally_add(tally, "m", key, EMBED_LANE_BULK, &one_hit);
	}
	tally_drain(tally, add_up, &sums);
	assert_int_equal(sums.counts.hit_texts, 5000);
	assert_true(sums.rows <= 1025);
	assert_string_equal(sums.last_key, "(others)");
	tally_destroy(tally);
}

static void *add_many(void *context)
{
	char key[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "key%d", i % 50);
		tally_add(context, "m", key, EMBED_LANE_BULK, &one_hit);
	}
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	struct tally *tally = tally_create();
	struct sums sums = {0};
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, add_many, tally);
	for (int i = 0; i < 100; i++)
		tally_drain(tally, add_up, &sums);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	tally_drain(tally, add_up, &sums);
	assert_int_equal(sums.counts.hit_texts, 80000);
	tally_destroy(tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(groups_are_kept_apart_and_drained_once),
	    cmocka_unit_test(groups_beyond_the_table_are_counted_together),
	    cmocka_unit_test(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
