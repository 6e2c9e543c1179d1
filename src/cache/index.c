/* SPDX-License-Identifier: MIT */
#include "cache/index.h"

#include <stdatomic.h>

/* ---- Pages --------------------------------------------------------------- */

static bool is_in_file(const struct index *index, uint64_t first, uint64_t count)
{
	return first >= PAGE_METAS && first <= index->meta.last_page &&
	       count <= index->meta.last_page - first + 1;
}

static const uint8_t *page_at(const struct index *index, uint64_t number)
{
	return index->map + number * index->page_bytes;
}

static bool read_node(
    const struct index *index, const struct index_step *step, size_t at, struct page_node *node)
{
	return page_read_node(step->page, index->page_bytes, &step->head, at, node);
}

static bool is_sound_node(
    const struct index *index, const struct page_head *head, const struct page_node *node)
{
	if (head->flags == PAGE_BRANCH)
		return is_in_file(index, node->child, 1);
	return (node->flags & ~PAGE_NODE_BIG) == 0 && node->key_len > 0;
}

/* LMDB packs nodes from the page's end on, each of an even size. */
static bool is_whole(const struct index *index, const struct index_step *step)
{
	size_t count = page_count(&step->head), bytes = 0;
	struct page_node node;

	for (size_t i = 0; i < count; i++) {
		if (!read_node(index, step, i, &node) || !is_sound_node(index, &step->head, &node))
			return false;
		bytes += (node.bytes + 1) & ~(size_t)1;
	}
	return bytes <= index->page_bytes - step->head.upper;
}

static int enter(const struct index *index, uint64_t number, bool is_leaf, bool is_strict,
    struct index_step *step)
{
	if (!is_in_file(index, number, 1))
		return MDB_CORRUPTED;
	step->page = page_at(index, number);
	step->at = 0;
	if (page_read_head(step->page, index->page_bytes, number, is_leaf, &step->head) != NULL)
		return MDB_CORRUPTED;
	return is_strict && !is_whole(index, step) ? MDB_CORRUPTED : 0;
}

/* ---- The way to a key ------------------------------------------------------ */

static int compare(const struct page_node *node, const MDB_val *key)
{
	size_t len = node->key_len < key->mv_size ? node->key_len : key->mv_size;
	int order = memcmp(node->key, key->mv_data, len);

	if (order != 0)
		return order;
	return node->key_len < key->mv_size ? -1 : node->key_len > key->mv_size;
}

/* The first node from `low` on whose key is not below `key`, or their count. */
static int lower_bound(const struct index *index, const struct index_step *step, size_t low,
    const MDB_val *key, size_t *found, bool *is_equal)
{
	size_t high = page_count(&step->head);
	struct page_node node;

	*is_equal = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order;

		if (!read_node(index, step, middle, &node))
			return MDB_CORRUPTED;
		order = compare(&node, key);
		if (order == 0) {
			*is_equal = true;
			low = high = middle;
		} else if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*found = low;
	return 0;
}

static struct index_step *leaf_of(struct index_cursor *cursor)
{
	return &cursor->steps[cursor->tree->depth - 1];
}

