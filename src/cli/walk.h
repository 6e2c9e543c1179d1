/* SPDX-License-Identifier: MIT */
/*
 * Walk: the files that a list of paths stands for, folders included, in an order
 * that is the same each time (byte order of names; paths as given).
 *
 * In folders, hidden names, links, and files whose kind is not known are left
 * out (the last are counted); what is named itself is always in.
 */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include <embed.h>

#define WALK_MAX_FILES 20000000

struct walk_file {
	char *path;
	uint64_t bytes;
};

struct walk {
	struct walk_file *files;
	size_t count;
	size_t cap;
	uint64_t bytes;   /* of all of them */
	uint64_t skipped; /* of no known kind */
};

/* EMBED_BAD_OPTION when a path does not exist. */
enum embed_status walk_paths(
    struct walk *walk, const char *const *paths, size_t count, struct embed_error *error);
void walk_fini(struct walk *walk);

#endif
