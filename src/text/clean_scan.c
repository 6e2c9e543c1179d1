/* SPDX-License-Identifier: MIT */
/*
 * The scan that lets clean text pass at memory speed.  Written with vectors of
 * the compiler's own, which every target has; block by block, so that the
 * second look at a block finds it in the cache.
 */
#include <string.h>

#include "text/clean_stage.h"

#define BLOCK 8192

typedef int8_t vector __attribute__((vector_size(16)));

static inline vector load(const char *bytes)
{
	vector out;

	memcpy(&out, bytes, sizeof(out));
	return out;
}

static inline bool has_any(vector mask)
{
	uint64_t halves[2];

	memcpy(halves, &mask, sizeof(halves));
	return (halves[0] | halves[1]) != 0;
}

/* What is tested of 16 bytes; `next` and `after` are the bytes one and two further on. */
typedef vector test_fn(vector here, vector next, vector after);

/* Control characters but tab and LF, and all that is not ASCII (negative bytes). */
static inline vector is_odd(vector here, vector next, vector after)
{
	(void)next;
	(void)after;
	return ((here < 0x20) & (here != '\t') & (here != '\n')) | (here == 0x7f);
}

static inline vector is_folded(vector here, vector next, vector after)
{
	return (here == '\t') | ((here == ' ') & ((next == ' ') | (next == '\n'))) |
	       ((here == '\n') & (next == '\n') & (after == '\n'));
}

static inline vector is_hyphenated(vector here, vector next, vector after)
{
	(void)after;
	return ((here == '-') | (here == ' ') | (here == '\t')) & (next == '\n');
}

/* Both in one look: blanks before line ends are in the first already. */
static inline vector is_folded_or_hyphenated(vector here, vector next, vector after)
{
	return is_folded(here, next, after) | ((here == '-') & (next == '\n'));
}

static inline vector is_markup(vector here, vector next, vector after)
{
	(void)next;
	(void)after;
	return (here == '<') | (here == '&');
}

/* Does any of `len` bytes pass?  len + 2 bytes can be read; inlined with its test. */
static inline __attribute__((always_inline)) bool any_passes(
    const char *bytes, size_t len, test_fn *test)
{
	vector found = {0};
	size_t at = 0;

	for (; at + sizeof(vector) <= len; at += sizeof(vector))
		found |= test(load(bytes + at), load(bytes + at + 1), load(bytes + at + 2));
	if (at < len) {
		char rest[sizeof(vector) + 2] = "xxxxxxxxxxxxxxxxx";

		memcpy(rest, bytes + at, len - at + 2);
		found |= test(load(rest), load(rest + 1), load(rest + 2));
	}
	return has_any(found);
}

static bool block_is_untouched(const char *bytes, size_t len, uint32_t flags)
{
	if (any_passes(bytes, len, is_odd))
		return false;
	if (flags & EMBED_CLEAN_BLANKS && flags & EMBED_CLEAN_HYPHENATION) {
		if (any_passes(bytes, len, is_folded_or_hyphenated))
			return false;
	} else if (flags & EMBED_CLEAN_BLANKS) {
		if (any_passes(bytes, len, is_folded))
			return false;
	} else if (flags & EMBED_CLEAN_HYPHENATION) {
		if (any_passes(bytes, len, is_hyphenated))
			return false;
	}
	return !(flags & EMBED_CLEAN_HTML && any_passes(bytes, len, is_markup));
}

bool clean_is_untouched(const char *bytes, size_t len, uint32_t flags)
{
	char last[BLOCK + 4];
	size_t at = 0;

	for (; at + BLOCK + 2 <= len; at += BLOCK)
		if (!block_is_untouched(bytes + at, BLOCK, flags))
			return false;
	/* A blank at the text's end goes like one at a line's end: so a line end follows here. */
	if (at < len)
		memcpy(last, bytes + at, len - at);
	last[len - at] = len > 0 && bytes[len - 1] == '\n' ? 'x' : '\n';
	last[len - at + 1] = 'x';
	return block_is_untouched(last, len - at, flags);
}
