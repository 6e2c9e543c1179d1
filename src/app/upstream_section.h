/* SPDX-License-Identifier: MIT */
/*
 * Upstream sections: the [upstream NAME] and [prices] sections of a
 * configuration file as the structs of embed.h.
 *
 *	[upstream second]
 *	base_url = https://example.openai.azure.com
 *	api_key_env = AZURE_KEY
 *
 *	[prices]
 *	text-embedding-3-small = 0.02        ; dollars per million tokens
 */
#ifndef APP_UPSTREAM_SECTION_H
#define APP_UPSTREAM_SECTION_H

#include "app/option_file.h"

#define UPSTREAM_SECTIONS_MAX 64
#define UPSTREAM_PRICES_MAX   256

struct upstream_sections {
	struct embed_upstream *upstreams;
	const void *values; /* what each section said, by upstream_section_set */
	size_t upstream_count;
	struct embed_price *prices;
	size_t price_count;
};

/* The keys of an [upstream NAME] section, for the manual. */
extern const struct option_set upstream_section_set;

/* Whether a section is one of these. */
bool upstream_sections_own(const char *section);

/* Everything lives in the arena. */
enum embed_status upstream_sections_read(struct upstream_sections *sections,
    const struct option_file *file, char **environment, struct arena *arena,
    struct embed_error *error);

#endif
