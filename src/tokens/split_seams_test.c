/* SPDX-License-Identifier: MIT */
/* Nothing is merged across a seam: the parts of a piece encode as the piece does. */
#include "base/test.h"

#include "base/random.h"
#include "text/utf8.h"
#include "tokens/merge.h"
#include "tokens/split.h"
#include "tokens/vocabulary.h"

/* Where scripts are whose characters are spread over tokens in all ways. */
static const struct {
	uint32_t first, count;
} scripts[] = {{0xC0, 64}, {0x391, 57}, {0x410, 64}, {0x5D0, 27}, {0x620, 43}, {0x905, 0x49},
    {0xE01, 58}, {0x10D0, 33}, {0x1780, 0x50}, {0x3041, 86}, {0x30A1, 90}, {0x4E00, 0x5200},
    {0xAC00, 11172}, {0xFF66, 50}, {0x20000, 4000}};

static size_t random_piece(struct random *random, char *piece)
{
	size_t script = random_below(random, sizeof(scripts) / sizeof(scripts[0])), len = 0;
	size_t wanted = 1 + random_below(random, SPLIT_SEAM_BYTES - 4);

	while (len < wanted) {
		if (random_below(random, 20) == 0)
			script = random_below(random, sizeof(scripts) / sizeof(scripts[0]));
		len += utf8_encode(
		    scripts[script].first + (uint32_t)random_below(random, scripts[script].count),
		    piece + len);
	}
	return len;
}

static size_t encode(
    const struct tokens_encoding *encoding, const char *bytes, size_t len, uint32_t *ids)
{
	return merge_window(encoding, (const uint8_t *)bytes, len, ids);
}

static void parts_encode_as_the_piece(void **state)
{
	struct random random = {17};
	char piece[SPLIT_SEAM_BYTES + 8];
	uint32_t whole[MERGE_WINDOW], parts[MERGE_WINDOW];
	size_t ends[SPLIT_SLACK], cuts = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const struct tokens_encoding *encoding =
		    tokens_encoding_find(round % 2 == 0 ? "cl100k_base" : "o200k_base");
		size_t len = random_piece(&random, piece), at = 0, count = 0;
		size_t part_count = split_at_seams(encoding, (const uint8_t *)piece, 0, len, ends);

		for (size_t i = 0; i < part_count; at = ends[i++])
			count += encode(encoding, piece + at, ends[i] - at, parts + count);
		assert_int_equal(at, len);
		assert_int_equal(count, encode(encoding, piece, len, whole));
		assert_memory_equal(parts, whole, count * sizeof(*parts));
		cuts += part_count - 1;
	}
	assert_true(cuts > 100000);
}

static void no_token_goes_across_a_seam(void **state)
{
	size_t ends[SPLIT_SLACK], len;

	(void)state;
	for (int which = 0; which < 2; which++) {
		const struct tokens_encoding *encoding =
		    tokens_encoding_find(which == 0 ? "cl100k_base" : "o200k_base");

		for (uint32_t id = 0; id < encoding->count; id++) {
			const uint8_t *bytes = vocabulary_bytes(encoding, id, &len);

			if (utf8_is_well_formed((const char *)bytes, len))
				assert_int_equal(split_at_seams(encoding, bytes, 0, len, ends), 1);
		}
	}
}

static void a_text_is_cut_at_seams_only_where_that_is_asked_for(void **state)
{
	static const char text[] =
	    "\xE4\xB8\xAD\xE6\xB5\x8B\xE9\x94\xAE\xE7\x9B\x98\xE8\xB7\xB3\xE7\x8C\xAB";
	struct split_text whole = {
	    tokens_encoding_find("cl100k_base"), (const uint8_t *)text, sizeof(text) - 1, false};
	size_t ends[2 + SPLIT_SLACK];
	bool is_ill = false;

	(void)state;
	assert_int_equal(split_scalar(&whole, 0, ends, 2, &is_ill), 1);
	assert_int_equal(ends[0], whole.len);
	whole.at_seams = true;
	assert_int_equal(split_scalar(&whole, 0, ends, 2, &is_ill), 6);
	assert_int_equal(ends[5], whole.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_encode_as_the_piece),
	    cmocka_unit_test(no_token_goes_across_a_seam),
	    cmocka_unit_test(a_text_is_cut_at_seams_only_where_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
