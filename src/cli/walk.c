/* SPDX-License-Identifier: MIT */
#include "cli/walk.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/document.h"

static enum embed_status add(
    struct walk *walk, const char *path, off_t bytes, struct embed_error *error)
{
	struct walk_file *file;

	if (walk->count == WALK_MAX_FILES)
		return error_set(error, EMBED_TOO_LARGE, "more than %d files", WALK_MAX_FILES);
	if (walk->count == walk->cap) {
		size_t cap = walk->cap == 0 ? 64 : walk->cap * 2;
		struct walk_file *files = reallocarray(walk->files, cap, sizeof(*files));

		if (files == NULL)
			return error_set(error, EMBED_NO_MEMORY, "out of memory");
		walk->files = files;
		walk->cap = cap;
	}
	file = &walk->files[walk->count];
	file->path = strdup(path);
	file->bytes = bytes > 0 ? (uint64_t)bytes : 0;
	if (file->path == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	walk->count++;
	walk->bytes += file->bytes;
	return EMBED_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum embed_status visit(
    struct walk *walk, FTS *tree, FTSENT *entry, struct embed_error *error)
{
	bool is_hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';

	if (is_hidden) {
		if (entry->fts_info == FTS_D)
			fts_set(tree, entry, FTS_SKIP);
		return EMBED_OK;
	}
	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
		return error_set(error, EMBED_IO, "cannot read %.400s: %s", entry->fts_path,
		    strerror(entry->fts_errno));
	if (entry->fts_info != FTS_F)
		return EMBED_OK;
	if (document_kind_of(entry->fts_name) == DOCUMENT_UNKNOWN) {
		walk->skipped++;
		return EMBED_OK;
	}
	return add(walk, entry->fts_path, entry->fts_statp->st_size, error);
}

static enum embed_status walk_folder(struct walk *walk, const char *path, struct embed_error *error)
{
	char *paths[] = {(char *)(uintptr_t)path, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	enum embed_status status = EMBED_OK;
	FTSENT *entry;

	if (tree == NULL)
		return error_set(error, EMBED_IO, "cannot read %.400s: %s", path, strerror(errno));
	while (status == EMBED_OK && (entry = fts_read(tree)) != NULL)
		status = visit(walk, tree, entry, error);
	fts_close(tree);
	return status;
}

enum embed_status walk_paths(
    struct walk *walk, const char *const *paths, size_t count, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	*walk = (struct walk){0};
	for (size_t i = 0; i < count && status == EMBED_OK; i++) {
		struct stat stat_;

		if (stat(paths[i], &stat_) != 0)
			status = error_set(error, EMBED_BAD_OPTION, "cannot open %.400s: %s",
			    paths[i], strerror(errno));
		else if (S_ISDIR(stat_.st_mode))
			status = walk_folder(walk, paths[i], error);
		else
			status = add(walk, paths[i], stat_.st_size, error);
	}
	return status;
}

void walk_fini(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		free(walk->files[i].path);
	free(walk->files);
	*walk = (struct walk){0};
}
