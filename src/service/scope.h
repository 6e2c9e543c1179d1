/* SPDX-License-Identifier: MIT */
/*
 * Scope: what one call's request settles for all of its texts: model,
 * dimensions, vector space, limits.  Made once for a call, on the caller's
 * stack; it borrows the request's strings.
 */
#ifndef SERVICE_SCOPE_H
#define SERVICE_SCOPE_H

#include <embed.h>

#include "cache/key.h"
#include "service/settings.h"
#include "tokens/tokens.h"

struct scope {
	struct embed_request request;    /* every default filled in */
	const struct embed_model *model; /* NULL: a model that the table does not know */
	const struct tokens_encoding *encoding;
	struct cache_space space;
	struct cache_scope key; /* points to `space` */
	uint32_t dimensions;    /* that answers have; 0: as upstream decides */
	uint32_t text_tokens;   /* more than these in one text are too many */
	bool can_shorten;
};

/* EMBED_NO_MODEL, EMBED_BAD_DIMENSIONS, EMBED_BAD_OPTION with a sentence. `request` may be NULL. */
enum embed_status scope_init(struct scope *scope, const struct settings *settings,
    const struct embed_request *request, struct embed_error *error);

#endif
