/* SPDX-License-Identifier: MIT */
#include "tokens/encoder.h"

#include "text/utf8.h"
#include "tokens/merge.h"

/* Not a key: a piece above 15 bytes. */
#define LONG_KEY_HI UINT64_MAX

static const uint64_t masks[TABLES_KEY_BYTES + 1][2] = {
#define LOW(n)                                                                                     \
	{                                                                                          \
		(UINT64_C(1) << 8 * n) - 1, 0                                                      \
	}
#define HIGH(n)                                                                                    \
	{                                                                                          \
		UINT64_MAX, (UINT64_C(1) << 8 * n) - 1                                             \
	}
    LOW(0),
    LOW(1),
    LOW(2),
    LOW(3),
    LOW(4),
    LOW(5),
    LOW(6),
    LOW(7),
    HIGH(0),
    HIGH(1),
    HIGH(2),
    HIGH(3),
    HIGH(4),
    HIGH(5),
    HIGH(6),
    HIGH(7),
#undef LOW
#undef HIGH
};

/* The key of the piece; `room` bytes may be read. */
static inline struct tables_key key_of(const uint8_t *piece, size_t piece_len, size_t room)
{
	struct tables_key key = {0, LONG_KEY_HI};
	uint8_t padded[16] = {0};

	if (piece_len > TABLES_KEY_BYTES)
		return key;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (room >= 16) {
		memcpy(&key, piece, sizeof(key));
		key.lo &= masks[piece_len][0];
		key.hi &= masks[piece_len][1];
		key.hi |= (uint64_t)piece_len << 56;
		return key;
	}
#endif
	memcpy(padded, piece, piece_len);
	padded[15] = (uint8_t)piece_len;
	memcpy(&key, padded, sizeof(key));
	return key;
}

/* Second pass: keys and hashes, and the slots on their way to the cache. */
static void hash_pieces(
    struct tokens_encoder *encoder, const uint8_t *bytes, size_t len, size_t at, size_t count)
{
	const struct tokens_encoding *encoding = encoder->encoding;

	for (size_t i = 0; i < count; i++) {
		size_t end = encoder->ends[i];
		struct tables_key key = key_of(bytes + at, end - at, len - at);
		uint32_t place;

		encoder->keys[i] = key;
		encoder->hashes[i] = tables_hash_key(key);
		__builtin_prefetch(vocabulary_key_line(encoding, encoder->hashes[i], &place));
		at = end;
	}
}

/* Pieces that are ill-formed must not be taken for the tokens that their bytes are. */
static void unhash_ill_formed(
    struct tokens_encoder *encoder, const uint8_t *bytes, size_t at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t end = encoder->ends[i];

		if (!utf8_is_well_formed((const char *)bytes + at, end - at)) {
			encoder->keys[i] = (struct tables_key){0, LONG_KEY_HI};
			encoder->hashes[i] = tables_hash_key(encoder->keys[i]);
		}
		at = end;
	}
}

/* Third pass: ids of the pieces that are tokens; lists the others. */
static size_t find_pieces(struct tokens_encoder *encoder, size_t count)
{
	size_t missing_count = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t id =
		    vocabulary_find_key(encoder->encoding, encoder->keys[i], encoder->hashes[i]);

		encoder->ids[i] = id;
		encoder->missing[missing_count] = (uint16_t)i;
		missing_count += id == TABLES_NONE;
	}
	return missing_count;
}

/* Tokens of a piece of at most 15 bytes, from the memo or merged now; *ids is borrowed until the next. */
static size_t find_short(
    struct tokens_encoder *encoder, const uint8_t *piece, size_t at, const uint32_t **ids)
{
	struct tables_key key = encoder->keys[at];
	struct memo_entry *entry = memo_entry(&encoder->memo, encoder->hashes[at]);
	size_t count;

	*ids = entry->ids;
	if (memo_has(entry, key))
		return entry->count;
	count = merge_window(encoder->encoding, piece, (size_t)(key.hi >> 56), encoder->spare);
	if (count > MEMO_TOKENS) {
		*ids = encoder->spare;
		return count;
	}
	entry->key = key;
	entry->count = (uint32_t)count;
	memcpy(entry->ids, encoder->spare, count * sizeof(*entry->ids));
	return count;
}

/* Appends a piece above 15 bytes, or an ill-formed one, straight to the sink. */
static enum embed_status put_long(struct tokens_encoder *encoder, const uint8_t *piece,
    size_t piece_len, bool is_ill_formed, struct merge_sink *sink)
{
	uint32_t id = TABLES_NONE;

	is_ill_formed = is_ill_formed && !utf8_is_well_formed((const char *)piece, piece_len);
	if (!is_ill_formed)
		id = vocabulary_find_long(encoder->encoding, piece, piece_len);
	if (id == TABLES_NONE)
		return merge_piece(
		    encoder->encoding, piece, piece_len, is_ill_formed, MERGE_WINDOW, sink);
	sink->count++;
	if (sink->ids == NULL)
		return EMBED_OK;
	buffer_append(sink->ids, &id, sizeof(id));
	return sink->ids->status;
}

/* What one batch has put out so far. */
struct batch {
	const uint8_t *bytes;
	size_t start; /* of its first piece */
	size_t count;
	bool is_ill_formed;
	size_t out_count; /* ids waiting in encoder->out */
	struct merge_sink sink;
};

