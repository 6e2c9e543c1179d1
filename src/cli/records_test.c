/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/records.h"

/* A folder for the output, and a group with items to write. */
struct fixture {
	char folder[64];
	char path[128];
	char partial[160];
	struct item_group group;
	struct records writer;
	struct embed_error error;
};

static const float vector[] = {0.5f, -0.25f, 1e-9f};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/embed_writer_XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	item_group_init(&fixture->group);
	error_clear(&fixture->error);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	unlink(fixture->partial);
	rmdir(fixture->folder);
	item_group_fini(&fixture->group);
	free(fixture);
	return 0;
}

static enum embed_status open_writer(
    struct fixture *fixture, const char *name, struct records_options options)
{
	snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->folder, name);
	snprintf(fixture->partial, sizeof(fixture->partial), "%s.partial", fixture->path);
	options.path = fixture->path;
	return records_open(&fixture->writer, &options, &fixture->error);
}

static void put(struct fixture *fixture, const char *id, const char *failure)
{
	struct item *item = item_group_add(&fixture->group);
	struct record record = {.group = &fixture->group, .tokens = 3, .dimensions = 3};

	item->id = item_group_copy(&fixture->group, id, strlen(id));
	item->source = item_group_copy(&fixture->group, "a,b.md", 6);
	item->text = item_group_copy(&fixture->group, "the \"text\"", 10);
	item->start = 5;
	item->end = 15;
	record.item = item;
	record.status = failure == NULL ? EMBED_OK : EMBED_EMPTY_TEXT;
	record.message = failure;
	record.vector = failure == NULL ? vector : NULL;
	assert_int_equal(records_put(&fixture->writer, &record, &fixture->error), EMBED_OK);
}

static size_t read_output(const struct fixture *fixture, char *bytes, size_t cap)
{
	int fd = open(fixture->path, O_RDONLY);
	ssize_t len;

	assert_true(fd >= 0);
	len = read(fd, bytes, cap);
	assert_true(len >= 0);
	close(fd);
	return (size_t)len;
}

static void assert_output(struct fixture *fixture, const char *expected)
{
	char bytes[4096];
	size_t len;

	assert_int_equal(records_commit(&fixture->writer, &fixture->error), EMBED_OK);
	len = read_output(fixture, bytes, sizeof(bytes) - 1);
	bytes[len] = '\0';
	assert_string_equal(bytes, expected);
}

static void rows_are_id_tokens_and_embedding(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_writer(fixture, "x.jsonl", (struct records_options){0}), EMBED_OK);
	put(fixture, "7", NULL);
	put(fixture, "\"b\"", "empty");
	assert_output(fixture,
	    "{\"id\":7,\"tokens\":3,\"embedding\":[0.5,-0.25,1e-9]}\n"
	    "{\"id\":\"b\",\"tokens\":3,\"error\":{\"code\":\"empty_text\",\"message\":\"empty\"}}\n");
}

static void documents_say_where_a_chunk_came_from(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
	    open_writer(fixture, "x",
		(struct records_options){.has_documents = true, .embedding = RECORDS_BASE64}),
	    EMBED_OK);
	put(fixture, "\"a,b.md#0\"", NULL);
	assert_output(fixture,
	    "{\"id\":\"a,b.md#0\",\"source\":\"a,b.md\",\"chunk\":0,\"start\":5,\"end\":15,\"tokens\":3,"
	    "\"text\":\"the \\\"text\\\"\",\"embedding\":\"AAAAPwAAgL5fcIkw\"}\n");
}

static void csv_goes_by_the_name_and_quotes_what_needs_it(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
	    open_writer(fixture, "x.csv", (struct records_options){.has_documents = true}),
	    EMBED_OK);
	put(fixture, "\"a,b.md#0\"", NULL);
	put(fixture, "9", "empty, sadly");
	assert_output(fixture,
	    "id,source,chunk,start,end,tokens,text,embedding,error_code,error_message\r\n"
	    "\"a,b.md#0\",\"a,b.md\",0,5,15,3,\"the \"\"text\"\"\",\"[0.5,-0.25,1e-9]\",,\r\n"
	    "9,\"a,b.md\",0,5,15,3,\"the \"\"text\"\"\",,empty_text,\"empty, sadly\"\r\n");
}

