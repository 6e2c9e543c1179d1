/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "tokens/tokens.h"

/* ---- Golden cases: texts and byte strings with their ids -------------- */

#define GOLDEN_FILE "tests/data/tokens/golden.tsv"

struct golden {
	char *bytes;
	size_t len;
	uint32_t *ids[2];
	size_t count[2];
};

static const char *const names[2] = {"cl100k_base", "o200k_base"};

static struct golden *goldens;
static size_t golden_count;

static int base64_value(int c)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == 0 ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

static char *read_base64(char *at, struct golden *golden)
{
	uint32_t bits = 0, bit_count = 0;

	golden->bytes = malloc(strlen(at) + 1);
	for (; *at != '\t'; at++) {
		if (*at == '=')
			continue;
		bits = bits << 6 | (uint32_t)base64_value(*at);
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			golden->bytes[golden->len++] = (char)(bits >> bit_count);
		}
	}
	return at + 1;
}

static char *read_ids(char *at, uint32_t **ids, size_t *count)
{
	*ids = malloc((strlen(at) + 1) * sizeof(**ids));
	while (*at != '\t' && *at != '\n') {
		(*ids)[(*count)++] = (uint32_t)strtoul(at, &at, 10);
		at += *at == ' ';
	}
	return at + 1;
}

static int read_goldens(void **state)
{
	FILE *file = fopen(GOLDEN_FILE, "r");
	char *line = NULL;
	size_t cap = 0;

	(void)state;
	assert_non_null(file);
	goldens = calloc(8192, sizeof(*goldens));
	while (getline(&line, &cap, file) > 0 && golden_count < 8192) {
		struct golden *golden = &goldens[golden_count];
		char *at;

		if (line[0] == '#')
			continue;
		at = read_base64(line, golden);
		at = read_ids(at, &golden->ids[0], &golden->count[0]);
		read_ids(at, &golden->ids[1], &golden->count[1]);
		golden_count++;
	}
	free(line);
	fclose(file);
	assert_int_equal(golden_count, 3462);
	return 0;
}

static int free_goldens(void **state)
{
	(void)state;
	for (size_t i = 0; i < golden_count; i++) {
		free(goldens[i].bytes);
		free(goldens[i].ids[0]);
		free(goldens[i].ids[1]);
	}
	free(goldens);
	return 0;
}

static const uint32_t *ids_in(const struct buffer *ids)
{
	return (const uint32_t *)(const void *)ids->bytes;
}

static void assert_ids(
    const struct golden *golden, int e, const struct buffer *ids, const char *way)
{
	if (ids->len == golden->count[e] * sizeof(uint32_t) &&
	    (ids->len == 0 || memcmp(ids->bytes, golden->ids[e], ids->len) == 0))
		return;
	print_message("%s, %s, golden case %zu: \"%.*s\"\n", names[e], way,
	    (size_t)(golden - goldens), (int)golden->len, golden->bytes);
	for (size_t i = 0; i < ids->len / sizeof(uint32_t) || i < golden->count[e]; i++)
		print_message("  %u %u\n", i < ids->len / sizeof(uint32_t) ? ids_in(ids)[i] : 0,
		    i < golden->count[e] ? golden->ids[e][i] : 0);
	fail_msg("other ids than tiktoken's");
}

static struct tokens_encoder *encoder_of(int e)
{
	return tokens_encoder_of_thread(tokens_encoding_find(names[e]));
}

/* ---- Tests ------------------------------------------------------------ */

static void gives_the_ids_of_tiktoken(void **state)
{
	struct buffer ids;

	(void)state;
	buffer_init(&ids, 1 << 20);
	for (int e = 0; e < 2; e++)
		for (size_t i = 0; i < golden_count; i++) {
			buffer_reset(&ids);
			assert_int_equal(
			    tokens_encode(encoder_of(e), goldens[i].bytes, goldens[i].len, &ids),
			    EMBED_OK);
			assert_ids(&goldens[i], e, &ids, "encoded");
		}
	buffer_fini(&ids);
}

static void assert_counts(int e)
{
	size_t tokens;

	for (size_t i = 0; i < golden_count; i++) {
		assert_int_equal(
		    tokens_count(encoder_of(e), goldens[i].bytes, goldens[i].len, &tokens),
		    EMBED_OK);
		assert_int_equal(tokens, goldens[i].count[e]);
	}
}

/* The second time many pieces are known by their counts. */
static void counts_as_many_as_it_encodes(void **state)
{
	(void)state;
	for (int run = 0; run < 2; run++)
		for (int e = 0; e < 2; e++)
			assert_counts(e);
}

/* All golden texts, one after the other, as one text. */
static char *join_goldens(size_t *len)
{
	char *text;

	*len = 0;
	for (size_t i = 0; i < golden_count; i++)
		*len += goldens[i].len;
	text = malloc(*len);
	*len = 0;
	for (size_t i = 0; i < golden_count; i++) {
		if (goldens[i].len > 0)
			memcpy(text + *len, goldens[i].bytes, goldens[i].len);
		*len += goldens[i].len;
	}
	return text;
}

