/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app/option_load.h"
#include "app/option_value.h"

static void compare_set(const struct option_set *set, const char *prefix, const void *before,
    const void *after, options_change_fn *fn, void *context)
{
	char name[OPTION_NAME_MAX + 128];

	for (size_t i = 0; i < set->count; i++) {
		const struct option_row *row = &set->rows[i];

		if (option_value_equals(row, before, after))
			continue;
		snprintf(name, sizeof(name), "%.100s%s%s", prefix, *prefix != '\0' ? " " : "",
		    row->field);
		fn(name, row->change, context);
	}
}

static const void *section_values(const struct upstream_sections *sections, size_t index)
{
	return (const char *)sections->values + index * upstream_section_set.values_size;
}

static bool is_same_prices(
    const struct upstream_sections *before, const struct upstream_sections *after)
{
	if (before->price_count != after->price_count)
		return false;
	for (size_t i = 0; i < before->price_count; i++)
		if (strcmp(before->prices[i].model, after->prices[i].model) != 0 ||
		    before->prices[i].nano_per_token != after->prices[i].nano_per_token)
			return false;
	return true;
}

static void compare_sections(const struct upstream_sections *before,
    const struct upstream_sections *after, options_change_fn *fn, void *context)
{
	char prefix[128];

	if (!is_same_prices(before, after))
		fn("[prices]", OPTION_RELOAD, context);
	for (size_t i = 0; i < before->upstream_count || i < after->upstream_count; i++) {
		const struct upstream_sections *longer =
		    i < before->upstream_count ? before : after;

		snprintf(prefix, sizeof(prefix), "[upstream %.100s]", longer->upstreams[i].name);
		if (i >= before->upstream_count || i >= after->upstream_count ||
		    strcmp(before->upstreams[i].name, after->upstreams[i].name) != 0)
			fn(prefix, OPTION_START, context);
		else
			compare_set(&upstream_section_set, prefix, section_values(before, i),
			    section_values(after, i), fn, context);
	}
}

void options_compare(
    const struct options *before, const struct options *after, options_change_fn *fn, void *context)
{
	for (size_t i = 0; i < before->set_count; i++) {
		const struct option_set *set = before->sets[i].set;

		compare_set(
		    set, "", before->sets[i].values, options_values(after, set), fn, context);
	}
	compare_sections(&before->sections, &after->sections, fn, context);
}
