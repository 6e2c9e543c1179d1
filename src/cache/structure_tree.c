/* SPDX-License-Identifier: MIT */
/* The walk through both trees of the file, page by page. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cache/structure_file.h"

struct bound {
	const uint8_t *key;
	size_t len;
};

struct walk {
	struct file *file;
	const struct page_meta *meta;
	enum structure_depth depth;
	uint8_t *seen;     /* one bit for each page */
	uint8_t *pages;    /* one page for each level */
	uint8_t *free_ids; /* value of a list of free pages that fills pages of its own */
	const struct page_tree *tree;
	struct page_tree counted;
	bool is_free_tree;
	struct embed_error *error;
};

static enum embed_status wrong(const struct walk *walk, uint64_t page, const char *what)
{
	return structure_damaged(walk->file, walk->error, page, what);
}

static bool is_in_file(const struct walk *walk, uint64_t first, uint64_t count)
{
	return first >= PAGE_METAS && first <= walk->meta->last_page &&
	       count <= walk->meta->last_page - first + 1;
}

static enum embed_status mark_pages(struct walk *walk, uint64_t first, uint64_t count)
{
	if (!is_in_file(walk, first, count))
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
static enum embed_status read_overflow(
    struct walk *walk, uint64_t first, uint64_t len, uint64_t *count)
{
	uint64_t page_bytes = walk->file->page_bytes;
	uint8_t bytes[PAGE_HEAD];
	enum embed_status status =
	    structure_read_at(walk->file, bytes, sizeof(bytes), first * page_bytes, walk->error);

	if (status != EMBED_OK)
		return status;
	*count = page_overflow_has(bytes, page_bytes, first, len);
	return *count > 0 ? EMBED_OK : wrong(walk, first, "not the pages that the index says");
}

static enum embed_status check_overflow(struct walk *walk, const struct page_node *node)
{
	uint64_t count = page_overflow_count(node->value_len, walk->file->page_bytes), first;
	bool reads_head = walk->depth == STRUCTURE_ALL || walk->is_free_tree;
	enum embed_status status = EMBED_OK;

	memcpy(&first, node->value, sizeof(first));
	if (reads_head && is_in_file(walk, first, count))
		status = read_overflow(walk, first, node->value_len, &count);
	if (status == EMBED_OK)
		status = mark_pages(walk, first, count);
	walk->counted.overflow_pages += count;
	if (status == EMBED_OK && walk->is_free_tree)
		status = check_big_free_ids(walk, first, first, node->value_len);
	return status;
}

static enum embed_status check_leaf_node(
    struct walk *walk, uint64_t page, const struct page_node *node)
{
	walk->counted.entries++;
	if ((node->flags & ~PAGE_NODE_BIG) != 0)
		return wrong(walk, page, "a kind of entry that the store does not write");
	if (node->flags & PAGE_NODE_BIG)
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
	uint64_t page_bytes = walk->file->page_bytes;
	bool is_leaf = level == walk->tree->depth;
	size_t count = page_count(head);
	struct page_node node, next = {0};

	for (size_t i = 0; i < count; i++) {
		enum embed_status status;
		struct bound child_high = high;

		if (!page_read_node(page, page_bytes, head, i, &node) ||
		    (i + 1 < count && !page_read_node(page, page_bytes, head, i + 1, &next)))
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
	const char *wrong_with_head;
	struct page_head head;
	enum embed_status status = mark_pages(walk, number, 1);

	if (status != EMBED_OK)
		return status;
	status = structure_read_at(walk->file, page, page_bytes, number * page_bytes, walk->error);
	if (status != EMBED_OK)
		return status;
	wrong_with_head = page_read_head(page, page_bytes, number, is_leaf, &head);
	if (wrong_with_head != NULL)
		return wrong(walk, number, wrong_with_head);
	if (is_leaf)
		walk->counted.leaf_pages++;
	else
		walk->counted.branch_pages++;
	return check_children(walk, page, number, &head, level, low, high);
}

static enum embed_status check_tree(
    struct walk *walk, const struct page_tree *tree, bool is_free_tree)
{
	const struct bound none = {NULL, 0};
	enum embed_status status = EMBED_OK;
	bool has_all_overflow;

	walk->tree = tree;
	walk->is_free_tree = is_free_tree;
	memset(&walk->counted, 0, sizeof(walk->counted));
	if (tree->root != PAGE_NO_ROOT) {
		if (tree->depth == 0 || tree->depth >= PAGE_DEPTH_MAX)
			return wrong(walk, tree->root, "an impossible depth");
		status = check_page(walk, tree->root, 1, none, none);
	}
	if (status != EMBED_OK)
		return status;
	/* Without their heads it is not known how many pages more than it needs a value has. */
	has_all_overflow = walk->depth == STRUCTURE_ALL || is_free_tree
			       ? walk->counted.overflow_pages == tree->overflow_pages
			       : walk->counted.overflow_pages <= tree->overflow_pages;
	if (!has_all_overflow || walk->counted.branch_pages != tree->branch_pages ||
	    walk->counted.leaf_pages != tree->leaf_pages || walk->counted.entries != tree->entries)
		return wrong(walk, tree->root, "the index does not hold as much as its head says");
	return EMBED_OK;
}

enum embed_status structure_check_meta(struct file *file, const struct page_meta *meta,
    enum structure_depth depth, struct embed_error *error)
{
	struct walk walk = {.file = file, .meta = meta, .depth = depth, .error = error};
	enum embed_status status;

	if (meta->last_page < PAGE_METAS - 1 ||
	    meta->last_page >= meta->map_bytes / file->page_bytes)
		return structure_damaged(file, error, 0, "an impossible last page");
	walk.seen = calloc(1, meta->last_page / 8 + 1);
	walk.pages = malloc(PAGE_DEPTH_MAX * file->page_bytes);
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
