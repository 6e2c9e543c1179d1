/* SPDX-License-Identifier: MIT */
#include "chunk/list.h"

#include <assert.h>
#include <stdlib.h>

#include "chunk/packer.h"

struct embed_chunks {
	struct buffer chunks;   /* struct embed_chunk */
	struct buffer headings; /* struct heading: the chunks' heading texts */
};

enum embed_status chunk_list_create(
    embed_chunks **out, struct buffer *chunks, struct buffer *headings)
{
	struct embed_chunks *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return EMBED_NO_MEMORY;
	list->chunks = *chunks;
	list->headings = *headings;
	buffer_init(chunks, SIZE_MAX);
	buffer_init(headings, SIZE_MAX);
	*out = list;
	return EMBED_OK;
}

size_t chunk_count(const embed_chunks *chunks)
{
	return chunks->chunks.len / sizeof(struct embed_chunk);
}

const struct embed_chunk *chunk_at(const embed_chunks *chunks, size_t index)
{
	assert(index < chunk_count(chunks));
	return (const struct embed_chunk *)(const void *)chunks->chunks.bytes + index;
}

void chunk_destroy(embed_chunks *chunks)
{
	struct heading *headings;

	if (chunks == NULL)
		return;
	headings = (void *)chunks->headings.bytes;
	for (size_t i = 0; i < chunks->headings.len / sizeof(*headings); i++)
		free(headings[i].path);
	buffer_fini(&chunks->headings);
	buffer_fini(&chunks->chunks);
	free(chunks);
}
