/* SPDX-License-Identifier: MIT */
#include "gateway/history.h"

#include <stdlib.h>

#define MERGE_SUM(into, value)     ((into) + (value))
#define MERGE_TOP(into, value)     ((into) > (value) ? (into) : (value))
#define MERGE_LATENCY(into, value) (into)

void history_merge(struct history_point *minute, const struct history_point *second)
{
#define ROW(name, how, unit, meaning) minute->name = MERGE_##how(minute->name, second->name);
	HISTORY_TABLE(ROW)
#undef ROW
}

bool history_ring_init(struct history_ring *ring, size_t cap)
{
	*ring = (struct history_ring){.points = calloc(cap, sizeof(*ring->points)), .cap = cap};
	return ring->points != NULL;
}

void history_ring_fini(struct history_ring *ring)
{
	free(ring->points);
	*ring = (struct history_ring){0};
}

void history_ring_add(struct history_ring *ring, const struct history_point *point)
{
	ring->points[ring->next] = *point;
	ring->next = (ring->next + 1) % ring->cap;
	if (ring->count < ring->cap)
		ring->count++;
}

const struct history_point *history_ring_at(const struct history_ring *ring, size_t index)
{
	if (index >= ring->count)
		return NULL;
	return &ring->points[(ring->next + ring->cap - ring->count + index) % ring->cap];
}

/* ---- JSON ---------------------------------------------------------------- */

static uint64_t value_at(const struct history_point *point, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)point + offset);
}

static void write_series(
    struct buffer *out, const struct history_ring *ring, const char *name, size_t offset)
{
	buffer_printf(out, ",\n\"%s\":[", name);
	for (size_t i = 0; i < ring->count; i++)
		buffer_printf(out, i > 0 ? ",%llu" : "%llu",
		    (unsigned long long)value_at(history_ring_at(ring, i), offset));
	buffer_append_char(out, ']');
}

void history_write(struct buffer *out, const struct history_ring *ring, unsigned step_s)
{
	buffer_printf(out, "{\"step_s\":%u", step_s);
	write_series(out, ring, "time", offsetof(struct history_point, time_s));
#define ROW(name, how, unit, meaning)                                                              \
	write_series(out, ring, #name, offsetof(struct history_point, name));
	HISTORY_TABLE(ROW)
#undef ROW
	buffer_append_text(out, "}\n");
}

void history_write_point(struct buffer *out, const struct history_point *point)
{
	buffer_printf(out, "{\"time\":%lld", (long long)point->time_s);
#define ROW(name, how, unit, meaning)                                                              \
	buffer_printf(out, ",\"" #name "\":%llu", (unsigned long long)point->name);
	HISTORY_TABLE(ROW)
#undef ROW
	buffer_append_char(out, '}');
}
