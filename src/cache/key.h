/* SPDX-License-Identifier: MIT */
/*
 * Key: what makes two texts the same text to the store.
 *
 * A key is the SHA-256 of the key format's version, the vector space, the
 * partition, the fixed dimensions (if any), the extra fields (if any) and the
 * text, each length-prefixed.
 * What is not in it cannot matter: `user`, the wire format, the account.
 *
 * The vector space says whose vectors are comparable with whose:
 *   - on OpenAI's own hosts (api.openai.com, *.api.openai.com) and Azure's
 *     (*.openai.azure.com and the other domains Azure gives its resources),
 *     over https on the default port, it is the model's name alone, so that
 *     two accounts share what is the same;
 *   - anywhere else it is the model's name and the origin of the base URL, so
 *     that what a stand-in answered is never taken for OpenAI's vectors;
 *   - where the upstream's settings name a space, it is the model's name and
 *     that name, wherever the upstream lives.
 * "The model's name" is the one callers ask for, not an upstream's deployment.
 *
 * Threads: any; nothing is shared.
 */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include <embed.h>

#include "base/digest.h"

#define CACHE_SPACE_MAX 1024

/* Made once for each pair of upstream and model; `bytes` are not for people. */
struct cache_space {
	char bytes[CACHE_SPACE_MAX];
	size_t len;
};

/*
 * The space of `model` at an upstream.  `base_url` NULL means OpenAI's,
 * `named` NULL or "" means that the settings name none.  EMBED_BAD_OPTION when
 * the URL has no scheme or host, when a name holds control characters or when
 * all of it is too long; EMBED_NO_MODEL when the model is NULL or "".
 */
enum embed_status cache_space_make(struct cache_space *space, const char *base_url,
    const char *model, const char *named, struct embed_error *error);

/* What besides the text goes into a key. */
struct cache_scope {
	const struct cache_space *space;
	const char *partition; /* NULL or "": the shared one */

	/*
	 * 0 where a shorter vector is a cut of a longer one (models that
	 * can_shorten) and where the caller asked for no dimensions: then one
	 * record serves all.  Otherwise the dimensions asked for, because
	 * vectors of such a model with different lengths are different things.
	 */
	uint32_t fixed_dimensions;

	/* What else the upstream was told, which may change its vectors; NULL or "": nothing. */
	const char *extra;
};

/* False only when memory runs out, as for both below. */
bool cache_key_text(
    struct digest *key, const struct cache_scope *scope, const char *bytes, size_t len);

/*
 * For token arrays that do not decode to a text that encodes to the same ids
 * (those that do share the text's key).  Never equals any text's key.
 */
bool cache_key_ids(
    struct digest *key, const struct cache_scope *scope, const uint32_t *ids, size_t count);

#endif
