/* SPDX-License-Identifier: MIT */
#include "gateway/shown_keys.h"

#include <string.h>

#include "gateway/meter.h"

static uint64_t texts_of(const struct spending_sum *sum)
{
	return sum->billed_texts + sum->hit_texts + sum->joined_texts;
}

static bool is_before(const struct spending_key *a, const struct spending_key *b)
{
	static const struct spending_key unused;

	a = a ? a : &unused;
	b = b ? b : &unused;
	if (a->month.cost_nano != b->month.cost_nano)
		return a->month.cost_nano > b->month.cost_nano;
	return texts_of(&a->month) > texts_of(&b->month);
}

static bool is_there(const struct snapshot *snapshot, const struct key *key)
{
	for (size_t i = 0; i < snapshot->key_count; i++)
		if (snapshot->keys[i].key && strcmp(snapshot->keys[i].key->name, key->name) == 0)
			return true;
	return false;
}

/* In its place among those chosen so far, behind its equals; the last may fall out. */
static void offer(struct snapshot *snapshot, const struct key *key, const struct spending_key *used)
{
	size_t at = snapshot->key_count;

	while (at > 0 && is_before(used, snapshot->keys[at - 1].used))
		at--;
	if (at == SNAPSHOT_KEYS_MAX)
		return;
	if (snapshot->key_count < SNAPSHOT_KEYS_MAX)
		snapshot->key_count++;
	memmove(&snapshot->keys[at + 1], &snapshot->keys[at],
	    (snapshot->key_count - 1 - at) * sizeof(snapshot->keys[0]));
	snapshot->keys[at] = (struct snapshot_key){.key = key, .used = used};
}

static void offer_known(struct snapshot *snapshot, const struct key_table *table)
{
	struct spending *spending = &snapshot->spending;

	for (size_t i = 0; i < table->count; i++) {
		const struct key *key = &table->keys[i];
		const struct spending_key *used = spending_of(spending, key->name);

		/* A name has several secrets while one replaces the other. */
		if (used ? used->has_key
			 : snapshot->key_count < SNAPSHOT_KEYS_MAX && is_there(snapshot, key))
			continue;
		if (used)
			spending->keys[used - spending->keys].has_key = true;
		snapshot->key_rows++;
		offer(snapshot, key, used);
	}
}

static void offer_others(struct snapshot *snapshot)
{
	const struct spending *spending = &snapshot->spending;

	for (size_t i = 0; i < spending->key_count; i++) {
		if (spending->keys[i].has_key)
			continue;
		snapshot->key_rows++;
		offer(snapshot, NULL, &spending->keys[i]);
	}
}

static void read_meters(struct snapshot_key *shown, int64_t now_us, int64_t now_s)
{
	const struct key *key = shown->key;

	if (key->rpm)
		shown->requests_left =
		    meter_look(&key->meter->requests_full_us, key->rpm, now_us).remaining;
	if (key->tpm)
		shown->tokens_left =
		    meter_look(&key->meter->tokens_full_us, key->tpm, now_us).remaining;
	shown->spent_nano = meter_spent(key->meter, key->period, now_s);
}

void shown_keys_choose(
    struct snapshot *snapshot, const struct key_table *table, int64_t now_us, int64_t now_s)
{
	snapshot->key_total = table->count;
	snapshot->key_count = snapshot->key_rows = 0;
	for (size_t i = 0; i < snapshot->spending.key_count; i++)
		snapshot->spending.keys[i].has_key = false;
	offer_known(snapshot, table);
	offer_others(snapshot);
	for (size_t i = 0; i < snapshot->key_count; i++)
		if (snapshot->keys[i].key)
			read_meters(&snapshot->keys[i], now_us, now_s);
}
