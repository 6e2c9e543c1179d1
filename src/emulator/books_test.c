/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <jansson.h>

#include "emulator/books.h"

static void bill(struct books *books, const char *key, const char *text, uint64_t tokens)
{
	const struct embed_text texts[] = {{.bytes = text, .len = strlen(text)}};
	const struct books_bill one = {key, "text-embedding-3-small", texts, 1, tokens, 4, false};

	books_bill(books, &one);
}

static json_t *shown(const struct books *books)
{
	struct buffer out;
	json_t *object;

	buffer_init(&out, 1 << 20);
	buffer_append_char(&out, '{');
	books_write(books, &out);
	buffer_append_char(&out, '}');
	assert_int_equal(out.status, EMBED_OK);
	object = json_loadb(out.bytes, out.len, 0, NULL);
	buffer_fini(&out);
	assert_non_null(object);
	return object;
}

static void what_is_billed_is_summed_in_all_by_key_and_by_model(void **state)
{
	struct books *books = books_create();
	json_int_t a, all, model;
	json_t *object;

	(void)state;
	bill(books, "sk-a", "one", 3);
	bill(books, "sk-b", "two", 5);
	bill(books, "sk-a", "three", 7);
	object = shown(books);
	assert_int_equal(
	    json_unpack(object, "{s:I,s:{s:{s:I}},s:{s:{s:I}}}", "tokens", &all, "keys", "sk-a",
		"tokens", &a, "models", "text-embedding-3-small", "tokens", &model),
	    0);
	assert_int_equal(all, 15);
	assert_int_equal(a, 10);
	assert_int_equal(model, 15);
	json_decref(object);
	books_destroy(books);
}

static void a_text_billed_again_is_counted_however_many_there_are(void **state)
{
	struct books *books = books_create();
	char text[32];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "text %d", i % 9000);
		bill(books, "sk-a", text, 2);
	}
	assert_int_equal(books->repeated_texts, 1000);
	assert_false(books->seen.is_full);
	books_destroy(books);
}

static void more_keys_than_there_is_room_for_share_the_last_place(void **state)
{
	struct books *books = books_create();
	uint64_t tokens = 0;
	char key[32];

	(void)state;
	for (int i = 0; i < BOOKS_GROUPS_MAX + 50; i++) {
		snprintf(key, sizeof(key), "sk-%d", i);
		bill(books, key, key, 1);
	}
	assert_int_equal(books->keys.count, BOOKS_GROUPS_MAX);
	for (size_t i = 0; i < books->keys.count; i++)
		tokens += books->keys.groups[i].tokens;
	assert_int_equal(tokens, BOOKS_GROUPS_MAX + 50);
	books_destroy(books);
}

static void the_peak_stays_when_the_work_is_done_and_reset_forgets_it(void **state)
{
	struct books *books = books_create();

	(void)state;
	books_begin(books);
	books_begin(books);
	books_end(books);
	assert_int_equal(books->working, 1);
	assert_int_equal(books->working_peak, 2);
	books_reset(books);
	assert_int_equal(books->working, 1);
	assert_int_equal(books->working_peak, 1);
	books_end(books);
	books_destroy(books);
}

static void names_with_quotes_do_not_break_the_json(void **state)
{
	struct books *books = books_create();

	(void)state;
	bill(books, "a\"b\\c\n\xff", "text", 1);
	books_status(books, 200);
	books_status(books, 0);
	json_decref(shown(books));
	books_destroy(books);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_billed_is_summed_in_all_by_key_and_by_model),
	    cmocka_unit_test(a_text_billed_again_is_counted_however_many_there_are),
	    cmocka_unit_test(more_keys_than_there_is_room_for_share_the_last_place),
	    cmocka_unit_test(the_peak_stays_when_the_work_is_done_and_reset_forgets_it),
	    cmocka_unit_test(names_with_quotes_do_not_break_the_json),
	};

	return cmocka_run_group_tests_name("emulator.books", tests, NULL, NULL);
}