/* From the page at `level` on, along the nodes that `key` belongs to (NULL: the first). */
static int descend(struct index_cursor *cursor, size_t level, const MDB_val *key)
{
	const struct index *index = cursor->index;

	for (; level + 1 < cursor->tree->depth; level++) {
		struct index_step *step = &cursor->steps[level];
		struct page_node node;
		bool is_equal;
		int rc = 0;

		/* The first key of a branch page means "from here on", whatever it is. */
		if (key != NULL)
			rc = lower_bound(cursor->index, step, 1, key, &step->at, &is_equal);
		if (rc == 0 && key != NULL && !is_equal)
			step->at--;
		if (rc == 0 && !read_node(index, step, step->at, &node))
			rc = MDB_CORRUPTED;
		if (rc == 0)
			rc = enter(index, node.child, level + 2 == cursor->tree->depth,
			    cursor->is_strict, step + 1);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int start(struct index_cursor *cursor, const struct index *index,
    const struct page_tree *tree, bool is_strict, const MDB_val *key)
{
	int rc;

	cursor->index = index;
	cursor->tree = tree;
	cursor->is_strict = is_strict;
	if (tree->root == PAGE_NO_ROOT)
		return MDB_NOTFOUND;
	rc = enter(index, tree->root, tree->depth == 1, is_strict, &cursor->steps[0]);
	return rc == 0 ? descend(cursor, 0, key) : rc;
}

static int value_of(const struct index *index, const struct page_node *node, MDB_val *value)
{
	uint64_t first;

	if ((node->flags & ~PAGE_NODE_BIG) != 0)
		return MDB_CORRUPTED;
	*value = (MDB_val){node->value_len, (void *)(uintptr_t)node->value};
	if ((node->flags & PAGE_NODE_BIG) == 0)
		return 0;
	memcpy(&first, node->value, sizeof(first));
	if (!is_in_file(index, first, page_overflow_count(node->value_len, index->page_bytes)))
		return MDB_CORRUPTED;
	value->mv_data = (void *)(uintptr_t)(page_at(index, first) + PAGE_HEAD);
	return 0;
}

/* ---- Reading --------------------------------------------------------------- */

static bool is_possible(const struct page_tree *tree)
{
	return tree->root == PAGE_NO_ROOT || (tree->depth > 0 && tree->depth < PAGE_DEPTH_MAX);
}

int index_open(struct index *index, const uint8_t *map, uint64_t page_bytes, uint64_t txn_id)
{
	const uint8_t *meta = map + (txn_id & 1) * page_bytes + PAGE_HEAD;
	uint64_t still;

	*index = (struct index){.map = map, .page_bytes = page_bytes};
	memcpy(&index->meta, meta, sizeof(index->meta));
	/* Another process may be writing the next state but one over it. */
	atomic_thread_fence(memory_order_acquire);
	memcpy(&still, meta + offsetof(struct page_meta, txn_id), sizeof(still));
	if (index->meta.txn_id != txn_id || still != txn_id || !is_possible(&index->meta.records) ||
	    !is_possible(&index->meta.free_pages))
		return MDB_CORRUPTED;
	return 0;
}

int index_find(const struct index *index, const MDB_val *key, MDB_val *value)
{
	struct index_cursor cursor;
	struct index_step *leaf;
	struct page_node node;
	bool is_equal;
	int rc = start(&cursor, index, &index->meta.records, false, key);

	if (rc != 0)
		return rc;
	leaf = leaf_of(&cursor);
	rc = lower_bound(index, leaf, 0, key, &leaf->at, &is_equal);
	if (rc == 0 && !is_equal)
		return MDB_NOTFOUND;
	if (rc != 0 || !read_node(index, leaf, leaf->at, &node))
		return MDB_CORRUPTED;
	return value_of(index, &node, value);
}

/* From the end of a leaf to the next one's first entry. */
static int settle(struct index_cursor *cursor)
{
	struct index_step *step = leaf_of(cursor), *leaf = step;
	struct page_node node;
	int rc;

	if (leaf->at < page_count(&leaf->head))
		return 0;
	do {
		if (step == cursor->steps)
			return MDB_NOTFOUND;
		step--;
	} while (step->at + 1 >= page_count(&step->head));
	step->at++;
	if (!read_node(cursor->index, step, step->at, &node))
		return MDB_CORRUPTED;
	rc = enter(cursor->index, node.child, step + 1 == leaf, cursor->is_strict, step + 1);
	return rc == 0 ? descend(cursor, (size_t)(step + 1 - cursor->steps), NULL) : rc;
}

static int node_here(struct index_cursor *cursor, struct page_node *node)
{
	int rc = settle(cursor);

	if (rc != 0)
		return rc;
	return read_node(cursor->index, leaf_of(cursor), leaf_of(cursor)->at, node) ? 0
										    : MDB_CORRUPTED;
}

static int entry_here(struct index_cursor *cursor, MDB_val *key, MDB_val *value)
{
	struct page_node node;
	int rc = node_here(cursor, &node);

	if (rc != 0)
		return rc;
	*key = (MDB_val){node.key_len, (void *)(uintptr_t)node.key};
	return value_of(cursor->index, &node, value);
}

int index_seek(struct index_cursor *cursor, const struct index *index, const MDB_val *from,
    MDB_val *key, MDB_val *value)
{
	int rc = start(cursor, index, &index->meta.records, false, from);
	bool is_equal;

	if (rc == 0 && from != NULL)
		rc = lower_bound(index, leaf_of(cursor), 0, from, &leaf_of(cursor)->at, &is_equal);
	return rc == 0 ? entry_here(cursor, key, value) : rc;
}

int index_next(struct index_cursor *cursor, MDB_val *key, MDB_val *value)
{
	leaf_of(cursor)->at++;
	return entry_here(cursor, key, value);
}

/* ---- Before writing -------------------------------------------------------- */

/* The neighbours below one node of a branch page, whose own nodes were looked at before. */
static int check_neighbours(
    const struct index *index, const struct index_step *branch, bool is_leaf, size_t reach)
{
	size_t count = page_count(&branch->head);
	size_t first = branch->at > reach ? branch->at - reach : 0;

	for (size_t i = first; i < count && i <= branch->at + reach; i++) {
		struct index_step neighbour;
		struct page_node node;

		if (i == branch->at)
			continue;
		if (!read_node(index, branch, i, &node) ||
		    enter(index, node.child, is_leaf, true, &neighbour) != 0)
			return MDB_CORRUPTED;
	}
	return 0;
}

/* A value's own pages are given back by the count in their head. */
static int check_value(const struct index *index, const struct page_node *node, MDB_val *value)
{
	uint64_t first, count;
	int rc = value_of(index, node, value);

	if (rc != 0 || (node->flags & PAGE_NODE_BIG) == 0)
		return rc;
	memcpy(&first, node->value, sizeof(first));
	count = page_overflow_has(page_at(index, first), index->page_bytes, first, node->value_len);
	return count > 0 && is_in_file(index, first, count) ? 0 : MDB_CORRUPTED;
}

static int check_value_of(struct index_cursor *cursor, const MDB_val *key)
{
	struct index_step *leaf = leaf_of(cursor);
	struct page_node node;
	MDB_val value;
	bool is_equal;
	int rc = lower_bound(cursor->index, leaf, 0, key, &leaf->at, &is_equal);

	if (rc != 0 || !is_equal)
		return rc;
	if (!read_node(cursor->index, leaf, leaf->at, &node))
		return MDB_CORRUPTED;
	return check_value(cursor->index, &node, &value);
}

int index_check(const struct index *index, const MDB_val *key, size_t reach)
{
	const struct page_tree *tree = &index->meta.records;
	struct index_cursor cursor;
	int rc = start(&cursor, index, tree, true, key);

	if (rc == MDB_NOTFOUND)
		return 0;
	for (size_t level = 0; rc == 0 && reach > 0 && level + 1u < tree->depth; level++)
		rc =
		    check_neighbours(index, &cursor.steps[level], level + 2u == tree->depth, reach);
	return rc == 0 ? check_value_of(&cursor, key) : rc;
}

/* As LMDB keeps it: a count, then page numbers, the highest first. */
static int check_free_list(const struct index *index, const MDB_val *value)
{
	const uint8_t *bytes = value->mv_data;
	uint64_t count, page, before = UINT64_MAX;

	if (value->mv_size < sizeof(count))
		return MDB_CORRUPTED;
	memcpy(&count, bytes, sizeof(count));
	if (count > value->mv_size / sizeof(page) - 1)
		return MDB_CORRUPTED;
	for (uint64_t i = 1; i <= count; i++) {
		memcpy(&page, bytes + i * sizeof(page), sizeof(page));
		if (page >= before || !is_in_file(index, page, 1))
			return MDB_CORRUPTED;
		before = page;
	}
	return 0;
}

static int check_free_entry(const struct index *index, const struct page_node *node)
{
	MDB_val value;
	int rc =
	    node->key_len == sizeof(uint64_t) ? check_value(index, node, &value) : MDB_CORRUPTED;

	return rc == 0 ? check_free_list(index, &value) : rc;
}

int index_check_free_pages(const struct index *index)
{
	struct index_cursor cursor;
	struct page_node node;
	int rc = start(&cursor, index, &index->meta.free_pages, true, NULL);

	while (rc == 0) {
		rc = node_here(&cursor, &node);
		if (rc == 0)
			rc = check_free_entry(index, &node);
		if (rc == 0)
			leaf_of(&cursor)->at++;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}
