/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/keys.h"

struct file {
	char folder[32];
	char path[64];
};

static void make_file(struct file *file, const char *text)
{
	int fd;

	strcpy(file->folder, "/tmp/embed-keys-XXXXXX");
	assert_non_null(mkdtemp(file->folder));
	snprintf(file->path, sizeof(file->path), "%s/keys", file->folder);
	if (!text)
		return;
	fd = open(file->path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void remove_file(struct file *file)
{
	char lock[80];

	snprintf(lock, sizeof(lock), "%s.lock", file->path);
	unlink(lock);
	unlink(file->path);
	rmdir(file->folder);
}

static enum embed_status put(
    struct key *keys, size_t *count, void *context, struct embed_error *error)
{
	(void)error;
	keys[(*count)++] = *(const struct key *)context;
	return EMBED_OK;
}

static void what_is_written_is_read_again(void **state)
{
	struct file file;
	char secret[KEY_SECRET_LEN + 1];
	struct key key = {.name = "a.b-c_9",
	    .created_s = 17,
	    .expires_s = 4000000000,
	    .rpm = 60,
	    .tpm = 1000000,
	    .budget_nano = 5000000000,
	    .period = KEY_PERIOD_MONTH,
	    .lane = EMBED_LANE_BULK,
	    .weight = 7,
	    .is_admin = true,
	    .is_partitioned = true,
	    .models = "m-1,m-2"};
	struct key_table *table;
	const struct key *found;
	struct stat status;

	(void)state;
	make_file(&file, NULL);
	assert_true(key_make_secret(secret, &key.digest));
	assert_int_equal(key_file_edit(file.path, put, &key, NULL), EMBED_OK);
	assert_int_equal(stat(file.path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(key_table_load(&table, file.path, NULL), EMBED_OK);
	found = key_table_find(table, secret, KEY_SECRET_LEN, 100);
	assert_non_null(found);
	assert_memory_equal(found, &key, sizeof(key));
	assert_null(key_table_find(table, secret, KEY_SECRET_LEN, 4000000000)); /* expired */
	assert_null(key_table_find(table, secret, KEY_SECRET_LEN - 1, 100));
	secret[10] ^= 1;
	assert_null(key_table_find(table, secret, KEY_SECRET_LEN, 100));
	assert_true(key_may_use(found, "m-1", 3));
	assert_true(key_may_use(found, "m-2", 3));
	assert_false(key_may_use(found, "m-", 2));
	assert_false(key_may_use(found, "m-1,m-2", 7));
	key_table_unref(table);
	remove_file(&file);
}

static void what_root_makes_belongs_to_the_folders_owner(void **state)
{
	struct key key = {.name = "a", .weight = 1};
	struct file file;
	struct stat status;
	char lock[80];

	(void)state;
	if (geteuid() != 0)
		skip();
	make_file(&file, NULL);
	assert_int_equal(chown(file.folder, 4242, 4343), 0);
	for (int i = 0; i < 2; i++) { /* new, then in place of the old one */
		assert_int_equal(key_file_edit(file.path, put, &key, NULL), EMBED_OK);
		assert_int_equal(stat(file.path, &status), 0);
		assert_int_equal(status.st_uid, 4242);
		assert_int_equal(status.st_gid, 4343);
		assert_int_equal(status.st_mode & 0777, 0600);
		assert_int_equal(chown(file.folder, 0, 0), 0);
	}
	snprintf(lock, sizeof(lock), "%s.lock", file.path);
	assert_int_equal(stat(lock, &status), 0);
	assert_int_equal(status.st_uid, 4242);
	remove_file(&file);
}

/* Root edits a folder of the service's user, who may have left a link there. */
static void a_link_in_the_way_is_not_followed(void **state)
{
	struct key key = {.name = "a", .weight = 1};
	struct file file;
	struct stat status;
	char other[80], beside[80];
	int fd;

	(void)state;
	make_file(&file, NULL);
	snprintf(other, sizeof(other), "%s/other", file.folder);
	snprintf(beside, sizeof(beside), "%s.new", file.path);
	fd = open(other, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_int_equal(symlink(other, beside), 0);
	assert_int_equal(key_file_edit(file.path, put, &key, NULL), EMBED_OK);
	assert_int_equal(stat(other, &status), 0);
	assert_int_equal(status.st_size, 8);
	assert_int_equal(lstat(file.path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	unlink(other);
	remove_file(&file);
}

static void many_keys_are_told_apart(void **state)
{
	enum { MANY = 300 };
	static char secrets[MANY][KEY_SECRET_LEN + 1];
	struct file file;
	struct key_table *table;

	(void)state;
	make_file(&file, NULL);
	for (int i = 0; i < MANY; i++) {
		struct key key = {.weight = 1};

		snprintf(key.name, sizeof(key.name), "key%d", i);
		assert_true(key_make_secret(secrets[i], &key.digest));
		assert_int_equal(key_file_edit(file.path, put, &key, NULL), EMBED_OK);
	}
	assert_int_equal(key_table_load(&table, file.path, NULL), EMBED_OK);
	assert_int_equal(table->count, MANY);
	for (int i = 0; i < MANY; i++) {
		const struct key *key = key_table_find(table, secrets[i], KEY_SECRET_LEN, 1);
		char name[16];

		snprintf(name, sizeof(name), "key%d", i);
		assert_non_null(key);
		assert_string_equal(key->name, name);
	}
	key_table_unref(table);
	remove_file(&file);
}

#define DIGEST "digest=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void a_line_that_cannot_be_read_is_named(void **state)
{
	static const char *const bad[] = {"name=x\n", DIGEST "\n", "name=x digest=00\n",
	    "name=x/y " DIGEST "\n", "name= " DIGEST "\n", "name=x " DIGEST " rpm=-1\n",
	    "name=x " DIGEST " rpm=99999999999\n", "name=x " DIGEST " budget=5\n",
	    "name=x " DIGEST " budget=5/week\n", "name=x " DIGEST " colour=red\n",
	    "name=x " DIGEST " weight=0\n", "name=x " DIGEST " admin=maybe\n",
	    "name=x " DIGEST " lane=fast\n", "name=x " DIGEST " rpm\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct file file;
		struct key_table *table = NULL;
		struct embed_error error = {0};
		char text[512];

		snprintf(text, sizeof(text), "# a comment\n\n%s", bad[i]);
		make_file(&file, text);
		if (key_table_load(&table, file.path, &error) != EMBED_BAD_FORMAT)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(error.message, "line 3"));
		remove_file(&file);
	}
}

static void no_file_means_no_keys(void **state)
{
	struct key_table *table;

	(void)state;
	assert_int_equal(key_table_load(&table, "/nonexistent/keys", NULL), EMBED_OK);
	assert_int_equal(table->count, 0);
	assert_null(key_table_find(table, "x", 1, 1));
	key_table_unref(table);
}

static void budgets_are_dollars_and_a_period(void **state)
{
	static const struct {
		const char *text;
		uint64_t nano; /* 0: refused */
		enum key_period period;
	} cases[] = {
	    {"5/month", 5000000000, KEY_PERIOD_MONTH},
	    {"0.50/day", 500000000, KEY_PERIOD_DAY},
	    {"20", 20000000000, KEY_PERIOD_EVER},
	    {"1e-9/ever", 1, KEY_PERIOD_EVER},
	    {"0/day", 0, 0},
	    {"-1/day", 0, 0},
	    {"5/week", 0, 0},
	    {"5/", 0, 0},
	    {"/day", 0, 0},
	    {"5 dollars", 0, 0},
	    {"nan/day", 0, 0},
	    {"1e300", 0, 0},
	    {"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t nano = 0;
		enum key_period period = KEY_PERIOD_EVER;

		if (key_budget_read(cases[i].text, &nano, &period) != (cases[i].nano > 0))
			fail_msg("\"%s\"", cases[i].text);
		if (cases[i].nano > 0) {
			assert_int_equal(nano, cases[i].nano);
			assert_int_equal(period, cases[i].period);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read_again),
	    cmocka_unit_test(what_root_makes_belongs_to_the_folders_owner),
	    cmocka_unit_test(a_link_in_the_way_is_not_followed),
	    cmocka_unit_test(many_keys_are_told_apart),
	    cmocka_unit_test(a_line_that_cannot_be_read_is_named),
	    cmocka_unit_test(no_file_means_no_keys),
	    cmocka_unit_test(budgets_are_dollars_and_a_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
