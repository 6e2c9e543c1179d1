/* SPDX-License-Identifier: MIT */
#include "tokens/memo.h"

#include <stdlib.h>

_Static_assert(sizeof(struct memo_line) == 64, "a memo line is a cache line");

_Bool memo_init(struct memo *memo)
{
	memo->memory = calloc(MEMO_LINES + 1, sizeof(struct memo_line));
	if (memo->memory == NULL)
		return 0;
	memo->longs = calloc(MEMO_LONGS, sizeof(*memo->longs));
	if (memo->longs == NULL) {
		free(memo->memory);
		return 0;
	}
	memo->turn = 0;
	memo->lines = (struct memo_line *)(((uintptr_t)memo->memory + 63) & ~(uintptr_t)63);
	return 1;
}

void memo_fini(struct memo *memo)
{
	free(memo->longs);
	free(memo->memory);
}

static struct memo_ids pack(const uint32_t *ids, uint32_t count)
{
	struct memo_ids packed = {(uint64_t)count << 60, 0};

	for (uint32_t i = 0; i < count; i++)
		if (i < 3)
			packed.low |= (uint64_t)ids[i] << 20 * i;
		else
			packed.high |= (uint64_t)ids[i] << 20 * (i - 3);
	return packed;
}

void memo_add(
    struct memo *memo, struct tables_key key, uint64_t hash, const uint32_t *ids, uint32_t count)
{
	struct memo_line *lines[2] = {memo_line(memo, hash, 0), memo_line(memo, hash, 1)};
	uint32_t place;

	if (count > MEMO_TOKENS)
		return;
	for (place = 0; place < 4; place++)
		if (lines[place & 1]->key[place >> 1].hi == 0)
			break;
	if (place == 4)
		place = memo->turn++ & 3;
	lines[place & 1]->key[place >> 1] = key;
	lines[place & 1]->ids[place >> 1] = pack(ids, count);
}

void memo_add_long(struct memo *memo, const uint8_t *bytes, size_t len, uint64_t hash,
    const uint32_t *ids, size_t count)
{
	struct memo_long *entry = &memo->longs[hash % MEMO_LONGS];

	if (len > MEMO_LONG_BYTES || count > MEMO_LONG_TOKENS)
		return;
	entry->len = (uint16_t)len;
	entry->count = (uint16_t)count;
	memcpy(entry->bytes, bytes, len);
	memcpy(entry->ids, ids, count * sizeof(*ids));
}
