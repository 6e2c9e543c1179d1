/* SPDX-License-Identifier: MIT */
#include "engine/heap.h"

#include <stdlib.h>

void heap_init(struct heap *heap)
{
	*heap = (struct heap){0};
}

void heap_fini(struct heap *heap)
{
	free(heap->nodes);
	heap_init(heap);
}

static void put(struct heap *heap, size_t index, struct heap_node *node)
{
	heap->nodes[index] = node;
	node->place = index + 1;
}

static void sift_up(struct heap *heap, size_t index)
{
	struct heap_node *node = heap->nodes[index];

	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (heap->nodes[parent]->key <= node->key)
			break;
		put(heap, index, heap->nodes[parent]);
		index = parent;
	}
	put(heap, index, node);
}

static void sift_down(struct heap *heap, size_t index)
{
	struct heap_node *node = heap->nodes[index];

	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    heap->nodes[child + 1]->key < heap->nodes[child]->key)
			child++;
		if (heap->nodes[child]->key >= node->key)
			break;
		put(heap, index, heap->nodes[child]);
		index = child;
	}
	put(heap, index, node);
}

static bool grow(struct heap *heap)
{
	size_t cap = heap->cap ? heap->cap * 2 : 16;
	struct heap_node **nodes = realloc(heap->nodes, cap * sizeof(*nodes));

	if (!nodes)
		return false;
	heap->nodes = nodes;
	heap->cap = cap;
	return true;
}

bool heap_add(struct heap *heap, struct heap_node *node, int64_t key)
{
	if (heap->count == heap->cap && !grow(heap))
		return false;
	node->key = key;
	put(heap, heap->count++, node);
	sift_up(heap, heap->count - 1);
	return true;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	size_t index = node->place - 1;
	struct heap_node *last;

	if (node->place == 0)
		return;
	node->place = 0;
	last = heap->nodes[--heap->count];
	if (last == node)
		return;
	put(heap, index, last);
	sift_up(heap, index);
	sift_down(heap, last->place - 1);
}

void heap_move(struct heap *heap, struct heap_node *node, int64_t key)
{
	node->key = key;
	sift_up(heap, node->place - 1);
	sift_down(heap, node->place - 1);
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count > 0 ? heap->nodes[0] : NULL;
}
