/* SPDX-License-Identifier: MIT */
/*
 * Settings: the engine's own copy of its options, checked.
 *
 * Threads: none while it is made; constant afterwards.
 */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/engine.h"

struct settings_copy {
	struct engine_options options; /* `upstreams` and their strings lie in `memory` */
	void *memory;
};

/* EMBED_BAD_OPTION with a sentence, EMBED_NO_MEMORY. */
enum embed_status settings_copy(
    struct settings_copy *copy, const struct engine_options *options, struct embed_error *error);
void settings_free(struct settings_copy *copy);

#endif
