/* SPDX-License-Identifier: MIT */
/*
 * Key line: one line of the keys' file, "attribute=value" pairs, in and out.
 * What is written is read again; see keys.h for the file.
 *
 * Threads: none; pure.
 */
#ifndef GATEWAY_KEY_LINE_H
#define GATEWAY_KEY_LINE_H

#include "base/buffer.h"
#include "gateway/keys.h"

/* Changes `line`.  EMBED_BAD_FORMAT names the path, the line and what could not be read. */
enum embed_status key_line_read(
    struct key *key, char *line, const char *path, size_t number, struct embed_error *error);

/* Appends the line with its newline; what has its default is left out. */
void key_line_write(const struct key *key, struct buffer *out);

#endif
