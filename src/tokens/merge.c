/* SPDX-License-Identifier: MIT */
#include "tokens/merge.h"

#include <stdlib.h>

#include "tokens/vocabulary.h"

/*
 * Merges every pair of this rank, from the left, in one pass; *lowest is the
 * lowest rank after it.  No pair with the new token comes before another of
 * this rank: what it merges into has a higher rank than its parts.
 */
static size_t merge_rank(const struct tokens_encoding *encoding, uint32_t rank, uint32_t *ids,
    uint32_t *ranks, size_t count, uint32_t *lowest)
{
	size_t out = 0;
	bool was_merged = false;

	*lowest = TABLES_NONE;
	for (size_t i = 0; i < count; out++) {
		bool is_merged = i + 1 < count && ranks[i] == rank;
		uint32_t id = is_merged ? rank : ids[i];

		if (out > 0) {
			ranks[out - 1] = is_merged || was_merged
					     ? vocabulary_find_pair(encoding, ids[out - 1], id)
					     : ranks[i - 1];
			*lowest = ranks[out - 1] < *lowest ? ranks[out - 1] : *lowest;
		}
		ids[out] = id;
		i += is_merged ? 2 : 1;
		was_merged = is_merged;
	}
	return out;
}

/* ranks[i] is the token that ids[i] and ids[i + 1] merge into. */
size_t merge_bytes(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    uint32_t *ids, uint32_t *ranks)
{
	size_t count = len;
	uint32_t lowest = TABLES_NONE;

	for (size_t i = 0; i < len; i++)
		ids[i] = encoding->singles[bytes[i]];
	for (size_t i = 0; i + 1 < len; i++) {
		ranks[i] = encoding->couples[bytes[i] + 256u * bytes[i + 1]];
		lowest = ranks[i] < lowest ? ranks[i] : lowest;
	}
	while (lowest != TABLES_NONE)
		count = merge_rank(encoding, lowest, ids, ranks, count, &lowest);
	return count;
}

uint32_t merge_few(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint32_t *ids)
{
	uint32_t left = TABLES_NONE, right = TABLES_NONE;

	if (len == MERGE_FEW) {
		left = encoding->couples[bytes[0] + 256u * bytes[1]];
		right = encoding->couples[bytes[1] + 256u * bytes[2]];
	}
	for (size_t i = 0; i < len; i++)
		ids[i] = encoding->singles[bytes[i]];
	if (left == TABLES_NONE && right == TABLES_NONE)
		return (uint32_t)len;
	if (left <= right) {
		ids[0] = left;
		ids[1] = ids[2];
	} else {
		ids[1] = right;
	}
	return 2;
}

size_t merge_window(
    const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len, uint32_t *ids)
{
	uint32_t ranks[MERGE_WINDOW];

	return merge_bytes(encoding, bytes, len, ids, ranks);
}

merge_jobs_fn *merge_jobs_best(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx2"))
		return merge_jobs_avx2;
#endif
	return merge_jobs_scalar;
}

/* Whether two tokens, joined, encode as just these two. */
bool merge_is_seam(const struct tokens_encoding *encoding, uint32_t left, uint32_t right)
{
	uint8_t joined[MERGE_WINDOW];
	uint32_t ids[MERGE_WINDOW];
	size_t left_len, right_len;
	const uint8_t *left_bytes = vocabulary_bytes(encoding, left, &left_len);
	const uint8_t *right_bytes = vocabulary_bytes(encoding, right, &right_len);

	memcpy(joined, left_bytes, left_len);
	memcpy(joined + left_len, right_bytes, right_len);
	return merge_window(encoding, joined, left_len + right_len, ids) == 2 && ids[0] == left;
}

enum embed_status merge_emit(struct merge_sink *sink, const uint32_t *ids, size_t count)
{
	sink->count += count;
	if (sink->ids == NULL)
		return EMBED_OK;
	buffer_append(sink->ids, ids, count * sizeof(*ids));
	return sink->ids->status;
}
