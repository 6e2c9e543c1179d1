/* SPDX-License-Identifier: MIT */
/* Every way of merging must give what merging one pair after the other gives. */
#include "base/test.h"

#include "base/random.h"
#include "tokens/memo.h"
#include "tokens/merge.h"
#include "tokens/tokens.h"
#include "tokens/vocabulary.h"

#define LONG_BYTES 700

static const char *const alphabets[] = {"ab", "etaoinshrdlucmfw", "abcdefghijklmnopqrstuvwxyz",
    "-=", "-", " ", "a", "=", "0123456789abcdef", "\xE4\xB8\xE6\x96\x80\x81\xA0\xAD\x87",
    "\xE0\xB8\x81\xB2\xE0\xB9\x88", "!@#$%^&*()_+-=[]{}|;:,.<>/?"};

static void random_bytes(struct random *random, uint8_t *bytes, size_t len)
{
	const char *alphabet =
	    alphabets[random_below(random, sizeof(alphabets) / sizeof(alphabets[0]))];
	size_t letters = strlen(alphabet);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)alphabet[random_below(random, letters)];
}

static const struct tokens_encoding *encoding_of(int round)
{
	return tokens_encoding_find(round % 2 == 0 ? "cl100k_base" : "o200k_base");
}

static void assert_jobs_merge_alike(merge_jobs_fn *merge_jobs)
{
	static const size_t longest[MERGE_KINDS] = {14, 30, 62};
	struct random random = {5};
	uint8_t bytes[9][2 * MERGE_JOB_BYTES];
	uint32_t ids[9][MERGE_JOB_BYTES + 3], expected[MERGE_JOB_BYTES], ranks[MERGE_JOB_BYTES];
	struct merge_job jobs[9];

	for (int round = 0; round < 2000; round++) {
		const struct tokens_encoding *encoding = encoding_of(round);
		enum merge_kind kind = (enum merge_kind)random_below(&random, MERGE_KINDS);
		size_t count = 1 + random_below(&random, 9);

		for (size_t j = 0; j < count; j++) {
			random_bytes(&random, bytes[j], sizeof(bytes[j]));
			jobs[j] = (struct merge_job){.bytes = bytes[j],
			    .ids = ids[j],
			    .len = 1 + (uint32_t)random_below(&random, longest[kind])};
		}
		merge_jobs(encoding, kind, jobs, count);
		for (size_t j = 0; j < count; j++) {
			size_t wanted =
			    merge_bytes(encoding, bytes[j], jobs[j].len, expected, ranks);

			assert_int_equal(jobs[j].count, wanted);
			assert_memory_equal(ids[j], expected, wanted * sizeof(*expected));
			assert_int_equal(__builtin_popcountll(jobs[j].starts), wanted);
		}
	}
}

/* What is meant: the leftmost pair of lowest rank, one after the other. */
static size_t merge_one_by_one(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint32_t *ids)
{
	size_t count = len;

	for (size_t i = 0; i < len; i++)
		ids[i] = encoding->singles[bytes[i]];
	for (;;) {
		uint32_t lowest = TABLES_NONE;
		size_t at = 0;

		for (size_t i = 0; i + 1 < count; i++) {
			uint32_t rank = vocabulary_find_pair(encoding, ids[i], ids[i + 1]);

			if (rank < lowest) {
				lowest = rank;
				at = i;
			}
		}
		if (lowest == TABLES_NONE)
			return count;
		ids[at] = lowest;
		memmove(ids + at + 1, ids + at + 2, (--count - at - 1) * sizeof(*ids));
	}
}

static void merges_a_rank_at_once_as_one_pair_after_the_other(void **state)
{
	struct random random = {4};
	uint8_t bytes[300];
	uint32_t ids[300], ranks[300], expected[300];

	(void)state;
	for (int round = 0; round < 500; round++) {
		const struct tokens_encoding *encoding = encoding_of(round);
		size_t len = 1 + random_below(&random, sizeof(bytes)), count;

		random_bytes(&random, bytes, len);
		count = merge_one_by_one(encoding, bytes, len, expected);
		assert_int_equal(merge_bytes(encoding, bytes, len, ids, ranks), count);
		assert_memory_equal(ids, expected, count * sizeof(*ids));
	}
}

static void merges_side_by_side_as_one_after_the_other(void **state)
{
	(void)state;
	assert_jobs_merge_alike(merge_jobs_scalar);
}

static void merges_with_avx2_as_without(void **state)
{
	(void)state;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
		assert_jobs_merge_alike(merge_jobs_avx2);
		return;
	}
#endif
	print_message("this processor has no AVX2\n");
	skip();
}

