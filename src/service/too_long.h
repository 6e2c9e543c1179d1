/* SPDX-License-Identifier: MIT */
/*
 * Too long: what becomes of a text with more tokens than the model reads.
 *
 * ERROR refuses it, TRUNCATE embeds its beginning (up to a piece's end, so
 * that no word is cut), AVERAGE cuts it into chunks that fit and takes the
 * mean of their vectors by tokens.  Token ids are cut between any two.
 */
#ifndef SERVICE_TOO_LONG_H
#define SERVICE_TOO_LONG_H

#include "service/scope.h"

/* The longest beginning of `input` that fits, and its tokens. */
enum embed_status too_long_truncate(const struct scope *scope, const struct embed_text *input,
    struct embed_text *out, uint32_t *tokens);

/* Called for each part in order; a status other than EMBED_OK stops. */
typedef enum embed_status too_long_fn(
    const struct embed_text *part, uint32_t tokens, size_t index, size_t count, void *context);

enum embed_status too_long_split(const struct scope *scope, const struct embed_text *input,
    too_long_fn *fn, void *context, struct embed_error *error);

#endif
