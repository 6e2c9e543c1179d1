/* SPDX-License-Identifier: MIT */
/*
 * Converter: runs one of the system's programs on a file and takes what it
 * prints.  The program gets no stdin, CONVERTER_DEADLINE_MS, and no more room
 * than the buffer's maximum.
 */
#ifndef CLI_CONVERTER_H
#define CLI_CONVERTER_H

#include "base/buffer.h"

#define CONVERTER_DEADLINE_MS 120000

/*
 * `words` is the program and its arguments, ended by NULL twice: the first
 * NULL is where the path goes.  EMBED_NOT_FOUND names `package` as what to
 * install; EMBED_BAD_FORMAT holds the first line of what it complained about.
 */
enum embed_status converter_run(const char *const *words, const char *package, const char *path,
    struct buffer *out, struct embed_error *error);

#endif
