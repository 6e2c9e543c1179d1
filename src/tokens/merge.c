/* SPDX-License-Identifier: MIT */
#include "tokens/merge.h"

#include <stdlib.h>

#include "tokens/vocabulary.h"

static size_t lowest(const uint32_t *ranks, size_t count)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		if (ranks[i] < ranks[best])
			best = i;
	return best;
}

/* ranks[i] is the token that ids[i] and ids[i + 1] merge into. */
size_t merge_bytes(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    uint32_t *ids, uint32_t *ranks)
{
	size_t count = len;

	for (size_t i = 0; i < len; i++)
		ids[i] = encoding->singles[bytes[i]];
	for (size_t i = 0; i + 1 < len; i++)
		ranks[i] = encoding->couples[bytes[i] + 256u * bytes[i + 1]];
	while (count > 1) {
		size_t at = lowest(ranks, count - 1);

		if (ranks[at] == TABLES_NONE)
			break;
		ids[at] = ranks[at];
		count--;
		memmove(ids + at + 1, ids + at + 2, (count - at - 1) * sizeof(*ids));
		memmove(ranks + at, ranks + at + 1, (count - at - 1) * sizeof(*ranks));
		if (at > 0)
			ranks[at - 1] = vocabulary_find_pair(encoding, ids[at - 1], ids[at]);
		if (at + 1 < count)
			ranks[at] = vocabulary_find_pair(encoding, ids[at], ids[at + 1]);
	}
	return count;
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
