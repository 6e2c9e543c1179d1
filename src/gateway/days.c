/* SPDX-License-Identifier: MIT */
#include "gateway/days.h"

#include "gateway/spending.h"

#define DAY_S 86400

struct days {
	int64_t first_s; /* midnight of the first */
	size_t begin;    /* the first with something on it */
#define ROW(name) uint64_t name[DAYS_KEPT];
	SPENDING_TABLE(ROW)
#undef ROW
};

static void add(const struct embed_usage_row *row, void *context)
{
	struct days *days = context;
	int64_t day = (row->start_s - days->first_s) / DAY_S;

	if (row->start_s < days->first_s || day >= DAYS_KEPT)
		return;
#define ROW(name) days->name[day] += row->name;
	SPENDING_TABLE(ROW)
#undef ROW
	if ((size_t)day < days->begin)
		days->begin = (size_t)day;
}

static void write_row(
    struct buffer *out, const struct days *days, const char *name, const uint64_t *values)
{
	buffer_printf(out, ",\n\"%s\":[", name);
	for (size_t i = days->begin; i < DAYS_KEPT; i++)
		buffer_printf(
		    out, i > days->begin ? ",%llu" : "%llu", (unsigned long long)values[i]);
	buffer_append_char(out, ']');
}

void days_write(struct buffer *out, embed_service *service, int64_t now_s)
{
	struct embed_usage_query query = EMBED_USAGE_QUERY_INIT;
	struct days days = {.begin = DAYS_KEPT};
	uint64_t times[DAYS_KEPT];

	days.first_s = now_s - now_s % DAY_S - (DAYS_KEPT - 1) * DAY_S;
	query.by = EMBED_BY_DAY;
	query.since_s = days.first_s;
	embed_usage(service, &query, add, &days, NULL);
	for (size_t i = 0; i < DAYS_KEPT; i++)
		times[i] = (uint64_t)days.first_s + i * DAY_S;
	buffer_printf(out, "{\"step_s\":%d", DAY_S);
	write_row(out, &days, "time", times);
#define ROW(name) write_row(out, &days, #name, days.name);
	SPENDING_TABLE(ROW)
#undef ROW
	buffer_append_text(out, "}\n");
}
