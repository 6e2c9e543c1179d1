/* SPDX-License-Identifier: MIT */
/* The walk through both trees of the file, page by page. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cache/structure_file.h"

#define PAGE_HEAD     16u
#define NODE_HEAD     8u
#define DEPTH_MAX     32u /* LMDB's own bound */
#define KEY_BYTES_MAX 511u

#define FLAG_BRANCH   0x01u
#define FLAG_LEAF     0x02u
#define FLAG_OVERFLOW 0x04u
#define NODE_BIG      0x01u

struct page_head {
	uint64_t number;
	uint16_t pad;
	uint16_t flags;
	uint16_t lower;
	uint16_t upper;
};
_Static_assert(sizeof(struct page_head) == PAGE_HEAD, "as LMDB writes it");

/* One node of a checked page. */
struct node {
	uint16_t flags;
	uint16_t key_len;
	const uint8_t *key;
	uint64_t child;       /* branch: page number */
	uint32_t value_len;   /* leaf */
	const uint8_t *value; /* leaf: the value, or 8 bytes of an overflow page's number */
};

struct bound {
	const uint8_t *key;
	size_t len;
};

struct walk {
	struct file *file;
	const struct meta *meta;
	enum structure_depth depth;
	uint8_t *seen;     /* one bit for each page */
	uint8_t *pages;    /* one page for each level */
	uint8_t *free_ids; /* value of a list of free pages that fills pages of its own */
	const struct tree *tree;
	struct tree counted;
	bool is_free_tree;
	struct embed_error *error;
};

static enum embed_status wrong(const struct walk *walk, uint64_t page, const char *what)
{
	return structure_damaged(walk->file, walk->error, page, what);
}

static enum embed_status mark_pages(struct walk *walk, uint64_t first, uint64_t count)
{
	if (first < META_PAGES || first > walk->meta->last_page ||
	    count > walk->meta->last_page - first + 1)
		return wrong(walk, first, "a page number outside the file");
	if ((first + count) * walk->file->page_bytes > walk->file->bytes && !walk->is_free_tree)
		return wrong(walk, first, "the file was cut short");
	for (uint64_t page = first; page < first + count; page++) {
		if (walk->seen[page / 8] & (1u << page % 8))
			return wrong(walk, page, "used twice");
		walk->seen[page / 8] |= (uint8_t)(1u << page % 8);
	}
	return EMBED_OK;
}

static enum embed_status read_head(
    const struct walk *walk, const uint8_t *bytes, uint64_t number, struct page_head *head)
{
	memcpy(head, bytes, sizeof(*head));
	if (head->number != number)
		return wrong(walk, number, "it carries another number");
	return EMBED_OK;
}

static uint16_t u16_at(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* False when any part of node `index` lies outside the page. */
static bool read_node(const struct walk *walk, const uint8_t *page, const struct page_head *head,
    size_t index, bool is_leaf, struct node *node)
{
	uint64_t page_bytes = walk->file->page_bytes, end;
	uint64_t at = u16_at(page + PAGE_HEAD + 2 * index);
	uint64_t low;

	if (at < head->upper || at + NODE_HEAD > page_bytes)
		return false;
	low = (uint64_t)u16_at(page + at) | (uint64_t)u16_at(page + at + 2) << 16;
	node->flags = u16_at(page + at + 4);
	node->key_len = u16_at(page + at + 6);
	node->key = page + at + NODE_HEAD;
	end = at + NODE_HEAD + node->key_len;
	if (node->key_len > KEY_BYTES_MAX || end > page_bytes)
		return false;
	node->child = low | (uint64_t)node->flags << 32;
	node->value_len = (uint32_t)low;
	node->value = page + end;
	if (is_leaf)
		end += node->flags & NODE_BIG ? sizeof(uint64_t) : node->value_len;
	return end <= page_bytes;
}

static int compare(const struct walk *walk, const uint8_t *a, size_t a_len, struct bound b)
{
	uint64_t x, y;
	int order;

	if (walk->is_free_tree) { /* keys are transaction numbers, 8 bytes each */
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b.key, sizeof(y));
		return x < y ? -1 : x > y;
	}
	order = memcmp(a, b.key, a_len < b.len ? a_len : b.len);
	return order != 0 ? order : a_len < b.len ? -1 : a_len > b.len;
}

