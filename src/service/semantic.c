/* SPDX-License-Identifier: MIT */
/* embed_chunk_semantic: the sentences' vectors come through the service, the cutting is chunk's. */
#include "service/service.h"

#include <stdlib.h>

#include "base/error.h"
#include "chunk/chunk.h"

static enum embed_status no_memory(struct embed_error *error)
{
	return error_set(error, EMBED_NO_MEMORY, "out of memory");
}

/* One text for each sentence; NULL when memory runs out. */
static struct embed_text *texts_of(const char *bytes, const embed_chunks *sentences)
{
	size_t count = chunk_count(sentences);
	struct embed_text *texts = calloc(count + 1, sizeof(*texts));
	const struct embed_chunk *sentence;

	for (size_t i = 0; texts != NULL && i < count; i++) {
		sentence = chunk_at(sentences, i);
		texts[i] = (struct embed_text){
		    .bytes = bytes + sentence->start, .len = sentence->end - sentence->start};
	}
	return texts;
}

/* A sentence without a vector would be a cut by guess, so one failure fails the call. */
static enum embed_status first_failure(const embed_result *result, struct embed_error *error)
{
	const struct embed_answer *answer;

	for (size_t i = 0; i < embed_result_count(result); i++) {
		answer = embed_result_answer(result, i);
		if (answer->status == EMBED_OK)
			continue;
		if (answer->error == NULL)
			return no_memory(error);
		return error_copy(error, answer->error);
	}
	return EMBED_OK;
}

static enum embed_status cut(const char *bytes, size_t len, const embed_chunks *sentences,
    const embed_result *result, const struct embed_chunk_options *options, embed_chunks **out,
    struct embed_error *error)
{
	size_t count = embed_result_count(result);
	const float **vectors = calloc(count + 1, sizeof(*vectors));
	uint32_t dimensions = 0;
	enum embed_status status;

	if (vectors == NULL)
		return no_memory(error);
	for (size_t i = 0; i < count; i++)
		vectors[i] = embed_result_vector(result, i, &dimensions);
	status = chunk_semantic(bytes, len, sentences, vectors, dimensions, options, out, error);
	free(vectors);
	return status;
}

enum embed_status embed_chunk_semantic(embed_service *service, const char *bytes, size_t len,
    const struct embed_chunk_options *options, const struct embed_request *request,
    embed_chunks **out, struct embed_error *error)
{
	embed_chunks *sentences = NULL;
	struct embed_text *texts = NULL;
	embed_result *result = NULL;
	enum embed_status status;

	status = chunk_semantic_sentences(bytes, len, options, &sentences, error);
	if (status != EMBED_OK)
		return status;
	texts = texts_of(bytes, sentences);
	if (texts == NULL) {
		status = no_memory(error);
		goto done;
	}
	status = embed_texts(service, texts, chunk_count(sentences), request, &result, error);
	if (status == EMBED_OK)
		status = first_failure(result, error);
	if (status == EMBED_OK)
		status = cut(bytes, len, sentences, result, options, out, error);

done:
	embed_result_destroy(result);
	free(texts);
	chunk_destroy(sentences);
	return status;
}
