/* SPDX-License-Identifier: MIT */
#include "app/option_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/* Longest name that "did you mean" looks at. */
#define NAME_MAX_LEN 63

struct suffix {
	const char *name;
	uint64_t factor;
};

static const struct suffix count_suffixes[] = {
    {"", 1}, {"k", 1000}, {"m", 1000000}, {"g", 1000000000}};

static const struct suffix byte_suffixes[] = {
    {"", 1},
    {"b", 1},
    {"k", 1024},
    {"kb", 1024},
    {"kib", 1024},
    {"m", 1u << 20},
    {"mb", 1u << 20},
    {"mib", 1u << 20},
    {"g", 1u << 30},
    {"gb", 1u << 30},
    {"gib", 1u << 30},
    {"t", (uint64_t)1 << 40},
    {"tb", (uint64_t)1 << 40},
    {"tib", (uint64_t)1 << 40},
};

static const struct suffix time_suffixes[] = {
    {"us", 1},
    {"ms", 1000},
    {"s", 1000000},
    {"m", 60000000},
    {"min", 60000000},
    {"h", 3600000000},
    {"d", 86400000000},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct suffix *find_suffix(
    const char *text, const struct suffix *suffixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(text, suffixes[i].name) == 0)
			return &suffixes[i];
	return NULL;
}

static bool parse_whole(
    const char *text, const struct suffix *suffixes, size_t count, uint64_t *out)
{
	const struct suffix *suffix;
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	suffix = find_suffix(end, suffixes, count);
	if (errno != 0 || suffix == NULL || number > UINT64_MAX / suffix->factor)
		return false;
	*out = number * suffix->factor;
	return true;
}

bool option_parse_count(const char *text, uint64_t *count)
{
	return parse_whole(text, count_suffixes, COUNT_OF(count_suffixes), count);
}

bool option_parse_bytes(const char *text, uint64_t *bytes)
{
	return parse_whole(text, byte_suffixes, COUNT_OF(byte_suffixes), bytes);
}

static bool parse_number(const char *text, double *out, const char **rest)
{
	char *end;
	double number;

	if ((*text < '0' || *text > '9') && *text != '.')
		return false;
	number = strtod(text, &end);
	if (end == text || !isfinite(number))
		return false;
	*out = number;
	*rest = end;
	return true;
}

bool option_parse_duration(const char *text, int64_t *us)
{
	const struct suffix *suffix;
	const char *rest;
	double number;

	if (strcmp(text, "0") == 0) {
		*us = 0;
		return true;
	}
	if (!parse_number(text, &number, &rest))
		return false;
	suffix = find_suffix(rest, time_suffixes, COUNT_OF(time_suffixes));
	if (suffix == NULL || number * (double)suffix->factor > 9e18)
		return false;
	*us = (int64_t)(number * (double)suffix->factor + 0.5);
	return true;
}

bool option_parse_dollars(const char *text, uint64_t *nano)
{
	uint64_t whole = 0, part = 0, scale = 1000000000;

	if (*text == '$')
		text++;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (whole > 1000000000)
			return false;
		whole = whole * 10 + (uint64_t)(*text - '0');
	}
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9' && scale > 1; text++) {
			scale /= 10;
			part += (uint64_t)(*text - '0') * scale;
		}
	if (*text != '\0')
		return false;
	*nano = whole * 1000000000 + part;
	return true;
}

static bool parse_flag(const char *text, bool *out)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	return false;
}

static bool parse_choice(const char *text, const char *choices, int *out)
{
	size_t len = strlen(text);

	for (int place = 0;; place++) {
		size_t width = strcspn(choices, "|");

		if (width == len && memcmp(choices, text, len) == 0) {
			*out = place;
			return true;
		}
		if (choices[width] == '\0')
			return false;
		choices += width + 1;
	}
}

static bool append_item(struct option_list *list, const char *item, size_t len, struct arena *arena)
{
	const char **items = arena_allocate(arena, (list->count + 1) * sizeof(*items));
	char *copy = arena_copy(arena, item, len);

	if (items == NULL || copy == NULL)
		return false;
	if (list->count > 0)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count] = copy;
	list->items = items;
	list->count++;
	return true;
}

