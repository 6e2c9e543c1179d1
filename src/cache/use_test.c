/* SPDX-License-Identifier: MIT */
#include "base/test_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "cache/use.h"

#define RECORDS 4096

static struct digest key_of(uint64_t number)
{
	struct random random = {number * 77 + 1};
	struct digest key;

	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)random_next(&random);
	return key;
}

static struct test_folder folder;
static char path[128];

static int make_folder(void **state)
{
	(void)state;
	test_folder_make(&folder);
	snprintf(path, sizeof(path), "%s/use", folder.path);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	test_folder_drop(&folder);
	return 0;
}

static void a_hit_weighs_more_than_a_put_and_a_put_more_than_nothing(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest unknown = key_of(1), put = key_of(2), hit = key_of(3);

	(void)state;
	use_note_put(use, &put);
	use_note_put(use, &hit);
	use_note_hit(use, &hit);
	assert_int_equal(use_score(use, &unknown), 0);
	assert_true(use_score(use, &put) > 0);
	assert_true(use_score(use, &hit) > use_score(use, &put));
	use_destroy(use);
}

static void a_score_has_a_ceiling(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest key = key_of(1);

	(void)state;
	for (int i = 0; i < 1000; i++)
		use_note_hit(use, &key);
	assert_int_equal(use_score(use, &key), 255);
	use_destroy(use);
}

static void what_is_not_used_fades_as_others_are_put(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest old = key_of(1);

	(void)state;
	use_note_hit(use, &old);
	use_age(use, RECORDS);
	assert_int_equal(use_score(use, &old), 16);
	for (uint64_t i = 0; i < RECORDS * 3 / 4; i++) {
		struct digest other = key_of(100 + i);

		use_note_put(use, &other);
	}
	use_age(use, RECORDS);
	assert_int_equal(use_score(use, &old), 8);
	use_age(use, RECORDS);
	assert_int_equal(use_score(use, &old), 8);
	use_destroy(use);
}

static void scores_survive_a_restart(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest hot = key_of(1);

	(void)state;
	use_note_hit(use, &hot);
	assert_true(use_save(use, path));
	use_destroy(use);
	use = use_create(RECORDS);
	use_load(use, path);
	assert_int_equal(use_score(use, &hot), 16);
	use_destroy(use);
}

static void two_processes_keep_each_others_scores(void **state)
{
	struct use *one = use_create(RECORDS), *two = use_create(RECORDS);
	struct digest a = key_of(1), b = key_of(2);

	(void)state;
	unlink(path);
	use_note_hit(one, &a);
	use_note_hit(two, &b);
	assert_true(use_save(one, path));
	assert_true(use_save(two, path));
	use_note_put(one, &a);
	assert_true(use_save(one, path));
	assert_int_equal(use_score(one, &b), 16);
	assert_int_equal(use_score(two, &a), 16);
	use_destroy(one);
	use_destroy(two);
}

static void saving_does_not_bring_back_what_had_faded(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest key = key_of(1);

	(void)state;
	unlink(path);
	use_note_hit(use, &key);
	assert_true(use_save(use, path));
	for (uint64_t i = 0; i < RECORDS * 3 / 4; i++) {
		struct digest other = key_of(100 + i);

		use_note_put(use, &other);
	}
	use_age(use, RECORDS);
	assert_true(use_save(use, path));
	assert_int_equal(use_score(use, &key), 8);
	use_destroy(use);
}

static void flip_byte(long at)
{
	FILE *file = fopen(path, "r+b");
	int byte;

	assert_non_null(file);
	fseek(file, at, SEEK_SET);
	byte = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(byte ^ 1, file);
	fclose(file);
}

static void a_damaged_file_counts_as_none(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest key = key_of(1);
	struct stat written;

	(void)state;
	unlink(path);
	use_note_hit(use, &key);
	assert_true(use_save(use, path));
	use_destroy(use);
	assert_int_equal(stat(path, &written), 0);
	for (long at = 0; at < written.st_size; at += at < 24 ? 1 : 997) {
		flip_byte(at);
		use = use_create(RECORDS);
		use_load(use, path);
		assert_int_equal(use_score(use, &key), 0);
		use_destroy(use);
		flip_byte(at);
	}
	assert_int_equal(truncate(path, written.st_size - 1), 0);
	use = use_create(RECORDS);
	use_load(use, path);
	assert_int_equal(use_score(use, &key), 0);
	use_destroy(use);
}

static void a_folder_that_is_gone_is_told(void **state)
{
	struct use *use = use_create(RECORDS);
	struct digest key = key_of(1);

	(void)state;
	use_note_hit(use, &key);
	assert_false(use_save(use, "/nonexistent/use"));
	use_destroy(use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_hit_weighs_more_than_a_put_and_a_put_more_than_nothing),
	    cmocka_unit_test(a_score_has_a_ceiling),
	    cmocka_unit_test(what_is_not_used_fades_as_others_are_put),
	    cmocka_unit_test(scores_survive_a_restart),
	    cmocka_unit_test(two_processes_keep_each_others_scores),
	    cmocka_unit_test(saving_does_not_bring_back_what_had_faded),
	    cmocka_unit_test(a_damaged_file_counts_as_none),
	    cmocka_unit_test(a_folder_that_is_gone_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
