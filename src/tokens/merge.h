/* SPDX-License-Identifier: MIT */
/*
 * Merge: byte-pair encoding of one piece.
 *
 * The tokens of a piece are what is left when, starting from single bytes,
 * the leftmost pair of lowest rank is merged until no pair is a token (ids
 * are ranks here).  Two facts make it fast, both checked when the tables are
 * made or by tests:
 *
 *  - A token only ever comes out of the one pair that its own bytes end with,
 *    so the table of pairs has one entry a token.
 *  - A sequence of tokens is the encoding exactly when each two neighbours
 *    are the encoding of their joined bytes.  So a long piece is encoded in
 *    windows, and a seam is right when its two tokens pass that test.
 */
#ifndef TOKENS_MERGE_H
#define TOKENS_MERGE_H

#include <embed.h>

#include "base/buffer.h"

struct tokens_encoding;

/*
 * A short piece.  `bytes` may be read, whatever they hold, up to the limit of
 * the list it stands in; `ids` has room for three more than the piece's bytes.
 */
#define MERGE_JOB_BYTES 62

struct merge_job {
	const uint8_t *bytes;
	uint32_t *ids; /* out */
	uint32_t len;
	uint32_t count;  /* out: tokens */
	uint64_t starts; /* out: bit i is set where a token starts at byte i */
	uint32_t owner;  /* the caller's */
};

/* Jobs by their greatest length, for loops of constant size; kinds are few, lists long. */
enum merge_kind { MERGE_14, MERGE_30, MERGE_62, MERGE_KINDS };

static inline enum merge_kind merge_kind(size_t len)
{
	return len <= 14 ? MERGE_14 : len <= 30 ? MERGE_30 : MERGE_62;
}

/* Merges each job's piece; all are of that kind. */
typedef void merge_jobs_fn(const struct tokens_encoding *encoding, enum merge_kind kind,
    struct merge_job *jobs, size_t count);

merge_jobs_fn merge_jobs_scalar;
#if defined(__x86_64__)
merge_jobs_fn merge_jobs_avx2;
#endif

/* The fastest that this processor can run. */
merge_jobs_fn *merge_jobs_best(void);

/*
 * Tokens of bytes[0, len), len > 0; `ids` and the scratch `ranks` have room
 * for len.  Returns how many.
 */
size_t merge_bytes(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    uint32_t *ids, uint32_t *ranks);

/* Bytes that merge_window takes at most. */
#define MERGE_WINDOW 512

/* Tokens of bytes[0, len), len at most MERGE_WINDOW; `ids` has room for len. */
size_t merge_window(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint32_t *ids);

/* Bytes of a piece that one merge is enough for, if it is no token itself: most single characters. */
#define MERGE_FEW 3

/* Tokens of such a piece; three ids may be written. */
uint32_t merge_few(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint32_t *ids);

/* Where tokens go: appended to `ids` unless NULL, and counted. */
struct merge_sink {
	struct buffer *ids;
	size_t count;
	size_t limit; /* may stop once count is above */
};

/* Whether two tokens, joined, encode as just these two. */
bool merge_is_seam(const struct tokens_encoding *encoding, uint32_t left, uint32_t right);

enum embed_status merge_emit(struct merge_sink *sink, const uint32_t *ids, size_t count);

/*
 * The usual way of merge_piece: strips of MERGE_JOB_BYTES that overlap, merged
 * side by side, and joined where two neighbours have a token in common.  False
 * when two have none, as in long runs of one character; then nothing counts.
 */
bool merge_by_strips(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    struct merge_sink *sink, enum embed_status *status);

/*
 * Encodes one piece of any length; with `is_ill_formed`, its ill-formed parts
 * as U+FFFD.  Where strips do not do, it works in windows of `window_bytes` (MERGE_WINDOW; tests take
 * less), of whose tokens the last three eighths are thrown away and found
 * again in the next; when a seam turns out wrong all is done again with
 * larger ones.  EMBED_NO_MEMORY, or the status of a full buffer.
 */
enum embed_status merge_piece(const struct tokens_encoding *encoding, const uint8_t *bytes,
    size_t len, bool is_ill_formed, size_t window_bytes, struct merge_sink *sink);

#endif