static bool append_list(struct option_list *list, const char *text, struct arena *arena)
{
	while (true) {
		size_t width, len;

		text += strspn(text, " \t");
		width = len = strcspn(text, ",");
		while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
			len--;
		if (len > 0 && !append_item(list, text, len, arena))
			return false;
		if (text[width] == '\0')
			return true;
		text += width + 1;
	}
}

static const char *const expectations[] = {
    [OPTION_FLAG] = "say yes or no",
    [OPTION_COUNT] = "give a number such as 512 or 2k",
    [OPTION_NUMBER] = "give a number such as 0.25",
    [OPTION_BYTES] = "give a size such as 64M or 2GiB",
    [OPTION_DURATION] = "give a time with its unit, such as 20ms, 5s, 2m, 1h or 7d",
};

static enum embed_status refuse(
    const struct option_row *row, const char *text, const char *source, struct embed_error *error)
{
	if (row->kind == OPTION_CHOICE)
		return error_set(error, EMBED_BAD_OPTION, "%s: \"%.100s\" is not one of %s", source,
		    text, row->argument);
	return error_set(error, EMBED_BAD_OPTION, "%s: \"%.100s\" does not fit: %s", source, text,
	    expectations[row->kind]);
}

static enum embed_status store_text(
    const char **field, const char *text, struct arena *arena, struct embed_error *error)
{
	char *copy = arena_copy(arena, text, strlen(text));

	if (copy == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory while reading options");
	*field = *copy == '\0' ? NULL : copy;
	return EMBED_OK;
}

enum embed_status option_value_parse(const struct option_row *row, const char *text,
    const char *source, struct arena *arena, void *values, struct embed_error *error)
{
	void *field = (char *)values + row->offset;
	const char *rest = "";
	bool is_good = false;

	switch (row->kind) {
	case OPTION_TEXT:
	case OPTION_SECRET:
		return store_text(field, text, arena, error);
	case OPTION_LIST:
		if (!append_list(field, text, arena))
			return error_set(
			    error, EMBED_NO_MEMORY, "out of memory while reading options");
		return EMBED_OK;
	case OPTION_FLAG:
		is_good = parse_flag(text, field);
		break;
	case OPTION_COUNT:
		is_good = option_parse_count(text, field);
		break;
	case OPTION_NUMBER:
		is_good = parse_number(text, field, &rest) && *rest == '\0';
		break;
	case OPTION_BYTES:
		is_good = option_parse_bytes(text, field);
		break;
	case OPTION_DURATION:
		is_good = option_parse_duration(text, field);
		break;
	case OPTION_CHOICE:
		is_good = parse_choice(text, row->argument, field);
		break;
	}
	return is_good ? EMBED_OK : refuse(row, text, source, error);
}

void option_value_clear(const struct option_row *row, void *values)
{
	if (row->kind == OPTION_LIST)
		*(struct option_list *)((char *)values + row->offset) = (struct option_list){0};
}

/* Levenshtein distance of two names of at most NAME_MAX_LEN characters. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], a_len = strlen(a), b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *option_nearest(const char *name, const char *const *names, size_t count)
{
	size_t len = strlen(name), best = len / 3 + 2;
	const char *nearest = NULL;

	if (len > NAME_MAX_LEN || len < 2)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t far;

		if (strlen(names[i]) > NAME_MAX_LEN)
			continue;
		far = distance(name, names[i]);
		if (far < best || (strncmp(names[i], name, len) == 0 && nearest == NULL)) {
			best = far;
			nearest = names[i];
		}
	}
	return nearest;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_list(const struct option_list *a, const struct option_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

bool option_value_equals(const struct option_row *row, const void *a_, const void *b_)
{
	const void *a = (const char *)a_ + row->offset, *b = (const char *)b_ + row->offset;

	switch (row->kind) {
	case OPTION_TEXT:
	case OPTION_SECRET:
		return is_same_text(*(const char *const *)a, *(const char *const *)b);
	case OPTION_FLAG:
		return *(const bool *)a == *(const bool *)b;
	case OPTION_COUNT:
	case OPTION_BYTES:
		return *(const uint64_t *)a == *(const uint64_t *)b;
	case OPTION_NUMBER:
		return *(const double *)a == *(const double *)b;
	case OPTION_DURATION:
		return *(const int64_t *)a == *(const int64_t *)b;
	case OPTION_CHOICE:
		return *(const int *)a == *(const int *)b;
	case OPTION_LIST:
		return is_same_list(a, b);
	}
	return false;
}