/* Windows this small are wrong at nearly every seam, so that the larger ones are tried too. */
static void merges_long_pieces_in_windows_of_any_size(void **state)
{
	static const size_t sizes[] = {8, 12, 16, 33, 64, MERGE_WINDOW};
	struct random random = {6};
	static uint8_t bytes[LONG_BYTES];
	static uint32_t expected[LONG_BYTES], ranks[LONG_BYTES];
	struct buffer ids;

	(void)state;
	buffer_init(&ids, 1 << 20);
	for (int round = 0; round < 600; round++) {
		const struct tokens_encoding *encoding = encoding_of(round);
		size_t len = 1 + random_below(&random, LONG_BYTES), wanted;
		struct merge_sink sink = {&ids, 0, SIZE_MAX};

		random_bytes(&random, bytes, len);
		wanted = merge_bytes(encoding, bytes, len, expected, ranks);
		buffer_reset(&ids);
		assert_int_equal(merge_piece(encoding, bytes, len, false,
				     sizes[round % (int)(sizeof(sizes) / sizeof(sizes[0]))], &sink),
		    EMBED_OK);
		assert_int_equal(sink.count, wanted);
		assert_int_equal(ids.len, wanted * sizeof(*expected));
		assert_memory_equal(ids.bytes, expected, ids.len);
	}
	buffer_fini(&ids);
}

static void joins_strips_only_where_they_agree(void **state)
{
	struct random random = {7};
	static uint8_t bytes[LONG_BYTES * 4];
	static uint32_t expected[LONG_BYTES * 4], ranks[LONG_BYTES * 4];
	struct buffer ids;
	int joined = 0;

	(void)state;
	buffer_init(&ids, 1 << 20);
	for (int round = 0; round < 300; round++) {
		const struct tokens_encoding *encoding = encoding_of(round);
		size_t len = MERGE_JOB_BYTES + 1 + random_below(&random, LONG_BYTES * 4 - 63),
		       wanted;
		struct merge_sink sink = {&ids, 0, SIZE_MAX};
		enum embed_status status;

		random_bytes(&random, bytes, len);
		buffer_reset(&ids);
		if (!merge_by_strips(encoding, bytes, len, &sink, &status))
			continue;
		joined++;
		wanted = merge_bytes(encoding, bytes, len, expected, ranks);
		assert_int_equal(sink.count, wanted);
		assert_memory_equal(ids.bytes, expected, wanted * sizeof(*expected));
	}
	assert_true(joined > 150);
	buffer_fini(&ids);
}

static void no_token_is_longer_than_told(void **state)
{
	size_t longest = 0;

	(void)state;
	for (int e = 0; e < 2; e++)
		for (uint32_t id = 0; id < encoding_of(e)->count; id++) {
			size_t len;

			vocabulary_bytes(encoding_of(e), id, &len);
			longest = len > longest ? len : longest;
		}
	assert_int_equal(longest, TOKENS_TOKEN_MAX_BYTES);
}

static void finds_every_token_by_its_bytes_and_by_its_pair(void **state)
{
	(void)state;
	for (int e = 0; e < 2; e++) {
		const struct tokens_encoding *encoding = encoding_of(e);
		uint32_t ids[128], ranks[128];

		for (uint32_t id = 0; id < encoding->count; id += 7) {
			size_t len;
			const uint8_t *bytes = vocabulary_bytes(encoding, id, &len);

			assert_int_equal(merge_bytes(encoding, bytes, len, ids, ranks), 1);
			assert_int_equal(ids[0], id);
		}
	}
}

/* Random letters, which need several tokens. */
static size_t random_piece(struct random *random, uint8_t *piece)
{
	size_t len = 1 + random_below(random, MEMO_BYTES / 2);

	for (size_t i = 0; i < len; i++)
		piece[i] = (uint8_t) "eatinsr\xC3\xA9z"[random_below(random, 10)];
	memset(piece + len, 0, 16);
	return len;
}

#define TRIES 4 /* where all is full, every fourth piece takes another's place */

