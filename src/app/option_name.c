/* SPDX-License-Identifier: MIT */
#include "app/option_name.h"

#include <ctype.h>
#include <string.h>

#include "app/option_value.h"

#define NEAREST_MAX 256

void option_name_flag(char name[OPTION_NAME_MAX], const struct option_row *row)
{
	snprintf(name, OPTION_NAME_MAX, "%s", row->field);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
}

void option_name_variable(
    char name[OPTION_NAME_MAX], const struct option_set *set, const struct option_row *row)
{
	snprintf(name, OPTION_NAME_MAX, "EMBED_%s%s%s", set->section,
	    *set->section == '\0' ? "" : "_", row->field);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

const char *option_name_sdk_variable(const struct option_set *set, const struct option_row *row)
{
	static const char *const pairs[][2] = {
	    {"api_key", "OPENAI_API_KEY"},
	    {"base_url", "OPENAI_BASE_URL"},
	    {"organization", "OPENAI_ORG_ID"},
	    {"project", "OPENAI_PROJECT_ID"},
	};

	if (*set->section != '\0')
		return NULL;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(row->field, pairs[i][0]) == 0)
			return pairs[i][1];
	return NULL;
}

static char folded(char c)
{
	return c == '-' ? '_' : c;
}

static bool matches(const char *field, const char *name, size_t len)
{
	if (strlen(field) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (folded(field[i]) != folded(name[i]))
			return false;
	return true;
}

bool option_name_is_same(const char *a, const char *b)
{
	return matches(a, b, strlen(b));
}

struct option_place option_name_find(const struct option_set *const *sets, size_t count,
    const char *section, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (section != NULL && strcmp(sets[i]->section, section) != 0)
			continue;
		for (size_t j = 0; j < sets[i]->count; j++)
			if (matches(sets[i]->rows[j].field, name, len))
				return (struct option_place){i, &sets[i]->rows[j]};
	}
	return (struct option_place){0, NULL};
}

struct option_place option_name_find_letter(
    const struct option_set *const *sets, size_t count, char letter)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sets[i]->count; j++)
			if (sets[i]->rows[j].letter == letter && letter != 0)
				return (struct option_place){i, &sets[i]->rows[j]};
	return (struct option_place){0, NULL};
}

const char *option_name_nearest(const struct option_set *const *sets, size_t count,
    const char *section, const char *name, bool want_secrets)
{
	const char *fields[NEAREST_MAX];
	char wanted[OPTION_NAME_MAX];
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (section != NULL && strcmp(sets[i]->section, section) != 0)
			continue;
		for (size_t j = 0; j < sets[i]->count && found < NEAREST_MAX; j++)
			if (want_secrets || sets[i]->rows[j].kind != OPTION_SECRET)
				fields[found++] = sets[i]->rows[j].field;
	}
	snprintf(wanted, sizeof(wanted), "%s", name);
	for (char *p = wanted; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return option_nearest(wanted, fields, found);
}

const char *option_name_value(char **environment, const char *name)
{
	size_t len = strlen(name);

	for (char **entry = environment; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=' &&
		    (*entry)[len + 1] != '\0')
			return *entry + len + 1;
	return NULL;
}
