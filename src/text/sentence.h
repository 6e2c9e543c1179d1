/* SPDX-License-Identifier: MIT */
/*
 * Sentence: what UAX 29's rules alone get wrong for cutting real texts.  Help
 * for boundary.c; offsets are into the same well- or ill-formed UTF-8 bytes.
 */
#ifndef TEXT_SENTENCE_H
#define TEXT_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Is `found`, which the rules take for the end of the sentence that began at
 * `start`, inside one: after an abbreviation, an initial or a number's stop,
 * at the end of a line that was only wrapped, or between a Japanese quote and
 * the particle that says it was one?
 */
bool sentence_goes_on(const char *bytes, size_t len, size_t start, size_t found);

/* The rules take an opening bracket or quote right after a stop along; it belongs to what follows.  `start`: there is nothing else. */
size_t sentence_without_opening(const char *bytes, size_t start, size_t found);

/* First place in (start, end) after a blank between Thai letters; 0: none. */
size_t sentence_thai_clause(const char *bytes, size_t start, size_t end);

/* Where to cut [start, end) when no sentence ends in it: after its last blank, else `end`. */
size_t sentence_forced_end(const char *bytes, size_t start, size_t end);

#endif
