/* SPDX-License-Identifier: MIT */
/*
 * Base64: the standard alphabet with `=` padding, no line breaks (RFC 4648 4).
 *
 * Uses AVX2 where the machine has it, chosen at run time; both ways give the
 * same bytes, which the tests prove.  Threads: any.
 */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters for `len` bytes; len at most SIZE_MAX / 2. */
static inline size_t base64_encoded_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

/* Writes exactly base64_encoded_len(len) characters, no NUL; gives their count. */
size_t base64_encode(char *out, const void *bytes, size_t len);

/*
 * Strict: whole quads, padding only at the end, unused bits 0.  `out` has room
 * for len / 4 * 3 bytes.  False, with nothing promised about `out`, otherwise.
 */
bool base64_decode(void *out, size_t *out_len, const char *text, size_t len);

/*
 * For streams: decodes whole quads from the beginning of `text` while all four
 * characters are in the alphabet, at most `cap` bytes.  Gives the characters
 * used (a multiple of 4); the bytes written are 3/4 of that.
 */
size_t base64_decode_run(void *out, size_t cap, const char *text, size_t len);

/* The same by table only: for tests and benchmarks. */
size_t base64_encode_scalar(char *out, const void *bytes, size_t len);
size_t base64_decode_run_scalar(void *out, size_t cap, const char *text, size_t len);

#endif