/* Few hashes, so that entries of all lengths push out one another. */
static void remembers_encodings_and_never_gives_another(void **state)
{
	const struct tokens_encoding *encodings[2] = {
	    tokens_encoding_find("cl100k_base"), tokens_encoding_find("o200k_base")};
	struct memo *memo = memo_create();
	struct random random = {5};
	size_t found_count = 0;

	(void)state;
	assert_non_null(memo);
	for (int run = 0; run < 20000; run++) {
		const struct tokens_encoding *encoding = encodings[random_below(&random, 2)];
		uint8_t piece[MEMO_BYTES + 16];
		uint32_t ids[MEMO_BYTES], ranks[MEMO_BYTES], found[MEMO_TOKENS];
		size_t len = random_piece(&random, piece), count;
		uint64_t hash = random_below(&random, 3);

		count = merge_bytes(encoding, piece, len, ids, ranks);
		for (int i = 0; i < TRIES; i++)
			if (memo_find(memo, encoding, piece, len, hash, found) == 0)
				memo_add(memo, encoding, hash, ids, count);
		if (memo_find(memo, encoding, piece, len, hash, found) == 0) {
			assert_true(count > MEMO_TOKENS);
			continue;
		}
		found_count++;
		assert_memory_equal(found, ids, count * sizeof(*ids));
	}
	assert_true(found_count > 10000);
	memo_destroy(memo);
}

/* More pieces of one hash than its two lines have room for, all of them again and again. */
static void keeps_most_of_a_text_that_is_too_long_when_it_comes_again(void **state)
{
	enum { PIECES = 20, ROUNDS = 100 };
	const struct tokens_encoding *encoding = tokens_encoding_find("cl100k_base");
	struct memo *memo = memo_create();
	size_t found_count = 0;

	(void)state;
	assert_non_null(memo);
	for (int i = 0; i < PIECES * ROUNDS; i++) {
		uint8_t piece[64] = "qzxj?vk";
		uint32_t ids[64], ranks[64], found[MEMO_TOKENS];
		size_t count;

		piece[4] = (uint8_t)('a' + i % PIECES);
		count = merge_bytes(encoding, piece, 7, ids, ranks);
		assert_in_range(count, 4, 6); /* two units */
		if (memo_find(memo, encoding, piece, 7, 77, found) != 0)
			found_count++;
		else
			memo_add(memo, encoding, 77, ids, count);
	}
	/* None would be found if each took another's place. */
	assert_true(found_count > ROUNDS);
	memo_destroy(memo);
}

static void tells_a_piece_from_another_of_the_same_hash(void **state)
{
	const struct tokens_encoding *encoding = tokens_encoding_find("cl100k_base");
	const struct tokens_encoding *other = tokens_encoding_find("o200k_base");
	uint8_t piece[64] = "eatinsrz", longer[64] = "eatinsrzz", changed[64] = "eatinsrx";
	uint32_t ids[64], ranks[64], found[MEMO_TOKENS];
	struct memo *memo = memo_create();
	size_t count = merge_bytes(encoding, piece, 8, ids, ranks);

	(void)state;
	assert_non_null(memo);
	memo_add(memo, encoding, 77, ids, count);
	assert_int_equal(memo_find(memo, encoding, piece, 8, 77, found), count);
	assert_int_equal(memo_find(memo, encoding, longer, 9, 77, found), 0);
	assert_int_equal(memo_find(memo, encoding, piece, 7, 77, found), 0);
	assert_int_equal(memo_find(memo, encoding, changed, 8, 77, found), 0);
	assert_int_equal(memo_find(memo, other, piece, 8, 77, found), 0);
	memo_destroy(memo);
}

/* All pieces of two bytes, and all that can follow these; the tokens among them are found before. */
static void merges_few_bytes_as_a_window(void **state)
{
	uint32_t few[MERGE_FEW], whole[MERGE_FEW];

	(void)state;
	for (uint32_t n = 0; n < 1u << 24; n += 11) {
		const struct tokens_encoding *encoding =
		    tokens_encoding_find(n % 2 == 0 ? "cl100k_base" : "o200k_base");
		uint8_t bytes[MERGE_FEW] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
		size_t len = n % 5 == 0 ? 2 : 3, count = merge_window(encoding, bytes, len, whole);

		if (count == 1)
			continue;
		if (merge_few(encoding, bytes, len, few) != count ||
		    memcmp(few, whole, count * sizeof(*few)) != 0)
			fail_msg("%02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2], len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(merges_few_bytes_as_a_window),
	    cmocka_unit_test(merges_a_rank_at_once_as_one_pair_after_the_other),
	    cmocka_unit_test(merges_side_by_side_as_one_after_the_other),
	    cmocka_unit_test(merges_with_avx2_as_without),
	    cmocka_unit_test(merges_long_pieces_in_windows_of_any_size),
	    cmocka_unit_test(joins_strips_only_where_they_agree),
	    cmocka_unit_test(no_token_is_longer_than_told),
	    cmocka_unit_test(finds_every_token_by_its_bytes_and_by_its_pair),
	    cmocka_unit_test(remembers_encodings_and_never_gives_another),
	    cmocka_unit_test(keeps_most_of_a_text_that_is_too_long_when_it_comes_again),
	    cmocka_unit_test(tells_a_piece_from_another_of_the_same_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