static size_t piece_start(const struct tokens_encoder *encoder, const struct batch *batch, size_t i)
{
	return i == 0 ? batch->start : encoder->ends[i - 1];
}

static enum embed_status flush(struct tokens_encoder *encoder, struct batch *batch)
{
	if (batch->sink.ids == NULL || batch->out_count == 0)
		return EMBED_OK;
	buffer_append(batch->sink.ids, encoder->out, batch->out_count * sizeof(*encoder->out));
	batch->out_count = 0;
	return batch->sink.ids->status;
}

/* Puts out the `i`th piece, which is no token; its tokens are added to the sink's count. */
static enum embed_status put_missing(struct tokens_encoder *encoder, struct batch *batch, size_t i)
{
	size_t start = piece_start(encoder, batch, i), count;
	const uint32_t *ids;
	enum embed_status status;

	if (encoder->keys[i].hi == LONG_KEY_HI) {
		status = flush(encoder, batch);
		if (status != EMBED_OK)
			return status;
		return put_long(encoder, batch->bytes + start, encoder->ends[i] - start,
		    batch->is_ill_formed, &batch->sink);
	}
	count = find_short(encoder, batch->bytes + start, i, &ids);
	batch->sink.count += count;
	if (batch->sink.ids != NULL) {
		memcpy(encoder->out + batch->out_count, ids, count * sizeof(*ids));
		batch->out_count += count;
	}
	return EMBED_OK;
}

/* Puts out pieces [from, to), all of which are tokens. */
static void put_found(struct tokens_encoder *encoder, struct batch *batch, size_t from, size_t to)
{
	batch->sink.count += to - from;
	if (batch->sink.ids == NULL)
		return;
	memcpy(encoder->out + batch->out_count, encoder->ids + from,
	    (to - from) * sizeof(*encoder->ids));
	batch->out_count += to - from;
}

static enum embed_status put_batch(
    struct tokens_encoder *encoder, struct batch *batch, size_t missing_count, bool wants_counts)
{
	size_t from = 0;
	enum embed_status status;

	for (size_t m = 0; m < missing_count; m++) {
		size_t i = encoder->missing[m], before;

		put_found(encoder, batch, from, i);
		before = batch->sink.count;
		status = put_missing(encoder, batch, i);
		if (status != EMBED_OK)
			return status;
		if (wants_counts)
			encoder->counts[i] = (uint32_t)(batch->sink.count - before);
		from = i + 1;
	}
	put_found(encoder, batch, from, batch->count);
	return flush(encoder, batch);
}

/* A blank that is no newline and ends at `end`, which is above 0. */
static bool is_blank_before(const uint8_t *bytes, size_t end)
{
	size_t at = utf8_floor((const char *)bytes, end, end - 1);
	unsigned int width;

	return (split_class(bytes, end, at, &width) & (CLASS_BLANK | CLASS_NEWLINE)) == CLASS_BLANK;
}

bool encoder_can_cut(const uint8_t *bytes, size_t start, size_t end)
{
	unsigned int width;

	if (end - start > 3 || start == 0)
		return true;
	if ((split_class(bytes, end, start, &width) & (CLASS_BLANK | CLASS_NEWLINE)) != CLASS_BLANK)
		return true;
	return width < end - start || !is_blank_before(bytes, start);
}

static enum embed_status put_cuts(
    struct tokens_encoder *encoder, const struct batch *batch, size_t tokens, struct buffer *cuts)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		size_t start = piece_start(encoder, batch, i);

		tokens += encoder->counts[i];
		encoder->cuts[count] = (struct tokens_cut){encoder->ends[i], tokens};
		count += encoder_can_cut(batch->bytes, start, encoder->ends[i]);
	}
	buffer_append(cuts, encoder->cuts, count * sizeof(*encoder->cuts));
	return cuts->status;
}

static enum embed_status run_batch(
    struct tokens_encoder *encoder, struct batch *batch, size_t len, struct encoder_sink *sink)
{
	size_t missing_count;
	enum embed_status status;

	hash_pieces(encoder, batch->bytes, len, batch->start, batch->count);
	if (batch->is_ill_formed)
		unhash_ill_formed(encoder, batch->bytes, batch->start, batch->count);
	missing_count = find_pieces(encoder, batch->count);
	if (sink->cuts != NULL)
		for (size_t i = 0; i < batch->count; i++)
			encoder->counts[i] = 1;
	status = put_batch(encoder, batch, missing_count, sink->cuts != NULL);
	if (status == EMBED_OK && sink->cuts != NULL)
		status = put_cuts(encoder, batch, sink->tokens, sink->cuts);
	sink->tokens = batch->sink.count;
	return status;
}

enum embed_status encoder_run(struct tokens_encoder *encoder, const uint8_t *bytes, size_t len,
    size_t at, struct encoder_sink *sink)
{
	enum embed_status status = EMBED_OK;

	while (at < len && sink->tokens <= sink->limit && status == EMBED_OK) {
		struct batch batch = {.bytes = bytes, .start = at};

		batch.sink = (struct merge_sink){sink->ids, sink->tokens, sink->limit};
		batch.count = encoder->split(encoder->encoding, bytes, len, at, encoder->ends,
		    ENCODER_BATCH, &batch.is_ill_formed);
		status = run_batch(encoder, &batch, len, sink);
		at = encoder->ends[batch.count - 1];
	}
	return status;
}
