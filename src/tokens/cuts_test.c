/* SPDX-License-Identifier: MIT */
/* Cuts found bit by bit are those of the whole text. */
#include "base/test.h"

#include "base/random.h"
#include "tokens/tokens.h"

static const char *const atoms[] = {"word", " ", "  ", "\n", "\r\n", "\t", "A", "ABCDEF", "é", "漢",
    "ǅ", "ʰ", "\xcc\x81", "123", "7", "'s", "'r", "'", "don't ", "!!", "€", "/", "\xc2\xa0",
    "\xe3\x80\x80", "\xff", "\xe2\x82", "👩‍👩‍👧", "the quick brown fox",
    "aaaaaaaaaaaaaaaaaaaaaaaa", "----------------", "                    "};

static size_t random_text(struct random *random, char *bytes, size_t cap)
{
	size_t len = 0, count = random_below(random, 80);

	while (count-- > 0) {
		const char *atom = atoms[random_below(random, sizeof(atoms) / sizeof(atoms[0]))];

		if (len + strlen(atom) > cap)
			break;
		memcpy(bytes + len, atom, strlen(atom));
		len += strlen(atom);
	}
	return len;
}

/* In steps of random size, which double where nothing is found. */
static void find_bit_by_bit(struct random *random, struct tokens_encoder *encoder,
    const char *bytes, size_t len, struct buffer *cuts)
{
	size_t step = 1 + random_below(random, 100), from = 0;

	do {
		size_t end = step < len - from ? from + step : len;

		assert_int_equal(tokens_more_cuts(encoder, bytes, len, end, cuts), EMBED_OK);
		step = cuts->len > sizeof(struct tokens_cut) ? 1 + random_below(random, 100)
							     : 2 * step;
		from = end;
	} while (from < len);
}

static void cuts_found_bit_by_bit_are_those_of_the_whole_text(void **state)
{
	static const char *const encodings[] = {"cl100k_base", "o200k_base"};
	struct random random = {21};
	struct buffer whole, parts;

	(void)state;
	buffer_init(&whole, SIZE_MAX / 2);
	buffer_init(&parts, SIZE_MAX / 2);
	for (int round = 0; round < 20000; round++) {
		struct tokens_encoder *encoder =
		    tokens_encoder_of_thread(tokens_encoding_find(encodings[round % 2]));
		char bytes[1024];
		size_t len = random_text(&random, bytes, sizeof(bytes));

		buffer_reset(&whole);
		buffer_reset(&parts);
		assert_int_equal(tokens_cuts(encoder, bytes, len, &whole), EMBED_OK);
		find_bit_by_bit(&random, encoder, bytes, len, &parts);
		assert_int_equal(parts.len, whole.len);
		assert_memory_equal(parts.bytes, whole.bytes, whole.len);
	}
	buffer_fini(&whole);
	buffer_fini(&parts);
}

static void a_long_piece_gives_no_cut_before_it_ends(void **state)
{
	struct tokens_encoder *encoder = tokens_encoder_of_thread(tokens_encoding_find(NULL));
	struct buffer cuts;
	char bytes[3000];

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	buffer_init(&cuts, SIZE_MAX / 2);
	for (size_t end = 0; end < sizeof(bytes); end += 1000) {
		assert_int_equal(
		    tokens_more_cuts(encoder, bytes, sizeof(bytes), end, &cuts), EMBED_OK);
		assert_int_equal(cuts.len, sizeof(struct tokens_cut));
	}
	assert_int_equal(
	    tokens_more_cuts(encoder, bytes, sizeof(bytes), sizeof(bytes), &cuts), EMBED_OK);
	assert_int_equal(cuts.len, 2 * sizeof(struct tokens_cut));
	buffer_fini(&cuts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cuts_found_bit_by_bit_are_those_of_the_whole_text),
	    cmocka_unit_test(a_long_piece_gives_no_cut_before_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
