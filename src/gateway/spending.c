/* SPDX-License-Identifier: MIT */
#include "gateway/spending.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/meter.h"

void spending_init(struct spending *spending)
{
	*spending = (struct spending){0};
}

void spending_fini(struct spending *spending)
{
	free(spending->keys);
	*spending = (struct spending){0};
}

/* Where the name is, or would have to be put. */
static size_t place_of(const struct spending *spending, const char *name)
{
	size_t low = 0;
	size_t high = spending->key_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(spending->keys[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct spending *spending, size_t place, const char *name)
{
	return place < spending->key_count && strcmp(spending->keys[place].name, name) == 0;
}

const struct spending_key *spending_of(const struct spending *spending, const char *name)
{
	size_t place = place_of(spending, name);

	return is_at(spending, place, name) ? &spending->keys[place] : NULL;
}

static bool make_room(struct spending *spending)
{
	size_t cap = spending->key_cap ? spending->key_cap * 2 : 16;
	struct spending_key *keys;

	if (spending->key_count < spending->key_cap)
		return true;
	keys = realloc(spending->keys, cap * sizeof(*keys));
	if (!keys)
		return false;
	spending->keys = keys;
	spending->key_cap = cap;
	return true;
}

/* NULL: there are too many, or memory is short; the sums still have it. */
static struct spending_key *key_for(struct spending *spending, const char *name)
{
	size_t place = place_of(spending, name);

	if (is_at(spending, place, name))
		return &spending->keys[place];
	if (spending->key_count == KEYS_MAX || strlen(name) > KEY_NAME_MAX || !make_room(spending))
		return NULL;
	memmove(spending->keys + place + 1, spending->keys + place,
	    (spending->key_count - place) * sizeof(*spending->keys));
	spending->key_count++;
	spending->keys[place] = (struct spending_key){0};
	strcpy(spending->keys[place].name, name);
	return &spending->keys[place];
}

static void add(struct spending_sum *sum, const struct embed_usage_row *row)
{
#define ROW(name) sum->name += row->name;
	SPENDING_TABLE(ROW)
#undef ROW
}

void spending_add(struct spending *spending, const struct embed_usage_row *row, int64_t today_s)
{
	struct spending_key *key = key_for(spending, row->key_name ? row->key_name : "");
	bool is_today = row->start_s >= today_s;

	add(&spending->month, row);
	if (is_today)
		add(&spending->today, row);
	if (!key)
		return;
	add(&key->month, row);
	if (is_today)
		add(&key->today, row);
}

struct reading {
	struct spending *into;
	int64_t today_s;
};

static void on_row(const struct embed_usage_row *row, void *context)
{
	const struct reading *reading = context;

	spending_add(reading->into, row, reading->today_s);
}

enum embed_status spending_read(
    struct spending *spending, embed_service *service, int64_t now_s, struct embed_error *error)
{
	struct embed_usage_query query = EMBED_USAGE_QUERY_INIT;
	struct spending fresh = {.read_s = now_s};
	struct reading reading = {&fresh, meter_period_start(KEY_PERIOD_DAY, now_s)};
	enum embed_status status;

	query.by = EMBED_BY_DAY | EMBED_BY_KEY;
	query.since_s = meter_period_start(KEY_PERIOD_MONTH, now_s);
	status = embed_usage(service, &query, on_row, &reading, error);
	if (status != EMBED_OK) {
		spending_fini(&fresh);
		return status;
	}
	spending_fini(spending);
	*spending = fresh;
	return EMBED_OK;
}

void spending_write_sum(struct buffer *out, const struct spending_sum *sum)
{
	char before = '{';

#define ROW(name)                                                                                  \
	buffer_printf(out, "%c\"" #name "\":%llu", before, (unsigned long long)sum->name);         \
	before = ',';
	SPENDING_TABLE(ROW)
#undef ROW
	buffer_append_char(out, '}');
}
