/* SPDX-License-Identifier: MIT */
/* Long pieces as overlapping strips; a round of them is merged side by side. */
#include "tokens/merge.h"
#include "tokens/vocabulary.h"

#define STRIPS        16
#define STRIP_STEP    40
#define OVERLAP_BYTES (MERGE_JOB_BYTES - STRIP_STEP)

struct strips {
	const struct tokens_encoding *encoding;
	const uint8_t *bytes;
	size_t len;
	struct merge_job jobs[STRIPS];
	size_t count;
	uint32_t ids[STRIPS][MERGE_JOB_BYTES + 3];
	uint8_t tail[2 * MERGE_JOB_BYTES];
};

/* Cuts the piece from `at` on into strips and merges them; true when they reach its end. */
static bool merge_round(struct strips *strips, size_t at)
{
	bool is_end = false;

	for (strips->count = 0; strips->count < STRIPS && !is_end; at += STRIP_STEP) {
		struct merge_job *job = &strips->jobs[strips->count];
		size_t left = strips->len - at;

		job->bytes = strips->bytes + at;
		job->len = left < MERGE_JOB_BYTES ? (uint32_t)left : MERGE_JOB_BYTES;
		job->ids = strips->ids[strips->count++];
		is_end = left <= MERGE_JOB_BYTES;
		if (is_end) { /* more may be read than the strip has */
			memset(strips->tail, 0, sizeof(strips->tail));
			memcpy(strips->tail, job->bytes, job->len);
			job->bytes = strips->tail;
		}
	}
	merge_jobs_best()(strips->encoding, MERGE_62, strips->jobs, strips->count);
	return is_end;
}

/*
 * A token that stands in a strip and in the next one: then what is right of it
 * in the next follows what is left of it in the first.  *start and *end are
 * its bounds in the next strip.
 */
static bool common_token(const struct merge_job *strip, const struct merge_job *next,
    unsigned int *start, unsigned int *end)
{
	uint64_t zone = (UINT64_C(1) << OVERLAP_BYTES) - 1;
	uint64_t left = strip->starts >> STRIP_STEP & zone, right = next->starts & zone;

	for (uint64_t both = left & right; both != 0; both &= both - 1) {
		uint64_t above = (left | right) & ~(both ^ (both - 1));

		if (above == 0)
			return false;
		*start = (unsigned int)__builtin_ctzll(both);
		*end = (unsigned int)__builtin_ctzll(above);
		if (left & right & above & -above)
			return true;
	}
	return false;
}

/* Number of the token that starts at byte `at` of a strip. */
static size_t token_at(const struct merge_job *strip, unsigned int at)
{
	return (size_t)__builtin_popcountll(strip->starts & ((UINT64_C(1) << at) - 1));
}

/*
 * Puts out the round's tokens up to the last token in common; *next is where
 * the following round starts.  *last is the last token put out and *expected
 * the one seen after it, so that the seam between rounds can be checked.
 */
static bool join_round(struct strips *strips, bool is_end, struct merge_sink *sink, size_t *next,
    uint32_t *last, uint32_t *expected, enum embed_status *status)
{
	size_t from = 0, base = *next;
	unsigned int start, end;

	*status = EMBED_OK;
	for (size_t i = 0; i + 1 < strips->count && *status == EMBED_OK; i++) {
		const struct merge_job *strip = &strips->jobs[i];
		size_t to;

		if (!common_token(strip, strip + 1, &start, &end))
			return false;
		to = token_at(strip, STRIP_STEP + start) + 1;
		*status = merge_emit(sink, strip->ids + from, to - from);
		*last = strip->ids[to - 1];
		from = token_at(strip + 1, end);
		*expected = strip[1].ids[from];
		*next = base + (i + 1) * STRIP_STEP + end;
	}
	if (is_end && *status == EMBED_OK)
		*status = merge_emit(sink, strips->jobs[strips->count - 1].ids + from,
		    strips->jobs[strips->count - 1].count - from);
	return true;
}

bool merge_by_strips(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    struct merge_sink *sink, enum embed_status *status)
{
	struct strips strips;
	uint32_t last = TABLES_NONE, expected = TABLES_NONE;
	size_t at = 0;
	bool is_end = false;

	strips.encoding = encoding;
	strips.bytes = bytes;
	strips.len = len;
	*status = EMBED_OK;
	while (!is_end && *status == EMBED_OK && sink->count <= sink->limit) {
		is_end = merge_round(&strips, at);
		if (last != TABLES_NONE && strips.ids[0][0] != expected &&
		    !merge_is_seam(encoding, last, strips.ids[0][0]))
			return false;
		if (!join_round(&strips, is_end, sink, &at, &last, &expected, status))
			return false;
	}
	return true;
}
