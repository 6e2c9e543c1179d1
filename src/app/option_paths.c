/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app/option_load.h"

static void each_of_set(
    const struct option_set *set, const void *values, options_file_fn *fn, void *context)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct option_row *row = &set->rows[i];
		const char *path;

		if (row->kind != OPTION_TEXT || strcmp(row->argument, "FILE") != 0)
			continue;
		path = *(const char *const *)((const char *)values + row->offset);
		if (path && *path)
			fn(path, context);
	}
}

void options_each_file(const struct options *options, options_file_fn *fn, void *context)
{
	const struct option_set *set = &upstream_section_set;

	if (options->file.path)
		fn(options->file.path, context);
	for (size_t i = 0; i < options->set_count; i++)
		each_of_set(options->sets[i].set, options->sets[i].values, fn, context);
	for (size_t i = 0; i < options->sections.upstream_count; i++)
		each_of_set(set, (const char *)options->sections.values + i * set->values_size, fn,
		    context);
}
