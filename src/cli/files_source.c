/* SPDX-License-Identifier: MIT */
#include "cli/files_source.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/chunking.h"
#include "cli/json_row.h"

static void close_document(struct files_source *files)
{
	embed_chunks_destroy(files->chunks);
	embed_cleaned_destroy(files->cleaned);
	document_fini(&files->document);
	files->chunks = NULL;
	files->cleaned = NULL;
	files->path = NULL;
}

static enum embed_status open_document(
    struct files_source *files, const char *path, struct embed_error *error)
{
	struct embed_chunk_options chunk = files->options.chunk;
	enum embed_status status = document_load(&files->document, path, error);
	enum document_kind kind = files->document.kind;
	const char *bytes;
	size_t len;

	if (status == EMBED_OK)
		status = embed_clean(files->document.bytes, files->document.len,
		    files->options.clean_flags | document_clean_flags(kind), &files->cleaned,
		    error);
	if (status != EMBED_OK)
		return status;
	if (files->options.is_strategy_auto)
		chunk.strategy = document_strategy(kind);
	bytes = embed_cleaned_bytes(files->cleaned, &len);
	status = chunking_cut(files->source.service, bytes, len, &chunk, &files->options.request,
	    &files->chunks, error);
	files->path = path;
	files->next_chunk = 0;
	return status;
}

/* "PATH" or "PATH#7" as JSON. */
static struct span add_id(struct item_group *group, const char *path, const char *suffix)
{
	size_t start = group->bytes.len;

	json_append_string(&group->bytes, path, strlen(path));
	if (*suffix != '\0' && group->bytes.status == EMBED_OK) {
		group->bytes.len--; /* the closing quote moves behind the suffix */
		buffer_printf(&group->bytes, "%s\"", suffix);
	}
	return (struct span){start, group->bytes.len - start};
}

static void add_refused(struct item_group *group, const char *path, const struct embed_error *error)
{
	struct item *item = item_group_add(group);

	if (item == NULL)
		return;
	item->id = add_id(group, path, "");
	item->source = item_group_copy(group, path, strlen(path));
	item->is_whole_source = true;
	item_group_refuse(group, item, error->status, "%s", error->message);
}

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r')
			return false;
	return true;
}

static void add_chunk(struct files_source *files, struct item_group *group)
{
	size_t index = files->next_chunk++, len, start, end;
	const struct embed_chunk *chunk = embed_chunks_at(files->chunks, index);
	const char *bytes = embed_cleaned_bytes(files->cleaned, &len);
	struct item *item;
	char suffix[32];

	if (is_blank(bytes + chunk->start, chunk->end - chunk->start))
		return;
	item = item_group_add(group);
	if (item == NULL)
		return;
	snprintf(suffix, sizeof(suffix), "#%zu", index);
	embed_cleaned_source_range(files->cleaned, chunk->start, chunk->end, &start, &end);
	item->id = add_id(group, files->path, suffix);
	item->source = item_group_copy(group, files->path, strlen(files->path));
	item->text = item_group_copy(group, bytes + chunk->start, chunk->end - chunk->start);
	item->chunk = index;
	item->start = start;
	item->end = end;
}

static enum source_status next(
    struct source *source, struct item_group *group, struct embed_error *error)
{
	struct files_source *files = (struct files_source *)source;
	const struct walk_file *file;
	struct embed_error refusal;

	(void)error;
	if (files->path != NULL && files->next_chunk < embed_chunks_count(files->chunks)) {
		add_chunk(files, group);
		return SOURCE_ITEM;
	}
	if (files->path != NULL)
		close_document(files);
	if (files->next_file == files->walk.count)
		return SOURCE_END;
	file = &files->walk.files[files->next_file++];
	files->source.bytes_done += file->bytes;
	error_clear(&refusal);
	if (open_document(files, file->path, &refusal) != EMBED_OK) {
		add_refused(group, file->path, &refusal);
		close_document(files);
	}
	return SOURCE_ITEM;
}

void files_source_init(
    struct files_source *files, const struct files_source_options *options, const struct walk *walk)
{
	*files = (struct files_source){
	    .source = {.next = next, .fd = -1, .bytes_total = walk->bytes},
	    .options = *options,
	    .walk = *walk,
	};
}

void files_source_fini(struct files_source *files)
{
	close_document(files);
}
