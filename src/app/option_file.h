/* SPDX-License-Identifier: MIT */
/*
 * Option file: the lines of a configuration file as (section, key, value, line).
 *
 *	# a comment
 *	model = text-embedding-3-large
 *	[rows]
 *	format = npy
 *	[upstream second]
 *	base_url = https://example.openai.azure.com
 *
 * Knows no options; app/options.c says which keys there are.  A line is at
 * most 190 characters long (inih's limit), a file at most OPTION_FILE_MAX_LINES.
 */
#ifndef APP_OPTION_FILE_H
#define APP_OPTION_FILE_H

#include "app/arena.h"
#include "app/options.h"

#define OPTION_FILE_MAX_LINES 10000

struct option_entry {
	const char *section; /* "" before the first; "upstream second" */
	const char *key;
	const char *value;
	int line;
};

struct option_file {
	const char *path; /* NULL: none was read */
	bool is_private;  /* only its owner may read it */
	struct option_entry *entries;
	size_t count;
};

/* EMBED_NOT_FOUND (no message) when there is no such file, EMBED_BAD_OPTION with the line. */
enum embed_status option_file_read(
    struct option_file *file, const char *path, struct arena *arena, struct embed_error *error);

/*
 * EMBED_BAD_OPTION when there is no such file, or not for us: a mistake that
 * would otherwise show much later.  NULL is fine.
 */
enum embed_status option_file_check_readable(
    const char *path, const char *source, struct embed_error *error);

/* The first line of a private file (mode 0600 or less, or a credential of systemd), without blanks around it. */
enum embed_status option_file_read_secret(const char **secret, const char *path, const char *source,
    struct arena *arena, struct embed_error *error);

#endif