/* ---- Leaves ------------------------------------------------------------ */

static enum embed_status check_free_ids(
    struct walk *walk, uint64_t page, const uint8_t *ids, uint64_t len)
{
	uint64_t count, id;

	if (len < sizeof(count))
		return wrong(walk, page, "a list of free pages without a count");
	memcpy(&count, ids, sizeof(count));
	if (count > len / sizeof(id) - 1)
		return wrong(walk, page, "a list of free pages with a wrong count");
	for (uint64_t i = 1; i <= count; i++) {
		enum embed_status status;

		memcpy(&id, ids + i * sizeof(id), sizeof(id));
		status = mark_pages(walk, id, 1);
		if (status != EMBED_OK)
			return status;
	}
	return EMBED_OK;
}

static enum embed_status check_big_free_ids(
    struct walk *walk, uint64_t page, uint64_t first, uint64_t len)
{
	enum embed_status status;

	walk->free_ids = malloc(len);
	if (walk->free_ids == NULL)
		return error_set(walk->error, EMBED_NO_MEMORY, "out of memory");
	status = structure_read_at(walk->file, walk->free_ids, len,
	    first * walk->file->page_bytes + PAGE_HEAD, walk->error);
	if (status == EMBED_OK)
		status = check_free_ids(walk, page, walk->free_ids, len);
	free(walk->free_ids);
	walk->free_ids = NULL;
	return status;
}

/* The head of an overflow page; what the record's bytes are worth is the checksum's matter. */
static enum embed_status check_overflow(struct walk *walk, const struct node *node)
{
	uint64_t page_bytes = walk->file->page_bytes, first;
	uint64_t count = (PAGE_HEAD + (uint64_t)node->value_len + page_bytes - 1) / page_bytes;
	uint8_t bytes[PAGE_HEAD];
	struct page_head head;
	enum embed_status status;
	uint32_t pages;

	memcpy(&first, node->value, sizeof(first));
	status = mark_pages(walk, first, count);
	if (status != EMBED_OK)
		return status;
	walk->counted.overflow_pages += count;
	if (walk->depth == STRUCTURE_INDEX && !walk->is_free_tree)
		return EMBED_OK;
	status =
	    structure_read_at(walk->file, bytes, sizeof(bytes), first * page_bytes, walk->error);
	if (status == EMBED_OK)
		status = read_head(walk, bytes, first, &head);
	if (status != EMBED_OK)
		return status;
	memcpy(&pages, bytes + 12, sizeof(pages));
	if (head.flags != FLAG_OVERFLOW || pages != count)
		return wrong(walk, first, "not the pages that the index says");
	if (walk->is_free_tree)
		return check_big_free_ids(walk, first, first, node->value_len);
	return EMBED_OK;
}

static enum embed_status check_leaf_node(struct walk *walk, uint64_t page, const struct node *node)
{
	walk->counted.entries++;
	if ((node->flags & ~NODE_BIG) != 0)
		return wrong(walk, page, "a kind of entry that the store does not write");
	if (node->flags & NODE_BIG)
		return check_overflow(walk, node);
	if (walk->is_free_tree)
		return check_free_ids(walk, page, node->value, node->value_len);
	return EMBED_OK;
}

/* ---- The trees --------------------------------------------------------- */

static enum embed_status check_page(
    struct walk *walk, uint64_t number, unsigned level, struct bound low, struct bound high);

