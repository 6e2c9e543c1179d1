/* SPDX-License-Identifier: MIT */
/*
 * Encoder: from text to tokens, a batch of pieces at a time.
 *
 * Each batch goes through several passes, so that the work of many pieces
 * overlaps instead of waiting for one another's memory: cut into pieces; make
 * each piece's key, hash it and see whether it is one of the known; ask for the
 * others' cache lines; look.  Pieces that are no token (one in twelve in
 * English) are then looked up in the memo; those that are not there either are
 * merged side by side and memorised.
 */
#ifndef TOKENS_ENCODER_H
#define TOKENS_ENCODER_H

#include "tokens/memo.h"
#include "tokens/merge.h"
#include "tokens/split.h"
#include "tokens/vocabulary.h"

/* Pieces in a batch: aimed at, and at most. */
#define ENCODER_BATCH     256
#define ENCODER_BATCH_MAX (ENCODER_BATCH + SPLIT_SLACK)

/* A piece that is no token, and what it encodes to; no ids: merge_piece has to. */
struct encoder_missing {
	uint32_t piece;
	uint32_t count;
	uint32_t *ids;
};

/* Ids wait here for the sink; a few more may be written than are meant. */
#define ENCODER_OUT       4096
#define ENCODER_OUT_SLACK (MERGE_JOB_BYTES + 4)

/* Pieces of up to 15 bytes that were met lately, one place a hash: few enough for the second cache. */
#define ENCODER_KNOWN 8192

/*
 * Above the length in the last byte of such a piece's key: how many tokens it
 * has, and whether its ids are kept, too.  Where only counts matter they are not.
 */
#define ENCODER_COUNT_SHIFT 60
#define ENCODER_COUNT_MAX   7
#define ENCODER_HAS_IDS     (UINT64_C(1) << 63)

/* Up to three ids in one word, the first lowest, and above them how many; 0: more, or not found. */
#define ENCODER_PACKED       3
#define ENCODER_PACKED_SHIFT (ENCODER_PACKED * TABLES_ID_BITS)

/* Not keys: a piece above 15 bytes; one with bytes that are not well-formed. */
#define ENCODER_LONG_KEY_HI UINT64_MAX
#define ENCODER_ILL_KEY_HI  (UINT64_MAX - 1)

/* Bytes at a text's end that are copied, so that pieces can be read beyond their ends. */
#define ENCODER_TAIL (MEMO_BYTES + MEMO_READ_BEYOND)

struct tokens_encoder {
	const struct tokens_encoding *encoding;
	split_fn *split;
	merge_jobs_fn *merge_jobs;
	size_t starts[ENCODER_BATCH_MAX];
	size_t ends[ENCODER_BATCH_MAX];
	struct tables_key keys[ENCODER_BATCH_MAX];
	uint64_t hashes[ENCODER_BATCH_MAX];
	const uint32_t *slots[ENCODER_BATCH_MAX]; /* where a token with this hash would be noted */
	uint32_t found[ENCODER_BATCH_MAX];        /* what is noted there */
	uint64_t packed[ENCODER_BATCH_MAX];       /* ids of each piece */
	struct encoder_missing missing[ENCODER_BATCH_MAX];
	struct merge_job jobs[MERGE_KINDS][ENCODER_BATCH_MAX]; /* owner: the missing piece */
	size_t job_counts[MERGE_KINDS];
	uint32_t merged[ENCODER_BATCH_MAX * (MERGE_JOB_BYTES + 3)];
	uint8_t tail[ENCODER_TAIL +
		     2 * MERGE_JOB_BYTES]; /* the text's last bytes, and zeros to read beyond */
	const uint8_t *tail_start;         /* what of the text it is a copy of */
	uint32_t out[ENCODER_OUT + ENCODER_OUT_SLACK];
	uint32_t counts[ENCODER_BATCH_MAX]; /* tokens of each piece, where cuts are wanted */
	struct tokens_cut cuts[ENCODER_BATCH_MAX];
	struct tables_key known[ENCODER_KNOWN]; /* with what stands above the length; zero: empty */
	uint64_t known_ids[ENCODER_KNOWN];   /* packed, but for their number; where there are few */
	uint32_t unknown[ENCODER_BATCH_MAX]; /* numbers of the pieces that are not known */
	struct buffer scratch;               /* ids of one piece */
	struct memo *memo;
	bool has_own_memo;
};

/* Uses `memo` if it is not NULL, which must then outlive the encoder, else one of its own.  NULL: no memory. */
struct tokens_encoder *encoder_create(const struct tokens_encoding *encoding, struct memo *memo);

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

/* A batch of pieces, and what it has put out so far. */
struct encoder_batch {
	const uint8_t *bytes;
	size_t start; /* of its first piece */
	size_t count;
	bool is_ill_formed;
	size_t out_count; /* ids waiting in encoder->out */
	struct merge_sink sink;
};

/*
 * Puts out a batch: what is packed, and the missing pieces, of which those
 * without ids are merged.  `wants_counts`: each piece's goes into `counts`.
 */
enum embed_status encoder_put_batch(
    struct tokens_encoder *encoder, struct encoder_batch *batch, bool wants_counts);

/* The same where only the count matters: of all pieces that are left, `missing_count` are missing. */
enum embed_status encoder_count_batch(
    struct tokens_encoder *encoder, struct encoder_batch *batch, size_t missing_count);

/* Appends the cuts after the batch's pieces, from `counts`; `tokens` came before it. */
enum embed_status encoder_put_cuts(struct tokens_encoder *encoder,
    const struct encoder_batch *batch, size_t tokens, struct buffer *cuts);

/*
 * Whether the text may be cut after piece [start, end): not when it is the one
 * blank that a run of blanks left over, because before a cut it would join them.
 */
bool encoder_can_cut(const uint8_t *bytes, size_t start, size_t end);

/* Beyond a piece's end the patterns look at most this far, blanks and capitals aside. */
#define ENCODER_LOOK_AHEAD_BYTES 8

/*
 * Whether a place stays one to cut at whatever follows bytes[0, len), judged by
 * the piece after it, [start, end): it is not just blanks (a run of blanks is
 * decided by what ends it) and is over well before the bytes are.
 */
bool encoder_is_certain(const uint8_t *bytes, size_t start, size_t end, size_t len);

#endif