static void npy_holds_a_row_for_each_record_and_nan_for_failures(void **state)
{
	struct fixture *fixture = *state;
	static const char header[] =
	    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }";
	char bytes[1024];
	float numbers[9];

	assert_int_equal(open_writer(fixture, "x.npy", (struct records_options){0}), EMBED_OK);
	put(fixture, "1", "failed before any vector was seen");
	put(fixture, "2", NULL);
	put(fixture, "3", "failed later");
	assert_int_equal(records_commit(&fixture->writer, &fixture->error), EMBED_OK);
	assert_int_equal(read_output(fixture, bytes, sizeof(bytes)), 128 + sizeof(numbers));
	assert_memory_equal(bytes, header, sizeof(header) - 1);
	assert_int_equal(bytes[127], '\n');
	memcpy(numbers, bytes + 128, sizeof(numbers));
	assert_true(isnan(numbers[0]) && isnan(numbers[2]) && isnan(numbers[8]));
	assert_memory_equal(numbers + 3, vector, sizeof(vector));
}

static void an_output_is_absent_until_it_is_complete(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_writer(fixture, "x.jsonl", (struct records_options){0}), EMBED_OK);
	put(fixture, "1", NULL);
	assert_int_not_equal(access(fixture->path, F_OK), 0);
	records_abandon(&fixture->writer);
	assert_int_not_equal(access(fixture->path, F_OK), 0);
	assert_int_equal(access(fixture->partial, F_OK), 0);
	assert_int_equal(open_writer(fixture, "x.jsonl", (struct records_options){0}), EMBED_OK);
	put(fixture, "2", NULL);
	assert_output(fixture, "{\"id\":2,\"tokens\":3,\"embedding\":[0.5,-0.25,1e-9]}\n");
	assert_int_not_equal(access(fixture->partial, F_OK), 0);
}

static void two_writers_of_one_file_are_one_too_many(void **state)
{
	struct fixture *fixture = *state;
	struct records second;
	struct records_options options = {0};

	assert_int_equal(open_writer(fixture, "x.jsonl", options), EMBED_OK);
	options.path = fixture->path;
	assert_int_equal(records_open(&second, &options, &fixture->error), EMBED_IO);
	assert_non_null(strstr(fixture->error.message, "another embed"));
	records_abandon(&fixture->writer);
}

static void npy_into_a_pipe_is_refused_with_the_way_out(void **state)
{
	struct fixture *fixture = *state;
	struct records_options options = {.format = RECORDS_NPY};
	int ends[2], kept = dup(STDOUT_FILENO);
	enum embed_status status;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	status = records_open(&fixture->writer, &options, &fixture->error);
	dup2(kept, STDOUT_FILENO);
	assert_int_equal(status, EMBED_BAD_OPTION);
	assert_non_null(strstr(fixture->error.message, "-o FILE.npy"));
	close(kept);
	close(ends[0]);
	close(ends[1]);
}

static void a_full_disk_is_an_error_and_no_output(void **state)
{
	struct fixture *fixture = *state;
	struct records_options options = {.path = "/dev/full"};

	assert_int_equal(records_open(&fixture->writer, &options, &fixture->error), EMBED_OK);
	put(fixture, "1", NULL);
	assert_int_equal(records_commit(&fixture->writer, &fixture->error), EMBED_IO);
	assert_non_null(strstr(fixture->error.message, "No space left"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(rows_are_id_tokens_and_embedding),
	    TEST(documents_say_where_a_chunk_came_from),
	    TEST(csv_goes_by_the_name_and_quotes_what_needs_it),
	    TEST(npy_holds_a_row_for_each_record_and_nan_for_failures),
	    TEST(an_output_is_absent_until_it_is_complete),
	    TEST(two_writers_of_one_file_are_one_too_many),
	    TEST(npy_into_a_pipe_is_refused_with_the_way_out),
	    TEST(a_full_disk_is_an_error_and_no_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
