/* SPDX-License-Identifier: MIT */
/* What a batch gives: ids, counts, cuts. */
#include "text/utf8.h"
#include "tokens/encoder.h"

static enum embed_status flush(struct tokens_encoder *encoder, struct encoder_batch *batch)
{
	if (batch->out_count == 0)
		return EMBED_OK;
	buffer_append(batch->sink.ids, encoder->out, batch->out_count * sizeof(*encoder->out));
	batch->out_count = 0;
	return batch->sink.ids->status;
}

/* Copies ids four at a time: up to three more than meant, for which both sides have room. */
static void copy_ids(uint32_t *to, const uint32_t *from, size_t count)
{
	for (size_t i = 0; i < count; i += 4)
		memcpy(to + i, from + i, 4 * sizeof(*to));
}

/* Merges a piece that was too long for a job but not for the memo, and memorises it. */
static enum embed_status merge_and_remember(struct tokens_encoder *encoder, const uint8_t *piece,
    size_t len, uint64_t hash, struct merge_sink *sink)
{
	struct merge_sink own = {&encoder->scratch, 0, SIZE_MAX};
	enum embed_status status;

	buffer_reset(&encoder->scratch);
	status = merge_piece(encoder->encoding, piece, len, false, MERGE_WINDOW, &own);
	if (status != EMBED_OK)
		return status;
	memo_add(encoder->memo, encoder->encoding, hash,
	    (const uint32_t *)(const void *)encoder->scratch.bytes, own.count);
	return merge_emit(sink, (const uint32_t *)(const void *)encoder->scratch.bytes, own.count);
}

/* Puts out a piece that was too long for a job, or is ill-formed. */
static enum embed_status put_long(struct tokens_encoder *encoder, struct encoder_batch *batch,
    const struct encoder_missing *missing)
{
	size_t start = encoder->starts[missing->piece];
	size_t len = encoder->ends[missing->piece] - start;
	bool is_ill = encoder->keys[missing->piece].hi == ENCODER_ILL_KEY_HI;
	enum embed_status status = flush(encoder, batch);

	if (status != EMBED_OK)
		return status;
	if (!is_ill && len <= MEMO_BYTES)
		return merge_and_remember(encoder, batch->bytes + start, len,
		    encoder->hashes[missing->piece], &batch->sink);
	return merge_piece(
	    encoder->encoding, batch->bytes + start, len, is_ill, MERGE_WINDOW, &batch->sink);
}

/* Puts out a piece that is not packed. */
static enum embed_status put_missing(struct tokens_encoder *encoder, struct encoder_batch *batch,
    const struct encoder_missing *missing)
{
	if (missing->ids == NULL)
		return put_long(encoder, batch, missing);
	batch->sink.count += missing->count;
	if (batch->sink.ids == NULL)
		return EMBED_OK;
	copy_ids(encoder->out + batch->out_count, missing->ids, missing->count);
	batch->out_count += missing->count;
	return batch->out_count < ENCODER_OUT - ENCODER_PACKED * ENCODER_BATCH_MAX
		   ? EMBED_OK
		   : flush(encoder, batch);
}

/*
 * Puts out packed pieces from number `i` on, up to the first that is not, and
 * returns that.  All ids are written, and those that are not meant are written over.
 */
static size_t put_packed(
    struct tokens_encoder *encoder, struct encoder_batch *batch, size_t i, bool wants_counts)
{
	uint32_t *out = encoder->out + batch->out_count, *start = out;

	for (; i < batch->count; i++) {
		uint64_t packed = encoder->packed[i], count = packed >> ENCODER_PACKED_SHIFT;

		if (count == 0)
			break;
		for (int k = 0; k < ENCODER_PACKED; k++)
			out[k] = packed >> k * TABLES_ID_BITS & TABLES_ID_MASK;
		out += count;
		if (wants_counts)
			encoder->counts[i] = (uint32_t)count;
	}
	batch->sink.count += (size_t)(out - start);
	batch->out_count += batch->sink.ids == NULL ? 0 : (size_t)(out - start);
	return i;
}

enum embed_status encoder_put_batch(
    struct tokens_encoder *encoder, struct encoder_batch *batch, bool wants_counts)
{
	const struct encoder_missing *missing = encoder->missing;

	for (size_t i = 0; (i = put_packed(encoder, batch, i, wants_counts)) < batch->count; i++) {
		size_t before = batch->sink.count;
		enum embed_status status;

		while (missing->piece != i)
			missing++;
		status = put_missing(encoder, batch, missing);
		if (status != EMBED_OK)
			return status;
		if (wants_counts)
			encoder->counts[i] = (uint32_t)(batch->sink.count - before);
	}
	return flush(encoder, batch);
}

enum embed_status encoder_count_batch(
    struct tokens_encoder *encoder, struct encoder_batch *batch, size_t missing_count)
{
	enum embed_status status = EMBED_OK;

	batch->sink.count += batch->count - missing_count;
	for (size_t m = 0; m < missing_count && status == EMBED_OK; m++)
		status = put_missing(encoder, batch, &encoder->missing[m]);
	return status;
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

enum embed_status encoder_put_cuts(struct tokens_encoder *encoder,
    const struct encoder_batch *batch, size_t tokens, struct buffer *cuts)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		tokens += encoder->counts[i];
		encoder->cuts[count] = (struct tokens_cut){encoder->ends[i], tokens};
		count += encoder_can_cut(batch->bytes, encoder->starts[i], encoder->ends[i]);
	}
	buffer_append(cuts, encoder->cuts, count * sizeof(*encoder->cuts));
	return cuts->status;
}
