/* SPDX-License-Identifier: MIT */
/*
 * Option names: the flag, variable and file key that belong to a row, and
 * finding a row by one of them.  Pure.
 */
#ifndef APP_OPTION_NAME_H
#define APP_OPTION_NAME_H

#include "app/options.h"

#define OPTION_NAME_MAX 96

/* "max-in-flight" */
void option_name_flag(char name[OPTION_NAME_MAX], const struct option_row *row);
/* "EMBED_MAX_IN_FLIGHT", "EMBED_SERVE_LISTEN" */
void option_name_variable(
    char name[OPTION_NAME_MAX], const struct option_set *set, const struct option_row *row);
/* The variable that OpenAI's own SDKs read for it, or NULL. */
const char *option_name_sdk_variable(const struct option_set *set, const struct option_row *row);

/* A row among sets, and its place in them. */
struct option_place {
	size_t set;
	const struct option_row *row; /* NULL: not found */
};

/* By field name ('-' counts as '_') of sets in `section`, or of any section when that is NULL. */
struct option_place option_name_find(const struct option_set *const *sets, size_t count,
    const char *section, const char *name, size_t len);
struct option_place option_name_find_letter(
    const struct option_set *const *sets, size_t count, char letter);

/* The field nearest to `name` in the sets of `section` (NULL: of any), or NULL. */
const char *option_name_nearest(const struct option_set *const *sets, size_t count,
    const char *section, const char *name, bool want_secrets);

/* Two spellings of a key: '-' counts as '_'. */
bool option_name_is_same(const char *a, const char *b);

/* What a variable holds; NULL: not set, or empty. */
const char *option_name_value(char **environment, const char *name);

#endif
