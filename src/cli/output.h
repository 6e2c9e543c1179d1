/* SPDX-License-Identifier: MIT */
/*
 * Output: bytes to stdout, or to a file that is complete or absent.
 *
 * A file is written beside its place as NAME.partial and renamed when all is
 * in it and on the disk.  An interrupted run leaves NAME.partial; the next one
 * starts it afresh (what was paid for comes out of the store) and the result
 * does not depend on how often it was interrupted.  Two runs to one name at
 * the same time: the second is refused.  A path that is no regular file
 * (/dev/null, a named pipe) is written to directly.
 *
 * Threads: none; one owner.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buffer.h"

struct output {
	int fd;
	char *path;    /* NULL: stdout */
	char *partial; /* what is written meanwhile */
	struct buffer pending;
	uint64_t written_bytes; /* handed to the system */
	uint64_t settled_bytes; /* of these, on their way to the disk */
	bool is_owned;          /* `fd` is closed at the end */
	bool is_broken;         /* the reader of stdout went away */
};

/* `path` NULL or "-": stdout. */
enum embed_status output_open(struct output *output, const char *path, struct embed_error *error);

/* Where to append; call output_check now and then. */
static inline struct buffer *output_buffer(struct output *output)
{
	return &output->pending;
}

/* Writes out when enough is there.  EMBED_IO; a closed pipe is EMBED_CLOSED. */
enum embed_status output_check(struct output *output, struct embed_error *error);
enum embed_status output_flush(struct output *output, struct embed_error *error);

/* Overwrites bytes near the beginning of what was written; not on a pipe. */
enum embed_status output_patch(struct output *output, uint64_t offset, const void *bytes,
    size_t len, struct embed_error *error);

/* Whether output_patch can work. */
bool output_can_patch(const struct output *output);

/* Flushes, syncs, renames.  The output is closed in any case. */
enum embed_status output_commit(struct output *output, struct embed_error *error);

/* Flushes what it can and closes; the partial file stays. */
void output_abandon(struct output *output);

#endif