static void stops_early_at_a_limit(void **state)
{
	size_t len, tokens, all;
	char *text = join_goldens(&len);

	(void)state;
	assert_int_equal(tokens_count(encoder_of(0), text, len, &all), EMBED_OK);
	assert_int_equal(tokens_count_up_to(encoder_of(0), text, len, 100, &tokens), EMBED_OK);
	assert_true(tokens > 100 && tokens < 100 + 4000);
	assert_int_equal(tokens_count_up_to(encoder_of(0), text, len, all, &tokens), EMBED_OK);
	assert_int_equal(tokens, all);
	assert_int_equal(tokens_count_up_to(encoder_of(0), text, len, all - 1, &tokens), EMBED_OK);
	assert_int_equal(tokens, all);
	free(text);
}

static void feed(
    struct tokens_stream *stream, const char *bytes, size_t len, size_t part, struct buffer *ids)
{
	for (size_t at = 0; at < len; at += part)
		assert_int_equal(
		    tokens_stream_feed(stream, bytes + at, len - at < part ? len - at : part, ids),
		    EMBED_OK);
	assert_int_equal(tokens_stream_finish(stream, ids), EMBED_OK);
}

static void streams_parts_of_any_size_to_the_same_ids(void **state)
{
	static const size_t parts[] = {1, 7, 1000, 70000, 1 << 20};
	size_t len;
	char *text = join_goldens(&len);
	struct buffer whole, ids;

	(void)state;
	buffer_init(&whole, 1 << 24);
	buffer_init(&ids, 1 << 24);
	for (int e = 0; e < 2; e++) {
		struct tokens_stream *stream = tokens_stream_create(encoder_of(e), 0);

		buffer_reset(&whole);
		tokens_encode(encoder_of(e), text, len, &whole);
		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
			buffer_reset(&ids);
			feed(stream, text, len, parts[p], &ids);
			assert_int_equal(ids.len, whole.len);
			assert_memory_equal(ids.bytes, whole.bytes, ids.len);
			assert_int_equal(tokens_stream_count(stream) * sizeof(uint32_t), ids.len);
		}
		tokens_stream_destroy(stream);
	}
	buffer_fini(&ids);
	buffer_fini(&whole);
	free(text);
}

static void refuses_an_unbroken_piece_above_what_a_stream_may_hold(void **state)
{
	struct tokens_stream *stream = tokens_stream_create(encoder_of(0), 0);
	enum embed_status status = EMBED_OK;
	int fed = 0;

	(void)state;
	for (; status == EMBED_OK && fed < 1000; fed++)
		status = tokens_stream_feed(stream, "abc", 3, NULL);
	assert_int_equal(status, EMBED_OK);
	tokens_stream_finish(stream, NULL);
	for (fed = 0; status == EMBED_OK && fed < 100000; fed++)
		status = tokens_stream_feed(stream, "abc", 3, NULL);
	assert_int_equal(status, EMBED_TOO_LARGE);
	tokens_stream_destroy(stream);
}

static void encodes_each_side_of_a_cut_as_in_the_whole(void **state)
{
	struct buffer cuts;

	(void)state;
	buffer_init(&cuts, 1 << 24);
	for (int e = 0; e < 2; e++)
		for (size_t i = 0; i < golden_count; i++) {
			const struct tokens_cut *cut;
			size_t count, tokens;

			buffer_reset(&cuts);
			assert_int_equal(
			    tokens_cuts(encoder_of(e), goldens[i].bytes, goldens[i].len, &cuts),
			    EMBED_OK);
			cut = (const void *)cuts.bytes;
			count = cuts.len / sizeof(*cut);
			assert_int_equal(cut[0].offset, 0);
			assert_int_equal(cut[count - 1].offset, goldens[i].len);
			assert_int_equal(cut[count - 1].tokens, goldens[i].count[e]);
			for (size_t c = 0; c + 1 < count; c++) {
				size_t to = c + 1 + c * 7 % (count - c - 1);

				assert_true(cut[c].offset < cut[c + 1].offset);
				tokens_count(encoder_of(e), goldens[i].bytes + cut[c].offset,
				    cut[to].offset - cut[c].offset, &tokens);
				assert_int_equal(tokens, cut[to].tokens - cut[c].tokens);
			}
		}
	buffer_fini(&cuts);
}

static void counts_any_slice_as_a_text_of_its_own(void **state)
{
	struct buffer cuts;
	struct random random = {7};

	(void)state;
	buffer_init(&cuts, 1 << 24);
	for (int e = 0; e < 2; e++)
		for (size_t i = 0; i < golden_count; i++) {
			const struct tokens_cut *cut;

			buffer_reset(&cuts);
			tokens_cuts(encoder_of(e), goldens[i].bytes, goldens[i].len, &cuts);
			cut = (const void *)cuts.bytes;
			for (int round = 0; round < 6; round++) {
				size_t start = random_below(&random, goldens[i].len + 1);
				size_t end =
				    start + random_below(&random, goldens[i].len - start + 1);
				size_t fast, fresh;

				tokens_count_slice(encoder_of(e), goldens[i].bytes, cut,
				    cuts.len / sizeof(*cut), start, end, &fast);
				tokens_count(
				    encoder_of(e), goldens[i].bytes + start, end - start, &fresh);
				if (fast != fresh)
					print_message(
					    "%s case %zu [%zu,%zu)\n", names[e], i, start, end);
				assert_int_equal(fast, fresh);
			}
		}
	buffer_fini(&cuts);
}

