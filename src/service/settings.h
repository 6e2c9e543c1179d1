/* SPDX-License-Identifier: MIT */
/*
 * Settings: embed_options as the service keeps them: checked, every default
 * filled in, every string its own.  There is always at least one upstream.
 *
 * Constant after settings_create, so any thread may read them.
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <embed.h>

struct settings {
	struct embed_options options;     /* size of this library's struct; strings owned below */
	struct embed_upstream *upstreams; /* options.upstream_count of them */
	struct embed_price *prices;
	uint32_t text_tokens; /* the least that any upstream reads of one text */
	char **strings;       /* everything copied, for destroy */
	size_t string_count, string_cap;
};

enum embed_status settings_create(
    struct settings **out, const struct embed_options *options, struct embed_error *error);
void settings_destroy(struct settings *settings);

/* Whether at least one upstream can be asked: it has a key, or needs none. */
bool settings_has_credentials(const struct settings *settings);

/* Nano-dollars for a token of `model`: override, else the table, else 0. */
uint64_t settings_nano_per_token(const struct settings *settings, const char *model);

#endif
