/* SPDX-License-Identifier: MIT */
#include "chunk/chunk.h"

#include "base/error.h"
#include "chunk/packer.h"

#define DEFAULT_MAX 512

static const struct strategy *const strategies[] = {
    [EMBED_CHUNK_FIXED] = &strategy_fixed,
    [EMBED_CHUNK_TOKENS] = &strategy_tokens,
    [EMBED_CHUNK_SENTENCES] = &strategy_sentences,
    [EMBED_CHUNK_PARAGRAPHS] = &strategy_paragraphs,
    [EMBED_CHUNK_RECURSIVE] = &strategy_recursive,
    [EMBED_CHUNK_MARKDOWN] = &strategy_markdown,
    [EMBED_CHUNK_CODE] = &strategy_code,
    [EMBED_CHUNK_HTML] = &strategy_html,
    [EMBED_CHUNK_SEMANTIC] = &strategy_semantic,
};

static const char *const unit_names[] = {[EMBED_UNIT_TOKENS] = "tokens",
    [EMBED_UNIT_CHARS] = "characters",
    [EMBED_UNIT_BYTES] = "bytes"};

/* The smallest limit that has room for any one character. */
static size_t least_max(enum embed_chunk_unit unit)
{
	switch (unit) {
	case EMBED_UNIT_TOKENS:
		return CHUNK_MIN_TOKENS;
	case EMBED_UNIT_CHARS:
		return 1;
	default:
		return CHUNK_MIN_BYTES;
	}
}

static enum embed_status check_sizes(
    const struct embed_chunk_options *options, struct embed_error *error)
{
	const char *unit = unit_names[options->unit];

	if (options->max < least_max(options->unit))
		return error_set(error, EMBED_BAD_OPTION,
		    "a chunk size of %zu %s is too small: one character can take %zu", options->max,
		    unit, least_max(options->unit));
	if (options->overlap >= options->max)
		return error_set(error, EMBED_BAD_OPTION,
		    "the overlap (%zu %s) must be below the chunk size (%zu)", options->overlap,
		    unit, options->max);
	if (options->min > options->max)
		return error_set(error, EMBED_BAD_OPTION,
		    "the smallest chunk (%zu %s) cannot be above the chunk size (%zu)",
		    options->min, unit, options->max);
	return EMBED_OK;
}

enum embed_status chunk_check_options(
    const struct embed_chunk_options *options, struct embed_error *error)
{
	if ((unsigned)options->strategy >= sizeof(strategies) / sizeof(strategies[0]))
		return error_set(error, EMBED_BAD_OPTION, "there is no chunking strategy %d",
		    (int)options->strategy);
	if ((unsigned)options->unit > EMBED_UNIT_BYTES)
		return error_set(
		    error, EMBED_BAD_OPTION, "there is no unit %d", (int)options->unit);
	if (tokens_encoding_find(options->encoding) == NULL)
		return error_set(error, EMBED_BAD_OPTION,
		    "there is no encoding '%.40s'; cl100k_base and o200k_base are known",
		    options->encoding);
	return check_sizes(options, error);
}

/* The caller's options may be of an older, shorter struct. */
static enum embed_status read_options(struct embed_chunk_options *out,
    const struct embed_chunk_options *options, struct embed_error *error)
{
	const char *from = (const char *)options;

	*out = (struct embed_chunk_options)EMBED_CHUNK_OPTIONS_INIT;
	if (options != NULL &&
	    error_check_size(options->size, "EMBED_CHUNK_OPTIONS_INIT", error) != EMBED_OK)
		return EMBED_BAD_OPTION;
	if (options != NULL)
		for (size_t i = 0; i < options->size && i < sizeof(*out); i++)
			((char *)out)[i] = from[i];
	return chunk_check_options(out, error);
}

enum embed_status chunk_text(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error)
{
	struct embed_chunk_options checked;
	enum embed_status status = read_options(&checked, options, error);

	if (status != EMBED_OK)
		return status;
	if (checked.strategy == EMBED_CHUNK_SEMANTIC)
		return error_set(error, EMBED_BAD_OPTION,
		    "semantic chunks need vectors: use embed_chunk_semantic with a service");
	return packer_run(bytes, len, &checked, strategies[checked.strategy], NULL, out, error);
}

/* ---- Semantic ------------------------------------------------------------------ */

enum embed_status chunk_semantic_sentences(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error)
{
	struct embed_chunk_options checked;
	enum embed_status status = read_options(&checked, options, error);

	if (status != EMBED_OK)
		return status;
	checked.overlap = 0;
	checked.min = 0;
	return packer_run(bytes, len, &checked, &strategy_each_sentence, NULL, out, error);
}

enum embed_status chunk_semantic(const char *bytes, size_t len, const embed_chunks *sentences,
    const float *const *vectors, size_t dimensions, const struct embed_chunk_options *options,
    embed_chunks **out, struct embed_error *error)
{
	struct embed_chunk_options checked;
	struct semantic_input input = {sentences, vectors, dimensions};
	enum embed_status status = read_options(&checked, options, error);

	if (status != EMBED_OK)
		return status;
	return packer_run(bytes, len, &checked, &strategy_semantic, &input, out, error);
}
