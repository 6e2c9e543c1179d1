/* SPDX-License-Identifier: MIT */
/*
 * Encoder.  For any bytes: count, ids, cuts and a stream in small parts agree;
 * each side of a cut encodes to its own tokens; the ids decode to the text
 * with ill-formed parts replaced; pieces are the same with and without SIMD.
 */
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"
#include "tokens/split.h"
#include "text/utf8.h"
#include "tokens/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Each ill-formed part becomes one U+FFFD. */
static void repair(struct buffer *out, const char *bytes, size_t len)
{
	char character[4];
	size_t size;

	for (size_t at = 0; at < len; at += size) {
		uint32_t code = utf8_decode(bytes + at, len - at, &size);

		buffer_append(out, character, utf8_encode(code, character));
	}
}

static void check_text_of(
    const struct tokens_encoding *encoding, const char *bytes, size_t len, const struct buffer *ids)
{
	struct buffer decoded, repaired;

	buffer_init(&decoded, SIZE_MAX / 2);
	buffer_init(&repaired, SIZE_MAX / 2);
	must(tokens_decode(encoding, (const uint32_t *)(const void *)ids->bytes,
		 ids->len / sizeof(uint32_t), &decoded, NULL) == EMBED_OK);
	repair(&repaired, bytes, len);
	must(decoded.len == repaired.len);
	must(decoded.len == 0 || memcmp(decoded.bytes, repaired.bytes, decoded.len) == 0);
	buffer_fini(&decoded);
	buffer_fini(&repaired);
}

static void check_cuts(struct tokens_encoder *encoder, const char *bytes, size_t len, size_t tokens)
{
	const struct tokens_cut *cut;
	struct buffer cuts;
	size_t left, right, slice, middle;

	buffer_init(&cuts, SIZE_MAX / 2);
	must(tokens_cuts(encoder, bytes, len, &cuts) == EMBED_OK);
	cut = (const void *)cuts.bytes;
	middle = cuts.len / sizeof(*cut) / 2;
	must(tokens_count(encoder, bytes, cut[middle].offset, &left) == EMBED_OK);
	must(tokens_count(encoder, bytes + cut[middle].offset, len - cut[middle].offset, &right) ==
	     EMBED_OK);
	must(left == cut[middle].tokens && left + right == tokens);
	must(tokens_count_slice(encoder, bytes, cut, cuts.len / sizeof(*cut), len / 3,
		 len - len / 4, &slice) == EMBED_OK);
	must(tokens_count(encoder, bytes + len / 3, len - len / 4 - len / 3, &right) == EMBED_OK);
	must(slice == right);
	buffer_fini(&cuts);
}

static void check_stream(struct tokens_encoder *encoder, const char *bytes, size_t len, size_t part,
    const struct buffer *whole)
{
	struct tokens_stream *stream = tokens_stream_create(encoder, SIZE_MAX / 2);
	struct buffer ids;

	buffer_init(&ids, SIZE_MAX / 2);
	for (size_t at = 0; at < len; at += part)
		must(tokens_stream_feed(
			 stream, bytes + at, len - at < part ? len - at : part, &ids) == EMBED_OK);
	must(tokens_stream_finish(stream, &ids) == EMBED_OK);
	must(ids.len == whole->len);
	must(ids.len == 0 || memcmp(ids.bytes, whole->bytes, ids.len) == 0);
	tokens_stream_destroy(stream);
	buffer_fini(&ids);
}

static void check_pieces(const struct split_text *text)
{
	size_t ends[64 + SPLIT_SLACK], scalar[1 + SPLIT_SLACK], at = 0, scalar_at = 0;
	bool is_ill = false, is_ill_scalar = false;

	while (at < text->len) {
		size_t count = split_best()(text, at, ends, 64, &is_ill), scalar_count;

		for (size_t i = 0; i < count; i += scalar_count) {
			scalar_count = split_walk(text, &scalar_at, scalar, &is_ill_scalar);
			must(i + scalar_count <= count &&
			     memcmp(ends + i, scalar, scalar_count * sizeof(*ends)) == 0);
		}
		at = ends[count - 1];
		must(at == scalar_at);
	}
	must(is_ill == is_ill_scalar);
}

static void check(const char *name, const char *bytes, size_t len, size_t part)
{
	const struct tokens_encoding *encoding = tokens_encoding_find(name);
	struct tokens_encoder *encoder = tokens_encoder_of_thread(encoding);
	struct buffer ids;
	size_t tokens;

	buffer_init(&ids, SIZE_MAX / 2);
	must(tokens_encode(encoder, bytes, len, &ids) == EMBED_OK);
	must(tokens_count(encoder, bytes, len, &tokens) == EMBED_OK);
	must(tokens == ids.len / sizeof(uint32_t));
	check_text_of(encoding, bytes, len, &ids);
	check_cuts(encoder, bytes, len, tokens);
	check_stream(encoder, bytes, len, part, &ids);
	for (int at_seams = 0; at_seams < 2; at_seams++)
		check_pieces(&(struct split_text){encoding, (const uint8_t *)bytes, len, at_seams});
	buffer_fini(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact;

	if (size == 0)
		return 0;
	exact = malloc(size); /* so that a byte read beyond is noticed */
	memcpy(exact, data + 1, size - 1);
	check("cl100k_base", exact, size - 1, data[0] + 1u);
	check("o200k_base", exact, size - 1, data[0] + 1u);
	free(exact);
	return 0;
}
