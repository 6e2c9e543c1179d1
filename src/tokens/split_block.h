/* SPDX-License-Identifier: MIT */
/*
 * Split by blocks: piece starts among 64 characters of ASCII, by bit algebra.
 *
 * Bit i of a mask stands for byte i of the block.  Every block starts at a
 * piece's start, where the patterns know nothing of what came before, so
 * there is no carry between blocks: of what a block shows, the starts that
 * later bytes cannot change are taken, and the next block begins at the last
 * of them.  All that is not ASCII ends a block early and is left to the
 * scalar path.
 *
 * Included by one source file for each instruction set, which supplies the
 * classification.
 */
#ifndef TOKENS_SPLIT_BLOCK_H
#define TOKENS_SPLIT_BLOCK_H

#include "tokens/split.h"
#include "tokens/vocabulary.h"

#define BLOCK_BYTES 64

struct block_masks {
	uint64_t letter, upper, digit;
	uint64_t blank, newline, space; /* \s; CR, LF; U+0020 alone */
	uint64_t apostrophe, slash;
	uint64_t high; /* not ASCII */
};

/* Bits below `bit`, which is at most 64. */
static inline __attribute__((always_inline)) uint64_t below(unsigned int bit)
{
	return bit >= 64 ? UINT64_MAX : (UINT64_C(1) << bit) - 1;
}

/* Ends (exclusive) of the runs of `run` that start at a bit of `starts`. */
static inline __attribute__((always_inline)) uint64_t run_ends(uint64_t run, uint64_t starts)
{
	return (run + (run & starts)) & ~run;
}

/* Every third digit of a run starts a piece. */
static inline __attribute__((always_inline)) uint64_t digit_starts(uint64_t digit)
{
	uint64_t starts = digit & ~(digit << 1), at = starts;
	uint64_t fourth = digit & digit << 1 & digit << 2 & digit << 3;

	while ((at = at << 3 & fourth) != 0)
		starts |= at;
	return starts;
}

/*
 * Starts of runs of blanks that are not newlines.  A run between newlines
 * belongs to the piece before, unless those newlines follow symbols, which
 * took them.
 */
static inline __attribute__((always_inline)) uint64_t blank_starts(
    uint64_t blank, uint64_t newline, uint64_t symbol_newline_ends)
{
	uint64_t after_newline = newline << 1 & blank;
	uint64_t between = run_ends(blank, after_newline) & newline;
	uint64_t starts = blank & ~(blank << 1);

	for (; between != 0; between &= between - 1) {
		uint64_t candidates = after_newline & ((between & -between) - 1) & starts;
		uint64_t last = UINT64_C(1) << (63 - __builtin_clzll(candidates));

		starts &= ~(last & ~symbol_newline_ends);
		after_newline &= ~((between & -between) - 1);
	}
	return starts;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d) at `at`, three bytes of which are there and ASCII; its length or 0. */
