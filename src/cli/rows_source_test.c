/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/rows_source.h"

/* A file with given bytes, and what reading it gave. */
struct fixture {
	char path[64];
	struct item_group group;
	struct embed_error error;
	enum source_status last;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	item_group_init(&fixture->group);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	item_group_fini(&fixture->group);
	free(fixture);
	return 0;
}

static void read_all(struct fixture *fixture, const char *bytes, size_t len,
    const struct rows_source_options *wanted)
{
	const char *files[] = {fixture->path};
	struct rows_source_options options = *wanted;
	struct rows_source rows;
	int fd;

	strcpy(fixture->path, "/tmp/embed_rows_XXXXXX");
	fd = mkstemp(fixture->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	options.files = files;
	options.file_count = 1;
	item_group_reset(&fixture->group);
	error_clear(&fixture->error);
	assert_int_equal(rows_source_init(&rows, &options, &fixture->error), EMBED_OK);
	do
		fixture->last = rows.source.next(&rows.source, &fixture->group, &fixture->error);
	while (fixture->last == SOURCE_ITEM);
	rows_source_fini(&rows);
	unlink(fixture->path);
}

static void read_text(struct fixture *fixture, const char *bytes, enum rows_format format)
{
	struct rows_source_options options = {.format = format};

	read_all(fixture, bytes, strlen(bytes), &options);
}

static void assert_item(struct fixture *fixture, size_t index, const char *id, const char *text)
{
	const struct item *item = &fixture->group.items[index];

	assert_true(index < fixture->group.count);
	assert_int_equal(item->status, EMBED_OK);
	assert_int_equal(item->id.len, strlen(id));
	assert_memory_equal(item_bytes(&fixture->group, item->id), id, item->id.len);
	assert_int_equal(item->text.len, strlen(text));
	assert_memory_equal(item_bytes(&fixture->group, item->text), text, item->text.len);
}

static void assert_refused(struct fixture *fixture, size_t index, const char *id, const char *part)
{
	const struct item *item = &fixture->group.items[index];
	char message[500];

	assert_true(index < fixture->group.count);
	assert_int_not_equal(item->status, EMBED_OK);
	assert_int_equal(item->id.len, strlen(id));
	assert_memory_equal(item_bytes(&fixture->group, item->id), id, item->id.len);
	snprintf(message, sizeof(message), "%.*s", (int)item->message.len,
	    item_bytes(&fixture->group, item->message));
	if (strstr(message, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", message, part);
}

static void plain_lines_have_their_number_as_id(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "\xef\xbb\xbfone\r\n\ntwo", ROWS_LINES);
	assert_int_equal(fixture->group.count, 3);
	assert_item(fixture, 0, "1", "one");
	assert_item(fixture, 1, "2", "");
	assert_item(fixture, 2, "3", "two");
}

static void a_last_newline_makes_no_row(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "one\n", ROWS_AUTO);
	assert_int_equal(fixture->group.count, 1);
	read_text(fixture, "", ROWS_AUTO);
	assert_int_equal(fixture->group.count, 0);
	assert_int_equal(fixture->last, SOURCE_END);
}

static void jsonl_is_known_by_its_first_brace(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "\n {\"text\":\"a\",\"id\":\"x\"}\n{\"text\":\"b\"}\n", ROWS_AUTO);
	assert_int_equal(fixture->group.count, 2);
	assert_item(fixture, 0, "\"x\"", "a");
	assert_item(fixture, 1, "3", "b");
}

static void a_bad_json_line_fails_alone_with_its_line_number(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture,
	    "{\"text\":\"a\"}\n{\"id\":5,\"text\":7}\n{\"txt\":\"b\"}\n{\"text\":\"c\"}\n",
	    ROWS_JSONL);
	assert_int_equal(fixture->group.count, 4);
	assert_item(fixture, 0, "1", "a");
	assert_refused(fixture, 1, "5", "line 2: the text is not a string");
	assert_refused(fixture, 2, "3", "there is no field \"text\"");
	assert_item(fixture, 3, "4", "c");
	assert_int_equal(fixture->group.good, 2);
}

static void csv_columns_are_found_by_name(void **state)
{
	struct fixture *fixture = *state;
	static const char bytes[] =
	    "n,\"the \"\"text\"\"\",key\r\n1,\"a, b\",x\r\n2,c,\"y\"\"z\"\r\n";
	struct rows_source_options options = {
	    .format = ROWS_CSV, .text = "the \"text\"", .id = "key"};

	read_all(fixture, bytes, strlen(bytes), &options);
	assert_int_equal(fixture->group.count, 2);
	assert_item(fixture, 0, "\"x\"", "a, b");
	assert_item(fixture, 1, "\"y\\\"z\"", "c");
}

static void a_quoted_field_may_span_lines_and_lines_are_counted_on(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "text\n\"a\nb\r\nc\"\nd\n\"bad\"x\ne\n", ROWS_CSV);
	assert_int_equal(fixture->group.count, 4);
	assert_item(fixture, 0, "2", "a\nb\r\nc");
	assert_item(fixture, 1, "5", "d");
	assert_refused(fixture, 2, "6", "line 6: something follows a closing quote");
	assert_item(fixture, 3, "7", "e");
}

