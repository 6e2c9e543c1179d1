/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/document.h"
#include "cli/walk.h"

/* A folder with files of several kinds; `bin` below it holds the fake converters. */
struct fixture {
	char folder[64];
	char *kept_path;
	struct embed_error error;
};

static void path_of(const struct fixture *fixture, char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s", fixture->folder, name);
}

static void write_file(
    const struct fixture *fixture, const char *name, const char *bytes, size_t len)
{
	char path[256];
	FILE *file;

	path_of(fixture, path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void write_text(const struct fixture *fixture, const char *name, const char *text)
{
	write_file(fixture, name, text, strlen(text));
}

static void make_folder(const struct fixture *fixture, const char *name)
{
	char path[256];

	path_of(fixture, path, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char path[256];

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/embed_document_XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	make_folder(fixture, "bin");
	fixture->kept_path = strdup(getenv("PATH"));
	path_of(fixture, path, "bin");
	setenv("PATH", path, 1);
	error_clear(&fixture->error);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	setenv("PATH", fixture->kept_path, 1);
	snprintf(command, sizeof(command), "/bin/rm -r %s", fixture->folder);
	assert_int_equal(system(command), 0);
	free(fixture->kept_path);
	free(fixture);
	return 0;
}

static void write_converter(const struct fixture *fixture, const char *name, const char *script)
{
	char path[256], full[64];

	snprintf(full, sizeof(full), "bin/%s", name);
	write_text(fixture, full, script);
	path_of(fixture, path, full);
	assert_int_equal(chmod(path, 0700), 0);
}

static enum embed_status load(struct fixture *fixture, const char *name, struct document *document)
{
	char path[256];

	path_of(fixture, path, name);
	return document_load(document, path, &fixture->error);
}

static void kinds_go_by_the_extension(void **state)
{
	(void)state;
	assert_int_equal(document_kind_of("a/b.md"), DOCUMENT_MARKDOWN);
	assert_int_equal(document_kind_of("A.HTML"), DOCUMENT_HTML);
	assert_int_equal(document_kind_of("x.y.py"), DOCUMENT_CODE);
	assert_int_equal(document_kind_of("x.pdf"), DOCUMENT_PDF);
	assert_int_equal(document_kind_of("a.md/b"), DOCUMENT_UNKNOWN);
	assert_int_equal(document_kind_of(".md"), DOCUMENT_UNKNOWN);
	assert_int_equal(document_kind_of("Makefile"), DOCUMENT_UNKNOWN);
}

static void a_named_file_of_no_kind_is_plain_text_unless_binary(void **state)
{
	struct fixture *fixture = *state;
	struct document document;

	write_text(fixture, "LICENSE", "words");
	assert_int_equal(load(fixture, "LICENSE", &document), EMBED_OK);
	assert_int_equal(document.kind, DOCUMENT_PLAIN);
	assert_string_equal(document.bytes, "words");
	document_fini(&document);
	write_file(fixture, "picture", "\x89PNG\0\0", 6);
	assert_int_equal(load(fixture, "picture", &document), EMBED_BAD_FORMAT);
	assert_non_null(strstr(fixture->error.message, "not a text file"));
}

static void a_missing_converter_is_named_with_its_package(void **state)
{
	struct fixture *fixture = *state;
	struct document document;

	write_text(fixture, "x.pdf", "%PDF");
	assert_int_equal(load(fixture, "x.pdf", &document), EMBED_NOT_FOUND);
	assert_non_null(strstr(fixture->error.message, "apt install poppler-utils"));
}

static void a_converters_output_is_the_document(void **state)
{
	struct fixture *fixture = *state;
	struct document document;

	write_converter(fixture, "pandoc", "#!/bin/sh\necho \"# $4\"\n");
	write_text(fixture, "x.docx", "PK");
	assert_int_equal(load(fixture, "x.docx", &document), EMBED_OK);
	assert_int_equal(document.kind, DOCUMENT_MARKDOWN);
	assert_non_null(strstr(document.bytes, "x.docx\n"));
	document_fini(&document);
}

static void what_a_converter_complains_about_is_passed_on(void **state)
{
	struct fixture *fixture = *state;
	struct document document;

	write_converter(fixture, "pdftotext", "#!/bin/sh\necho 'no such page' >&2\nexit 3\n");
	write_text(fixture, "x.pdf", "%PDF");
	assert_int_equal(load(fixture, "x.pdf", &document), EMBED_BAD_FORMAT);
	assert_non_null(strstr(fixture->error.message, "pdftotext failed: no such page"));
}

static void a_walk_is_sorted_and_leaves_out_what_is_hidden_or_unknown(void **state)
{
	static const char *const expected[] = {"a.md", "b/c.txt", "b.txt", "z.py"};
	struct fixture *fixture = *state;
	const char *paths[] = {fixture->folder};
	struct walk walk;

	make_folder(fixture, "b");
	make_folder(fixture, ".git");
	write_text(fixture, "z.py", "1");
	write_text(fixture, "a.md", "22");
	write_text(fixture, "b.txt", "3");
	write_text(fixture, "b/c.txt", "4");
	write_text(fixture, ".git/x.txt", "5");
	write_text(fixture, "picture.png", "6");
	assert_int_equal(walk_paths(&walk, paths, 1, &fixture->error), EMBED_OK);
	assert_int_equal(walk.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(walk.files[i].path + strlen(fixture->folder) + 1, expected[i]);
	assert_int_equal(walk.bytes, 5);
	assert_int_equal(walk.skipped, 1);
	walk_fini(&walk);
}

static void a_path_that_is_not_there_is_told_before_anything_is_done(void **state)
{
	struct fixture *fixture = *state;
	const char *paths[] = {"/no/such/path"};
	struct walk walk;

	assert_int_equal(walk_paths(&walk, paths, 1, &fixture->error), EMBED_BAD_OPTION);
	assert_non_null(strstr(fixture->error.message, "/no/such/path"));
	walk_fini(&walk);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_go_by_the_extension),
	    TEST(a_named_file_of_no_kind_is_plain_text_unless_binary),
	    TEST(a_missing_converter_is_named_with_its_package),
	    TEST(a_converters_output_is_the_document),
	    TEST(what_a_converter_complains_about_is_passed_on),
	    TEST(a_walk_is_sorted_and_leaves_out_what_is_hidden_or_unknown),
	    TEST(a_path_that_is_not_there_is_told_before_anything_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
