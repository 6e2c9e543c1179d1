/* SPDX-License-Identifier: MIT */
/*
 * Page: LMDB's file as it lies on disk, read without trusting a number in it.
 *
 * Form of the file (LMDB data version 1, 64-bit, little-endian): two meta
 * pages, then pages of a B+tree of free pages and one of records.  Page head:
 * u64 number, u16, u16 flags, u16 lower, u16 upper (overflow: u32 pages), then
 * u16 offsets of nodes.  Node: u16 lo, u16 hi, u16 flags, u16 key length, key,
 * value (branch: none, the three u16 are the child's page number).
 *
 * For structure*.c, which reads the file, and index.c, which reads the map.
 */
#ifndef CACHE_PAGE_H
#define CACHE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE_METAS         2u /* the first pages */
#define PAGE_HEAD          16u
#define PAGE_NODE_HEAD     8u
#define PAGE_KEY_BYTES_MAX 511u
#define PAGE_DEPTH_MAX     32u /* of a tree: LMDB's own bound */

#define PAGE_BRANCH   0x01u
#define PAGE_LEAF     0x02u
#define PAGE_OVERFLOW 0x04u
#define PAGE_NODE_BIG 0x01u

#define PAGE_NO_ROOT UINT64_MAX /* of an empty tree */

struct page_tree {
	uint32_t pad; /* of the tree of free pages: the page size */
	uint16_t flags;
	uint16_t depth;
	uint64_t branch_pages, leaf_pages, overflow_pages, entries;
	uint64_t root;
};

/* What stands behind the head of a meta page. */
struct page_meta {
	uint32_t magic, version;
	uint64_t address;
	uint64_t map_bytes;
	struct page_tree free_pages, records;
	uint64_t last_page;
	uint64_t txn_id;
};
_Static_assert(sizeof(struct page_meta) == 24 + 2 * 48 + 16, "as LMDB writes it");

struct page_head {
	uint64_t number;
	uint16_t pad;
	uint16_t flags;
	uint16_t lower;
	uint16_t upper;
};
_Static_assert(sizeof(struct page_head) == PAGE_HEAD, "as LMDB writes it");

/* One node of a page whose head was found right. */
struct page_node {
	uint16_t flags;
	uint16_t key_len;
	const uint8_t *key;
	uint64_t child;       /* branch: page number */
	uint32_t value_len;   /* leaf */
	const uint8_t *value; /* leaf: the value, or 8 bytes of an overflow page's number */
	size_t bytes;         /* that the node takes of its page */
};

/* NULL, or what is wrong with the head of what should be page `number` of a tree. */
static inline const char *page_read_head(
    const uint8_t *page, uint64_t page_bytes, uint64_t number, bool is_leaf, struct page_head *head)
{
	memcpy(head, page, sizeof(*head));
	if (head->number != number)
		return "it carries another number";
	if (head->flags != (is_leaf ? PAGE_LEAF : PAGE_BRANCH))
		return "not the kind of page that belongs here";
	if (head->lower <= PAGE_HEAD || head->lower % 2 != 0 || head->lower > head->upper ||
	    head->upper > page_bytes)
		return "impossible bounds";
	return NULL;
}

static inline size_t page_count(const struct page_head *head)
{
	return (head->lower - PAGE_HEAD) / 2u;
}

static inline uint16_t page_u16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* False when any part of node `index`, which is below page_count, lies outside the page. */
static inline bool page_read_node(const uint8_t *page, uint64_t page_bytes,
    const struct page_head *head, size_t index, struct page_node *node)
{
	uint64_t at = page_u16(page + PAGE_HEAD + 2 * index), end;
	uint64_t low;

	if (at < head->upper || at + PAGE_NODE_HEAD > page_bytes)
		return false;
	low = (uint64_t)page_u16(page + at) | (uint64_t)page_u16(page + at + 2) << 16;
	node->flags = page_u16(page + at + 4);
	node->key_len = page_u16(page + at + 6);
	node->key = page + at + PAGE_NODE_HEAD;
	end = at + PAGE_NODE_HEAD + node->key_len;
	if (node->key_len > PAGE_KEY_BYTES_MAX || end > page_bytes)
		return false;
	node->child = low | (uint64_t)node->flags << 32;
	node->value_len = (uint32_t)low;
	node->value = page + end;
	if (head->flags == PAGE_LEAF)
		end += node->flags & PAGE_NODE_BIG ? sizeof(uint64_t) : node->value_len;
	node->bytes = end - at;
	return end <= page_bytes;
}

/* Pages of its own that a value of `len` bytes takes, at the least. */
static inline uint64_t page_overflow_count(uint64_t len, uint64_t page_bytes)
{
	return (PAGE_HEAD + len + page_bytes - 1) / page_bytes;
}

/*
 * How many pages a value of `len` bytes has to itself, of which `page` is the
 * first; 0: it is no such page.  A value that was replaced by a smaller one in
 * the same transaction keeps all its pages.
 */
static inline uint64_t page_overflow_has(
    const uint8_t *page, uint64_t page_bytes, uint64_t number, uint64_t len)
{
	struct page_head head;
	uint32_t pages;

	memcpy(&head, page, sizeof(head));
	memcpy(&pages, page + offsetof(struct page_head, lower), sizeof(pages));
	if (head.number != number || head.flags != PAGE_OVERFLOW ||
	    pages < page_overflow_count(len, page_bytes))
		return 0;
	return pages;
}

#endif
