/* SPDX-License-Identifier: MIT */
/*
 * CSV: splits one record into fields (RFC 4180) and quotes fields for output.  Pure.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "cli/item.h"

#define CSV_MAX_FIELDS 4096

/*
 * Appends the fields, unquoted, to `buffer` and their places to `fields`.
 * NULL when all is well, else what is wrong.
 */
const char *csv_split(const char *record, size_t len, char separator, struct buffer *buffer,
    struct span fields[CSV_MAX_FIELDS], size_t *count);

/* A field, with quotes where it needs them. */
void csv_append(struct buffer *out, const char *bytes, size_t len);

#endif