static inline __attribute__((always_inline)) unsigned int block_contraction(const uint8_t *at)
{
	uint8_t first = at[1] | 0x20, second = at[2] | 0x20;

	if (first == 's' || first == 't' || first == 'm' || first == 'd')
		return 2;
	if (((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l'))
		return 3;
	return 0;
}

/*
 * cl100k: an apostrophe that starts a piece may start a contraction, after
 * which letters start anew.  Adds those starts; what lies too near the block's
 * end is taken out of *certain.
 */
static inline __attribute__((always_inline)) uint64_t contraction_starts(const uint8_t *block,
    uint64_t candidates, uint64_t letter, unsigned int known, uint64_t *certain)
{
	uint64_t starts = 0;

	for (; candidates != 0; candidates &= candidates - 1) {
		unsigned int at = (unsigned int)__builtin_ctzll(candidates), len;

		if (at + 3 >= known) {
			*certain &= below(at + 1);
			break;
		}
		len = block_contraction(block + at);
		if (len != 0)
			starts |= letter & UINT64_C(1) << (at + len);
	}
	return starts;
}

/* o200k: a contraction belongs to the word before it, and ends the piece. */
static inline __attribute__((always_inline)) uint64_t join_contractions(const uint8_t *block,
    uint64_t starts, uint64_t candidates, uint64_t letter, unsigned int known, uint64_t *certain)
{
	unsigned int end = 0;

	for (; candidates != 0; candidates &= candidates - 1) {
		unsigned int at = (unsigned int)__builtin_ctzll(candidates), len;

		if (at + 3 >= known) {
			*certain &= below(at);
			break;
		}
		len = at == end ? 0 : block_contraction(block + at);
		if (len == 0)
			continue;
		end = at + len;
		starts &= ~(below(end) & ~below(at));
		starts |= letter & UINT64_C(1) << end;
	}
	return starts;
}

/* Piece starts after the first in the block that are certain; 0: the scalar path must go on. */
static inline __attribute__((always_inline)) uint64_t block_starts(
    const struct block_masks *m, const uint8_t *block, bool is_cased)
{
	unsigned int known = m->high == 0 ? 64 : (unsigned int)__builtin_ctzll(m->high);
	uint64_t certain = below(known) >> 1; /* most decisions need the next byte */
	uint64_t inner_blank = m->blank & ~m->newline;
	uint64_t symbol = ~(m->letter | m->digit | m->blank | m->high);
	uint64_t symbol_start = symbol & ~(symbol << 1) & ~(m->space << 1);
	uint64_t lone_symbol = symbol_start & ~(symbol >> 1);
	uint64_t symbol_newline_ends = run_ends(m->newline, symbol << 1);
	uint64_t gap = ~inner_blank & below(known);
	uint64_t starts;

	starts = m->letter & ~(m->letter << 1) & ~((inner_blank | lone_symbol) << 1);
	starts |= digit_starts(m->digit);
	starts |= symbol_start;
	starts |= inner_blank & ~(m->blank >> 1);
	starts |= m->newline & ~(m->newline << 1) & ~((symbol | inner_blank) << 1);
	starts |= blank_starts(inner_blank, m->newline, symbol_newline_ends);
	if (known == 0)
		return 0;
	/* Blanks after a newline that reach the end may still turn out to lie between newlines. */
	if (inner_blank >> (known - 1) & 1) {
		unsigned int start = gap == 0 ? 0 : 64 - (unsigned int)__builtin_clzll(gap);

		if (m->newline << 1 >> start & 1)
			certain &= below(start);
	}
	if (is_cased) {
		uint64_t slash = symbol_newline_ends & m->slash;

		starts |= m->upper & (m->letter & ~m->upper) << 1;
		starts = join_contractions(block, starts,
		    m->apostrophe & m->letter << 1 & m->letter >> 1, m->letter, known, &certain);
		if (slash != 0) /* [\r\n/]* goes on */
			certain &= (slash & -slash) - 1;
	} else {
		starts |= contraction_starts(block, m->apostrophe & lone_symbol & m->letter >> 1,
		    m->letter, known, &certain);
	}
	return starts & certain & ~UINT64_C(1);
}

/* Writes the positions of the bits, eight at a time, so that few branches depend on them. */
static inline __attribute__((always_inline)) size_t put_ends(
    uint64_t starts, size_t at, size_t *ends)
{
	size_t count = (size_t)__builtin_popcountll(starts);

	for (size_t done = 0; done < count; done += 8)
		for (size_t i = done; i < done + 8; i++) {
			ends[i] = at + (starts == 0 ? 0 : (size_t)__builtin_ctzll(starts));
			starts &= starts - 1;
		}
	return count;
}

/* The body of a split_fn; `ends` has room for SPLIT_SLACK more than cap. */
#define SPLIT_BY_BLOCKS(classify, is_cased)                                                        \
	do {                                                                                       \
		const uint8_t *bytes = text->bytes;                                                \
		size_t count = 0;                                                                  \
                                                                                                   \
		while (count < cap && at < text->len) {                                            \
			struct block_masks masks;                                                  \
			uint64_t starts = 0;                                                       \
                                                                                                   \
			if (text->len - at >= BLOCK_BYTES && bytes[at] < 0x80 &&                   \
			    bytes[at + 1] < 0x80) {                                                \
				classify(bytes + at, &masks);                                      \
				starts = block_starts(&masks, bytes + at, is_cased);               \
			}                                                                          \
			if (starts == 0) {                                                         \
				count += split_walk(text, &at, ends + count, is_ill_formed);       \
				continue;                                                          \
			}                                                                          \
			count += put_ends(starts, at, ends + count);                               \
			at += 63 - (size_t)__builtin_clzll(starts);                                \
		}                                                                                  \
		return count;                                                                      \
	} while (0)

#endif
