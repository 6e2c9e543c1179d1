/* SPDX-License-Identifier: MIT */
/*
 * Heap: what comes first, by an integer key; of equal keys any.
 *
 * Nodes are part of the caller's structs (HEAP_ITEM finds the struct again)
 * and know their place, so removing one is cheap.  Only heap_add allocates.
 *
 * Threads: none; one owner.
 */
#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key;
	size_t place; /* 0: in no heap; else 1 + index */
};

struct heap {
	struct heap_node **nodes;
	size_t count;
	size_t cap;
};

#define HEAP_ITEM(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void heap_init(struct heap *heap);
void heap_fini(struct heap *heap);

/* False when memory runs out: the node is not in then. */
bool heap_add(struct heap *heap, struct heap_node *node, int64_t key);

/* Nothing happens if it is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The node, which is in, gets another key. */
void heap_move(struct heap *heap, struct heap_node *node, int64_t key);

/* The node with the least key, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

#endif