static bool is_char_end(const char *bytes, size_t len, size_t at)
{
	return at == len || ((unsigned char)bytes[at] & 0xC0) != 0x80;
}

static void cuts_a_prefix_at_a_limit_and_a_character(void **state)
{
	(void)state;
	for (int e = 0; e < 2; e++)
		for (size_t i = 0; i < 3192; i++)
			for (size_t limit = 0; limit < goldens[i].count[e];
			     limit += 1 + limit * 3) {
				size_t prefix, tokens, fresh;

				assert_int_equal(tokens_prefix(encoder_of(e), goldens[i].bytes,
						     goldens[i].len, limit, &prefix, &tokens),
				    EMBED_OK);
				tokens_count(encoder_of(e), goldens[i].bytes, prefix, &fresh);
				assert_int_equal(tokens, fresh);
				assert_true(tokens <= limit);
				assert_true(limit < 4 || prefix > 0);
				assert_true(is_char_end(goldens[i].bytes, goldens[i].len, prefix));
			}
}

static void decodes_what_it_encoded(void **state)
{
	struct buffer bytes;

	(void)state;
	buffer_init(&bytes, 1 << 20);
	for (int e = 0; e < 2; e++)
		for (size_t i = 0; i < 3192; i++) {
			buffer_reset(&bytes);
			assert_int_equal(tokens_decode(tokens_encoding_find(names[e]),
					     goldens[i].ids[e], goldens[i].count[e], &bytes, NULL),
			    EMBED_OK);
			assert_int_equal(bytes.len, goldens[i].len);
			if (bytes.len > 0)
				assert_memory_equal(bytes.bytes, goldens[i].bytes, bytes.len);
		}
	buffer_fini(&bytes);
}

static void says_which_id_is_no_token(void **state)
{
	static const uint32_t ids[] = {15339, 100257, 100256};
	const struct tokens_encoding *encoding = tokens_encoding_find(NULL);
	struct buffer bytes;
	size_t bad = 99;

	(void)state;
	buffer_init(&bytes, 1 << 20);
	assert_int_equal(tokens_decode(encoding, ids, 2, &bytes, &bad), EMBED_OK);
	assert_memory_equal(bytes.bytes, "hello<|endoftext|>", 18);
	assert_int_equal(tokens_decode(encoding, ids, 3, &bytes, &bad), EMBED_BAD_TOKEN);
	assert_int_equal(bad, 2);
	assert_null(tokens_bytes_of(encoding, 100257, &bad));
	assert_null(tokens_bytes_of(encoding, UINT32_MAX, &bad));
	buffer_fini(&bytes);
}

static void knows_its_encodings_by_name(void **state)
{
	(void)state;
	assert_string_equal(tokens_encoding_name(tokens_encoding_find(NULL)), "cl100k_base");
	assert_string_equal(tokens_encoding_name(tokens_encoding_find("o200k_base")), "o200k_base");
	assert_null(tokens_encoding_find("p50k_base"));
	assert_null(tokens_encoding_find(""));
}

static void takes_a_missing_encoder_as_no_memory(void **state)
{
	size_t tokens;

	(void)state;
	assert_int_equal(tokens_count(NULL, "a", 1, &tokens), EMBED_NO_MEMORY);
	assert_null(tokens_stream_create(NULL, 0));
	tokens_encoder_destroy(NULL);
	tokens_stream_destroy(NULL);
}

static void reports_a_full_buffer(void **state)
{
	struct buffer ids;

	(void)state;
	buffer_init(&ids, 8);
	assert_int_equal(tokens_encode(encoder_of(0), "a b c d e", 9, &ids), EMBED_TOO_LARGE);
	buffer_fini(&ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_the_ids_of_tiktoken),
	    cmocka_unit_test(counts_as_many_as_it_encodes),
	    cmocka_unit_test(stops_early_at_a_limit),
	    cmocka_unit_test(streams_parts_of_any_size_to_the_same_ids),
	    cmocka_unit_test(refuses_an_unbroken_piece_above_what_a_stream_may_hold),
	    cmocka_unit_test(encodes_each_side_of_a_cut_as_in_the_whole),
	    cmocka_unit_test(counts_any_slice_as_a_text_of_its_own),
	    cmocka_unit_test(cuts_a_prefix_at_a_limit_and_a_character),
	    cmocka_unit_test(decodes_what_it_encoded),
	    cmocka_unit_test(says_which_id_is_no_token),
	    cmocka_unit_test(knows_its_encodings_by_name),
	    cmocka_unit_test(takes_a_missing_encoder_as_no_memory),
	    cmocka_unit_test(reports_a_full_buffer),
	};

	return cmocka_run_group_tests(tests, read_goldens, free_goldens);
}
