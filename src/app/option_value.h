/* SPDX-License-Identifier: MIT */
/*
 * Option values: text to typed field, one kind at a time.  Pure.
 */
#ifndef APP_OPTION_VALUE_H
#define APP_OPTION_VALUE_H

#include "app/arena.h"
#include "app/options.h"

/*
 * Parses `text` for `row` into `values` (the struct that the row belongs to).
 * Strings are copied into the arena.  A LIST is appended to.  `source` begins
 * the message of EMBED_BAD_OPTION.
 */
enum embed_status option_value_parse(const struct option_row *row, const char *text,
    const char *source, struct arena *arena, void *values, struct embed_error *error);

/* Whether the field holds the same in both. */
bool option_value_equals(const struct option_row *row, const void *a, const void *b);

/* Empties the field, so that a LIST from a weaker source does not mix with this one. */
void option_value_clear(const struct option_row *row, void *values);

/* "1k" 1000, "2M" 2000000; false when it is not a count. */
bool option_parse_count(const char *text, uint64_t *count);
/* "64M", "1GiB" in steps of 1024. */
bool option_parse_bytes(const char *text, uint64_t *bytes);
/* "20ms", "1.5h", "7d", "0". */
bool option_parse_duration(const char *text, int64_t *us);
/* Dollars with up to nine decimals, as nano-dollars: "0.02" is 20000000. */
bool option_parse_dollars(const char *text, uint64_t *nano);

/* Which of `count` names is nearest to `name`, or NULL when none is near. */
const char *option_nearest(const char *name, const char *const *names, size_t count);

#endif