static enum embed_status check_children(struct walk *walk, const uint8_t *page, uint64_t number,
    const struct page_head *head, unsigned level, struct bound low, struct bound high)
{
	bool is_leaf = level == walk->tree->depth;
	size_t count = (head->lower - PAGE_HEAD) / 2u;
	struct node node, next;

	for (size_t i = 0; i < count; i++) {
		enum embed_status status;
		struct bound child_high = high;

		if (!read_node(walk, page, head, i, is_leaf, &node) ||
		    (i + 1 < count && !read_node(walk, page, head, i + 1, is_leaf, &next)))
			return wrong(walk, number, "an entry outside the page");
		/* The first key of a branch page is empty and means "from the lower bound on". */
		if (is_leaf || i > 0) {
			if (node.key_len == 0 || (walk->is_free_tree && node.key_len != 8))
				return wrong(walk, number, "a key of impossible length");
			if ((low.key != NULL &&
				compare(walk, node.key, node.key_len, low) < (i > 0)) ||
			    (high.key != NULL && compare(walk, node.key, node.key_len, high) >= 0))
				return wrong(walk, number, "keys out of order");
			low = (struct bound){node.key, node.key_len};
		}
		if (i + 1 < count)
			child_high = (struct bound){next.key, next.key_len};
		if (!is_leaf && walk->is_free_tree && child_high.key != NULL && child_high.len != 8)
			return wrong(walk, number, "a key of impossible length");
		status = is_leaf ? check_leaf_node(walk, number, &node)
				 : check_page(walk, node.child, level + 1, low, child_high);
		if (status != EMBED_OK)
			return status;
	}
	return EMBED_OK;
}

static enum embed_status check_page(
    struct walk *walk, uint64_t number, unsigned level, struct bound low, struct bound high)
{
	uint64_t page_bytes = walk->file->page_bytes;
	uint8_t *page = walk->pages + level * page_bytes;
	bool is_leaf = level == walk->tree->depth;
	struct page_head head;
	enum embed_status status = mark_pages(walk, number, 1);

	if (status != EMBED_OK)
		return status;
	status = structure_read_at(walk->file, page, page_bytes, number * page_bytes, walk->error);
	if (status == EMBED_OK)
		status = read_head(walk, page, number, &head);
	if (status != EMBED_OK)
		return status;
	if (head.flags != (is_leaf ? FLAG_LEAF : FLAG_BRANCH))
		return wrong(walk, number, "not the kind of page that belongs here");
	if (head.lower <= PAGE_HEAD || head.lower % 2 != 0 || head.lower > head.upper ||
	    head.upper > page_bytes)
		return wrong(walk, number, "impossible bounds");
	if (is_leaf)
		walk->counted.leaf_pages++;
	else
		walk->counted.branch_pages++;
	return check_children(walk, page, number, &head, level, low, high);
}

static enum embed_status check_tree(struct walk *walk, const struct tree *tree, bool is_free_tree)
{
	const struct bound none = {NULL, 0};
	enum embed_status status = EMBED_OK;

	walk->tree = tree;
	walk->is_free_tree = is_free_tree;
	memset(&walk->counted, 0, sizeof(walk->counted));
	if (tree->root != UINT64_MAX) {
		if (tree->depth == 0 || tree->depth >= DEPTH_MAX)
			return wrong(walk, tree->root, "an impossible depth");
		status = check_page(walk, tree->root, 1, none, none);
	}
	if (status != EMBED_OK)
		return status;
	if (walk->counted.branch_pages != tree->branch_pages ||
	    walk->counted.leaf_pages != tree->leaf_pages ||
	    walk->counted.overflow_pages != tree->overflow_pages ||
	    walk->counted.entries != tree->entries)
		return wrong(walk, tree->root, "the index does not hold as much as its head says");
	return EMBED_OK;
}

enum embed_status structure_check_meta(struct file *file, const struct meta *meta,
    enum structure_depth depth, struct embed_error *error)
{
	struct walk walk = {.file = file, .meta = meta, .depth = depth, .error = error};
	enum embed_status status;

	if (meta->last_page < META_PAGES - 1 ||
	    meta->last_page >= meta->map_bytes / file->page_bytes)
		return structure_damaged(file, error, 0, "an impossible last page");
	walk.seen = calloc(1, meta->last_page / 8 + 1);
	walk.pages = malloc(DEPTH_MAX * file->page_bytes);
	if (walk.seen == NULL || walk.pages == NULL)
		status = error_set(error, EMBED_NO_MEMORY, "out of memory");
	else
		status = check_tree(&walk, &meta->records, false);
	if (status == EMBED_OK)
		status = check_tree(&walk, &meta->free_pages, true);
	free(walk.seen);
	free(walk.pages);
	return status;
}