static void a_quote_that_never_closes_is_one_bad_row(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "text\na\n\"b\nc\n", ROWS_CSV);
	assert_int_equal(fixture->group.count, 2);
	assert_item(fixture, 0, "2", "a");
	assert_refused(fixture, 1, "3", "line 3: a quote is opened here and never closed");
}

static void a_text_that_an_unquoted_comma_cuts_is_refused(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "text,n\nshoes, ships,1\nb,2,,\nc\n", ROWS_CSV);
	assert_int_equal(fixture->group.count, 3);
	assert_refused(fixture, 0, "2",
	    "line 2: 3 fields, but the first line names 2 columns; a text with a comma needs quotes");
	assert_item(fixture, 1, "3", "b");
	assert_item(fixture, 2, "4", "c");
}

static void a_folder_is_refused_before_anything_is_read(void **state)
{
	struct fixture *fixture = *state;
	const char *files[] = {"/tmp"};
	struct rows_source_options options = {.files = files, .file_count = 1};
	struct rows_source rows;

	assert_int_equal(rows_source_init(&rows, &options, &fixture->error), EMBED_BAD_OPTION);
	assert_string_equal(
	    fixture->error.message, "/tmp is a folder; \"embed files\" reads folders");
	rows_source_fini(&rows);
}

static void a_column_that_is_not_there_is_a_clear_error(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "title,body\na,b\n", ROWS_CSV);
	assert_int_equal(fixture->last, SOURCE_FAILED);
	assert_non_null(strstr(fixture->error.message, "has no column \"text\""));
	assert_non_null(strstr(fixture->error.message, "--text takes one of \"title\", \"body\""));
}

static void tsv_fields_are_separated_by_tabs(void **state)
{
	struct fixture *fixture = *state;

	read_text(fixture, "id\ttext\n7\ta, b\n", ROWS_TSV);
	assert_item(fixture, 0, "\"7\"", "a, b");
}

/* Longer than the read buffer several times over, so that every path of refilling is taken. */
static void a_row_longer_than_the_buffer_arrives_whole(void **state)
{
	struct fixture *fixture = *state;
	struct rows_source_options options = {.format = ROWS_CSV};
	size_t len = 3 << 20;
	char *bytes = malloc(len + 100);

	assert_non_null(bytes);
	strcpy(bytes, "text\nfirst\n\"");
	memset(bytes + 12, 'x', len);
	bytes[12 + len / 2] = '\n';
	strcpy(bytes + 12 + len, "\"\nlast\n");
	read_all(fixture, bytes, strlen(bytes), &options);
	assert_int_equal(fixture->group.count, 3);
	assert_int_equal(fixture->group.items[1].text.len, len);
	assert_item(fixture, 2, "5", "last");
	free(bytes);
}

static void a_pipe_that_has_nothing_blocks_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct rows_source_options options = {.format = ROWS_AUTO};
	struct rows_source rows;
	int ends[2], kept = dup(STDIN_FILENO);

	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], STDIN_FILENO);
	assert_int_equal(rows_source_init(&rows, &options, &fixture->error), EMBED_OK);
	assert_int_equal(
	    rows.source.next(&rows.source, &fixture->group, &fixture->error), SOURCE_BLOCKED);
	assert_int_equal(write(ends[1], "{\"text\":\"a\"}\n{\"te", 17), 17);
	assert_int_equal(
	    rows.source.next(&rows.source, &fixture->group, &fixture->error), SOURCE_ITEM);
	assert_int_equal(
	    rows.source.next(&rows.source, &fixture->group, &fixture->error), SOURCE_BLOCKED);
	close(ends[1]);
	assert_int_equal(
	    rows.source.next(&rows.source, &fixture->group, &fixture->error), SOURCE_ITEM);
	assert_int_equal(
	    rows.source.next(&rows.source, &fixture->group, &fixture->error), SOURCE_END);
	assert_item(fixture, 0, "1", "a");
	assert_refused(fixture, 1, "2", "not closed");
	rows_source_fini(&rows);
	dup2(kept, STDIN_FILENO);
	close(kept);
	close(ends[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(plain_lines_have_their_number_as_id),
	    TEST(a_last_newline_makes_no_row),
	    TEST(jsonl_is_known_by_its_first_brace),
	    TEST(a_bad_json_line_fails_alone_with_its_line_number),
	    TEST(csv_columns_are_found_by_name),
	    TEST(a_quoted_field_may_span_lines_and_lines_are_counted_on),
	    TEST(a_quote_that_never_closes_is_one_bad_row),
	    TEST(a_text_that_an_unquoted_comma_cuts_is_refused),
	    TEST(a_folder_is_refused_before_anything_is_read),
	    TEST(a_column_that_is_not_there_is_a_clear_error),
	    TEST(tsv_fields_are_separated_by_tabs),
	    TEST(a_row_longer_than_the_buffer_arrives_whole),
	    TEST(a_pipe_that_has_nothing_blocks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
