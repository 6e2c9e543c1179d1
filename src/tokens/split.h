/* SPDX-License-Identifier: MIT */
/*
 * Split: cuts a text into pieces as the encoding's pattern does.
 *
 * The patterns never look behind, so a scan can start at any piece's end.
 * They do look ahead: the last pieces of a text depend on its end.
 *
 * split_scalar is the definition; the other paths give the same ends.
 */
#ifndef TOKENS_SPLIT_H
#define TOKENS_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tokens_encoding;

/*
 * A text to cut.  With at_seams, pieces of up to SPLIT_SEAM_BYTES are cut into parts as well,
 * each of which encodes by itself as it does in the piece (see
 * split_at_seams); a scan must not start at a part's end.
 */
#define SPLIT_SEAM_BYTES     256
#define SPLIT_SEAMLESS_BYTES 3 /* no room for two characters beyond ASCII */

struct split_text {
	const struct tokens_encoding *encoding;
	const uint8_t *bytes;
	size_t len;
	bool at_seams;
};

/*
 * Writes the ends of about `cap` pieces from `at` on, up to SPLIT_SLACK more,
 * and returns how many; 0 only when at == len.  The last is a piece's end,
 * not that of a part.  *is_ill_formed is set
 * (never cleared) when a piece holds bytes that are not well-formed UTF-8.
 * `ends` has room for cap + SPLIT_SLACK.
 */
#define SPLIT_SLACK (SPLIT_SEAM_BYTES / 2 + 8)

typedef size_t split_fn(
    const struct split_text *text, size_t at, size_t *ends, size_t cap, bool *is_ill_formed);

split_fn split_scalar;

#if defined(__x86_64__)
split_fn split_avx2;   /* needs AVX2, BMI2 */
split_fn split_avx512; /* needs AVX-512 BW, BMI2 */
#endif

/* The fastest that this processor can run. */
split_fn *split_best(void);

/* End of the one piece that starts at `at`, which is below `len`. */
size_t split_piece(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    size_t at, bool *is_ill_formed);

/* The same for the one piece, with its parts, that starts at *at, which is moved to its end. */
size_t split_walk(const struct split_text *text, size_t *at, size_t *ends, bool *is_ill_formed);

/*
 * A seam lies between two characters beyond ASCII where no token holds the end
 * of the one and the beginning of the other: nothing is ever merged across it.
 * The parts between seams are short and come again and again, where long pieces
 * do not: Chinese has few tokens of several characters.
 *
 * Writes the ends of the parts of the well-formed piece bytes[start, end), `end`
 * among them, and returns how many.
 */
size_t split_at_seams(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t start,
    size_t end, size_t *ends);

/* Not a code point's class: past the end; bytes that are not well-formed (and count as U+FFFD). */
#define CLASS_END 64
#define CLASS_ILL 128

/*
 * Class bits of the character at `at`, and how many bytes it has: for an
 * ill-formed part those that become one U+FFFD, 0 at the end of the text.
 */
unsigned int split_class(const uint8_t *bytes, size_t len, size_t at, unsigned int *width);

#endif
