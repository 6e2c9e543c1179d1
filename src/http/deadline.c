/* SPDX-License-Identifier: MIT */
/* Deadlines of connections (lists) and timers of exchanges (a heap). */
#include "http/worker.h"

#include <stdlib.h>

static void unlink_deadline(struct http_conn *conn)
{
	struct http_deadline_list *list = &conn->worker->deadlines[conn->deadline];

	if (conn->deadline_prev)
		conn->deadline_prev->deadline_next = conn->deadline_next;
	else
		list->first = conn->deadline_next;
	if (conn->deadline_next)
		conn->deadline_next->deadline_prev = conn->deadline_prev;
	else
		list->last = conn->deadline_prev;
	conn->deadline_prev = conn->deadline_next = NULL;
}

void http_deadline_set(struct http_conn *conn, enum http_deadline_kind kind)
{
	struct http_deadline_list *list;

	if (conn->deadline == kind)
		return;
	if (conn->deadline != HTTP_DEADLINE_NONE)
		unlink_deadline(conn);
	conn->deadline = kind;
	if (kind == HTTP_DEADLINE_NONE)
		return;
	list = &conn->worker->deadlines[kind];
	conn->deadline_us = conn->worker->now_us + list->timeout_us;
	conn->deadline_prev = list->last;
	if (list->last)
		list->last->deadline_next = conn;
	else
		list->first = conn;
	list->last = conn;
}

int64_t http_deadline_next(const struct http_worker *worker)
{
	int64_t next = INT64_MAX;

	for (int kind = 0; kind < HTTP_DEADLINE_KINDS; kind++) {
		const struct http_conn *first = worker->deadlines[kind].first;

		if (first && first->deadline_us < next)
			next = first->deadline_us;
	}
	return next;
}

struct http_conn *http_deadline_due(struct http_worker *worker)
{
	for (int kind = 0; kind < HTTP_DEADLINE_KINDS; kind++) {
		struct http_conn *first = worker->deadlines[kind].first;

		if (first && first->deadline_us <= worker->now_us)
			return first;
	}
	return NULL;
}

/* ---- Timers: a binary heap, earliest first ---------------------------- */

static void place(struct http_timer_heap *heap, size_t slot, struct http_exchange *exchange)
{
	heap->items[slot] = exchange;
	exchange->timer_slot = slot + 1;
}

static void sift_up(struct http_timer_heap *heap, size_t slot, struct http_exchange *exchange)
{
	while (slot > 0 && heap->items[(slot - 1) / 2]->due_us > exchange->due_us) {
		place(heap, slot, heap->items[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	place(heap, slot, exchange);
}

static void sift_down(struct http_timer_heap *heap, size_t slot, struct http_exchange *exchange)
{
	for (;;) {
		size_t child = slot * 2 + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    heap->items[child + 1]->due_us < heap->items[child]->due_us)
			child++;
		if (heap->items[child]->due_us >= exchange->due_us)
			break;
		place(heap, slot, heap->items[child]);
		slot = child;
	}
	place(heap, slot, exchange);
}

bool http_timer_set(struct http_worker *worker, struct http_exchange *exchange, int64_t due_us)
{
	struct http_timer_heap *heap = &worker->timers;

	http_timer_clear(worker, exchange);
	if (heap->count == heap->cap) {
		size_t cap = heap->cap ? heap->cap * 2 : 64;
		struct http_exchange **items =
		    realloc(heap->items, cap * sizeof(struct http_exchange *));

		if (!items)
			return false;
		heap->items = items;
		heap->cap = cap;
	}
	exchange->due_us = due_us;
	sift_up(heap, heap->count++, exchange);
	return true;
}

void http_timer_clear(struct http_worker *worker, struct http_exchange *exchange)
{
	struct http_timer_heap *heap = &worker->timers;
	struct http_exchange *last;
	size_t slot;

	if (!exchange->timer_slot)
		return;
	slot = exchange->timer_slot - 1;
	exchange->timer_slot = 0;
	last = heap->items[--heap->count];
	if (last == exchange)
		return;
	if (slot > 0 && heap->items[(slot - 1) / 2]->due_us > last->due_us)
		sift_up(heap, slot, last);
	else
		sift_down(heap, slot, last);
}

int64_t http_timer_next(const struct http_worker *worker)
{
	return worker->timers.count ? worker->timers.items[0]->due_us : INT64_MAX;
}

struct http_exchange *http_timer_due(struct http_worker *worker)
{
	struct http_exchange *first = worker->timers.count ? worker->timers.items[0] : NULL;

	if (!first || first->due_us > worker->now_us)
		return NULL;
	http_timer_clear(worker, first);
	return first;
}
