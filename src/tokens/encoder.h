/* SPDX-License-Identifier: MIT */
/*
 * Encoder: from text to tokens, a batch of pieces at a time.
 *
 * Each batch goes through three passes, so that the work of many pieces
 * overlaps instead of waiting for one another's memory: cut into pieces; make
 * each piece's key, hash it and ask for its cache line; look.  Pieces that are
 * no token (one in twelve in English) are then looked up in the memo, and
 * merged and memorised when they are not there.
 */
#ifndef TOKENS_ENCODER_H
#define TOKENS_ENCODER_H

#include "tokens/memo.h"
#include "tokens/split.h"
#include "tokens/vocabulary.h"

#define ENCODER_BATCH 256

struct tokens_encoder {
	const struct tokens_encoding *encoding;
	split_fn *split;
	size_t ends[ENCODER_BATCH];
	struct tables_key keys[ENCODER_BATCH];
	uint64_t hashes[ENCODER_BATCH];
	uint32_t ids[ENCODER_BATCH];
	uint32_t counts[ENCODER_BATCH];  /* tokens of each piece, where cuts are wanted */
	uint16_t missing[ENCODER_BATCH]; /* pieces that are no token */
	struct tokens_cut cuts[ENCODER_BATCH];
	uint32_t out[ENCODER_BATCH * TABLES_KEY_BYTES];
	uint32_t spare[TABLES_KEY_BYTES];
	struct memo memo;
};

/* What an encoding run gives; each NULL member is not wanted. */
struct encoder_sink {
	struct buffer *ids;
	struct buffer *cuts;
	size_t tokens; /* so far */
	size_t limit;  /* may stop when above */
};

/* Encodes bytes[at, len) as a text of its own. */
enum embed_status encoder_run(struct tokens_encoder *encoder, const uint8_t *bytes, size_t len,
    size_t at, struct encoder_sink *sink);

/*
 * Whether the text may be cut after piece [start, end): not when it is the one
 * blank that a run of blanks left over, because before a cut it would join them.
 */
bool encoder_can_cut(const uint8_t *bytes, size_t start, size_t end);

#endif
