/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "gateway/history.h"

static void fill(struct history_ring *ring, size_t cap, int64_t from_s, int64_t count)
{
	assert_true(history_ring_init(ring, cap));
	for (int64_t s = from_s; s < from_s + count; s++) {
		struct history_point point = {.time_s = s, .texts = (uint64_t)s * 10};

		history_ring_add(ring, &point);
	}
}

static void a_ring_keeps_the_newest_points_oldest_first(void **state)
{
	struct history_ring ring;

	(void)state;
	fill(&ring, 4, 100, 11);
	assert_int_equal(ring.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(history_ring_at(&ring, i)->time_s, 107 + (int64_t)i);
	assert_null(history_ring_at(&ring, 4));
	history_ring_fini(&ring);
}

static void a_ring_that_is_not_full_begins_at_its_first_point(void **state)
{
	struct history_ring ring;

	(void)state;
	fill(&ring, 4, 100, 2);
	assert_int_equal(history_ring_at(&ring, 0)->time_s, 100);
	assert_int_equal(history_ring_at(&ring, 1)->time_s, 101);
	assert_null(history_ring_at(&ring, 2));
	history_ring_fini(&ring);
}

static void a_minute_is_the_sum_of_counts_and_the_top_of_levels(void **state)
{
	struct history_point minute = {.time_s = 60, .miss_p99_us = 5};

	(void)state;
	for (uint64_t i = 0; i < 60; i++) {
		struct history_point second = {.time_s = 60 + (int64_t)i,
		    .texts = i,
		    .queued_texts = i == 30 ? 9 : 1,
		    .miss_p99_us = 100};

		history_merge(&minute, &second);
	}
	assert_int_equal(minute.time_s, 60);
	assert_int_equal(minute.texts, 59 * 60 / 2);
	assert_int_equal(minute.queued_texts, 9);
	assert_int_equal(minute.miss_p99_us, 5);
}

static json_t *parse(struct buffer *out)
{
	json_t *json = json_loadb(out->bytes, out->len, 0, NULL);

	assert_non_null(json);
	buffer_fini(out);
	return json;
}

static void json_holds_an_array_of_equal_length_for_each_series(void **state)
{
	struct history_ring ring;
	struct buffer out;
	json_t *json, *value;
	const char *name;

	(void)state;
	fill(&ring, 3, 100, 5);
	buffer_init(&out, 1 << 20);
	history_write(&out, &ring, 1);
	json = parse(&out);
	assert_int_equal(json_integer_value(json_object_get(json, "step_s")), 1);
	json_object_foreach(json, name, value) if (strcmp(name, "step_s") != 0)
	    assert_int_equal(json_array_size(value), 3);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "time"), 0)), 102);
	assert_int_equal(
	    json_integer_value(json_array_get(json_object_get(json, "texts"), 2)), 1040);
#define ROW(name, how, unit, meaning) assert_non_null(json_object_get(json, #name));
	HISTORY_TABLE(ROW)
#undef ROW
	json_decref(json);
	history_ring_fini(&ring);
}

static void a_point_in_json_has_the_names_of_the_table(void **state)
{
	struct history_point point = {.time_s = 7, .texts = UINT64_MAX / 2};
	struct buffer out;
	json_t *json;

	(void)state;
	buffer_init(&out, 1 << 20);
	history_write_point(&out, &point);
	json = parse(&out);
	assert_int_equal(json_integer_value(json_object_get(json, "time")), 7);
	assert_int_equal(json_integer_value(json_object_get(json, "texts")), UINT64_MAX / 2);
	assert_non_null(json_object_get(json, "attempt_p99_us"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ring_keeps_the_newest_points_oldest_first),
	    cmocka_unit_test(a_ring_that_is_not_full_begins_at_its_first_point),
	    cmocka_unit_test(a_minute_is_the_sum_of_counts_and_the_top_of_levels),
	    cmocka_unit_test(json_holds_an_array_of_equal_length_for_each_series),
	    cmocka_unit_test(a_point_in_json_has_the_names_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
