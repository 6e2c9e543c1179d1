/* SPDX-License-Identifier: MIT */
/*
 * Settings: embed_options as the service keeps them: checked, every default
 * filled in, every string its own.  There is always at least one upstream.
 *
 * Constant after settings_create, so any thread may read them.  What may change
 * while the service runs (keys, limits, prices) is read through `newest`:
 * settings that were loaded later, kept until these are destroyed.
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <embed.h>
#include <stdatomic.h>

struct settings {
	struct embed_options options;     /* size of this library's struct; strings owned below */
	struct embed_upstream *upstreams; /* options.upstream_count of them */
	struct embed_price *prices;
	uint32_t text_tokens; /* the least that any upstream reads of one text */
	char **strings;       /* everything copied, for destroy */
	size_t string_count, string_cap;
	_Atomic(struct settings *) newest; /* itself at first */
	struct settings *older;            /* than `newest`, when these are */
};

enum embed_status settings_create(
    struct settings **out, const struct embed_options *options, struct embed_error *error);
void settings_destroy(struct settings *settings);

/*
 * Settings made from other options take over what may change; *taken is NULL
 * when that is nothing.  One caller at a time.
 */
enum embed_status settings_change(struct settings *settings, const struct embed_options *options,
    const struct settings **taken, struct embed_error *error);

/* Whether at least one upstream can be asked: it has a key, or needs none. */
bool settings_has_credentials(const struct settings *settings);

/* Nano-dollars for a token of `model`: override, else the table, else 0. */
uint64_t settings_nano_per_token(const struct settings *settings, const char *model);

#endif
