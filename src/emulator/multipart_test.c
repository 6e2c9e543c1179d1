/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "emulator/multipart.h"

static struct http_slice slice(const char *text)
{
	return (struct http_slice){text, strlen(text)};
}

static void assert_slice(struct http_slice found, const char *wanted)
{
	assert_int_equal(found.len, strlen(wanted));
	assert_memory_equal(found.bytes, wanted, found.len);
}

static void parts_come_with_name_file_name_and_content(void **state)
{
	const char body[] =
	    "--xY\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
	    "--xY\r\ncontent-type: application/octet-stream\r\n"
	    "content-disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n"
	    "{\"a\":1}\n--x\r\n\r\n--xY--\r\n";
	struct multipart_part part;
	struct multipart multipart;

	(void)state;
	assert_true(multipart_start(
	    &multipart, slice("multipart/form-data; boundary=xY"), body, strlen(body)));
	assert_true(multipart_next(&multipart, &part));
	assert_slice(part.name, "purpose");
	assert_slice(part.filename, "");
	assert_slice(part.content, "batch");
	assert_true(multipart_next(&multipart, &part));
	assert_slice(part.name, "file");
	assert_slice(part.filename, "in.jsonl");
	assert_slice(part.content, "{\"a\":1}\n--x\r\n");
	assert_false(multipart_next(&multipart, &part));
}

static void a_quoted_boundary_is_read(void **state)
{
	const char body[] =
	    "--a b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n--a b--\r\n";
	struct multipart_part part;
	struct multipart multipart;

	(void)state;
	assert_true(multipart_start(&multipart,
	    slice("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), body, strlen(body)));
	assert_true(multipart_next(&multipart, &part));
	assert_slice(part.name, "x");
	assert_slice(part.content, "");
}

static void what_is_no_form_is_refused(void **state)
{
	struct multipart multipart;

	(void)state;
	assert_false(multipart_start(&multipart, slice("application/json"), "x", 1));
	assert_false(multipart_start(&multipart, slice("multipart/form-data"), "x", 1));
	assert_false(multipart_start(&multipart, slice("multipart/form-data; boundary="), "x", 1));
	assert_false(
	    multipart_start(&multipart, slice("multipart/form-data; boundary=x"), NULL, 0));
}

/* Every prefix of a good body ends by itself and reads nothing past its end. */
static void a_body_that_is_cut_anywhere_gives_no_part_too_many(void **state)
{
	const char body[] =
	    "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n--b--\r\n";
	struct multipart_part part;
	struct multipart multipart;

	(void)state;
	for (size_t len = 0; len < strlen(body); len++) {
		char *copy = malloc(len + 1);
		int parts = 0;

		memcpy(copy, body, len);
		if (multipart_start(
			&multipart, slice("multipart/form-data; boundary=b"), copy, len))
			while (multipart_next(&multipart, &part))
				parts++;
		assert_true(parts <= 1);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_come_with_name_file_name_and_content),
	    cmocka_unit_test(a_quoted_boundary_is_read),
	    cmocka_unit_test(what_is_no_form_is_refused),
	    cmocka_unit_test(a_body_that_is_cut_anywhere_gives_no_part_too_many),
	};

	return cmocka_run_group_tests_name("emulator.multipart", tests, NULL, NULL);
}
