/* SPDX-License-Identifier: MIT */
#include "gateway/shown_keys.h"

#include <stdio.h>

#include "base/test.h"
#include "gateway/meter.h"

#define KEYS 300

struct rig {
	struct snapshot snapshot;
	struct key keys[KEYS];
	struct meter meter;
	struct key_table table;
};

static struct rig rig;

static void set_up(size_t keys)
{
	memset(&rig, 0, sizeof(rig));
	for (size_t i = 0; i < keys; i++) {
		snprintf(rig.keys[i].name, sizeof(rig.keys[i].name), "key%zu", i);
		rig.keys[i].meter = &rig.meter;
	}
	rig.table = (struct key_table){.count = keys, .keys = rig.keys};
	spending_init(&rig.snapshot.spending);
}

static void use(const char *name, uint64_t cost_nano, uint64_t hits)
{
	const struct embed_usage_row row = {
	    .key_name = name, .cost_nano = cost_nano, .hit_texts = hits};

	spending_add(&rig.snapshot.spending, &row, 0);
}

static const char *name_at(size_t i)
{
	const struct snapshot_key *shown = &rig.snapshot.keys[i];

	assert_true(i < rig.snapshot.key_count);
	return shown->key ? shown->key->name : shown->used->name;
}

static void choose(void)
{
	shown_keys_choose(&rig.snapshot, &rig.table, 1, 1);
}

static void who_costs_most_comes_first_then_who_asks_most_then_the_files_order(void **state)
{
	(void)state;
	set_up(4);
	use("key2", 5, 0);
	use("key3", 0, 7);
	use("removed", 9, 0);
	use("", 5, 1);
	choose();
	assert_int_equal(rig.snapshot.key_count, 6);
	assert_int_equal(rig.snapshot.key_rows, 6);
	assert_string_equal(name_at(0), "removed");
	assert_string_equal(name_at(1), "");
	assert_string_equal(name_at(2), "key2");
	assert_string_equal(name_at(3), "key3");
	assert_string_equal(name_at(4), "key0");
	assert_string_equal(name_at(5), "key1");
	spending_fini(&rig.snapshot.spending);
}

static void of_many_those_that_matter_are_shown_and_all_are_counted(void **state)
{
	char name[32];

	(void)state;
	set_up(KEYS);
	for (uint64_t i = 0; i < KEYS; i++) {
		snprintf(name, sizeof(name), "key%d", (int)i);
		use(name, i, 0);
	}
	use("removed", 1, 0);
	choose();
	assert_int_equal(rig.snapshot.key_count, SNAPSHOT_KEYS_MAX);
	assert_int_equal(rig.snapshot.key_rows, KEYS + 1);
	for (size_t i = 0; i < SNAPSHOT_KEYS_MAX; i++)
		assert_int_equal(rig.snapshot.keys[i].used->month.cost_nano, KEYS - 1 - i);
	spending_fini(&rig.snapshot.spending);
}

static void a_name_with_two_secrets_is_one_row(void **state)
{
	(void)state;
	set_up(3);
	strcpy(rig.keys[2].name, "key0");
	use("key0", 3, 0);
	choose();
	choose();
	assert_int_equal(rig.snapshot.key_count, 2);
	assert_int_equal(rig.snapshot.key_rows, 2);
	assert_string_equal(name_at(0), "key0");
	spending_fini(&rig.snapshot.spending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_costs_most_comes_first_then_who_asks_most_then_the_files_order),
	    cmocka_unit_test(of_many_those_that_matter_are_shown_and_all_are_counted),
	    cmocka_unit_test(a_name_with_two_secrets_is_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
