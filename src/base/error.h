/* SPDX-License-Identifier: MIT */
/*
 * Error: filling a caller's embed_error.
 *
 * Functions that can fail return a status; where a person should read why,
 * they take a `struct embed_error *` that may be NULL.  These helpers cope
 * with NULL and return the status, so that a failing function can end in
 *
 *	return error_set(error, EMBED_BAD_OPTION, "size must be above 0, not %zu", size);
 *
 * Threads: none shared; an error belongs to its caller.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <embed.h>

/* Everything unknown: no index, no offset, no text. */
void error_clear(struct embed_error *error);

/* Clears, then sets status and message (cut to fit at a character). */
enum embed_status error_set(struct embed_error *error, enum embed_status status, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Same, for text `index`, at byte `offset` of it (or EMBED_NO_INDEX). */
enum embed_status error_set_at(struct embed_error *error, enum embed_status status, size_t index,
    size_t offset, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Copies `from` when the caller asked for detail. */
enum embed_status error_copy(struct embed_error *error, const struct embed_error *from);

/*
 * EMBED_BAD_OPTION when a caller's struct has size 0: it was made without the
 * macro that sets it, and all that it says would be taken for not said.
 */
enum embed_status error_check_size(size_t size, const char *macro, struct embed_error *error);

#endif
