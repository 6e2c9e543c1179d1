/* SPDX-License-Identifier: MIT */
/*
 * Split by blocks: piece starts among 64 bytes, by bit algebra.
 *
 * Bit i of a mask stands for byte i of the block.  Every block starts at a
 * piece's start, where the patterns know nothing of what came before, so
 * there is no carry between blocks: of what a block shows, the starts that
 * later bytes cannot change are taken, and the next block begins at the last
 * of them.  Characters beyond ASCII are classified one by one and stand with
 * all their bytes; those among them that are numbers or blanks, or ill-formed,
 * end a block early and are left to the walker.
 *
 * Included by one source file for each instruction set, which supplies the
 * classification.
 */
#ifndef TOKENS_SPLIT_BLOCK_H
#define TOKENS_SPLIT_BLOCK_H

#include "tokens/split_class.h"

#define BLOCK_BYTES 64

struct block_masks {
	uint64_t letter, upper, digit;
	uint64_t blank, newline, space; /* \s; CR, LF; U+0020 alone */
	uint64_t apostrophe, slash;
	uint64_t high;         /* not ASCII */
	uint64_t continuation; /* 80 to BF */
};

/* What is known of the characters beyond ASCII: their bytes. */
struct wide_masks {
	uint64_t letter; /* in o200k's words: marks, too */
	uint64_t upper;  /* o200k: only what may start a word */
	uint64_t both;   /* o200k: what may start a word and end one */
	uint64_t mark;   /* o200k: no letter, but in its words */
	uint64_t known;
	uint64_t seams; /* first bytes that nothing before is merged with */
};

/* With the class of a character: a seam before it.  No character here is the end. */
#define WIDE_SEAM CLASS_END

/* Classes of the characters beyond ASCII, for each of their bytes; more is written behind each. */
struct wide_classes {
	_Alignas(64) uint8_t of[BLOCK_BYTES + 4];
	uint64_t known; /* bytes of the characters */
};

/* Classifies them up to the first that is left to the walker. */
static inline __attribute__((always_inline)) void wide_classify(struct wide_classes *wide,
    const struct block_masks *m, const uint8_t *block, const uint64_t *spans)
{
	uint64_t leads = m->high & ~m->continuation;

	wide->known = 0;
	for (; leads != 0; leads &= leads - 1) {
		unsigned int at = (unsigned int)__builtin_ctzll(leads), width;
		unsigned int class = split_wide_class(block, BLOCK_BYTES, at, &width);
		uint64_t span;
		uint32_t all;

		if (class & (CLASS_NUMBER | CLASS_BLANK | CLASS_ILL))
			break;
		wide->known |= ((UINT64_C(1) << width) - 1) << at;
		span = spans[tables_span_row(block + at, width)] >> (block[at - (at > 0)] & 0x3F);
		all = (class | (~(unsigned int)span & 1) * WIDE_SEAM) * 0x01010101u;
		memcpy(wide->of + at, &all, sizeof(all));
	}
}

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

/* U+017F, which counts as an s, begins with it; the walker looks. */
#define LONG_S_LEAD 0xC5

/* (?i:'s|'t|'re|'ve|'m|'ll|'d) at `at`, three bytes of which are there; its length or 0. */
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

		if (at + 3 >= known || block[at + 1] == LONG_S_LEAD) {
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

		if (at + 3 >= known || block[at + 1] == LONG_S_LEAD) {
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

/*
 * The last bytes of symbols that stand alone: such a one goes to the letters
 * after it.  `starts` are the first bytes of runs of them.
 */
static inline __attribute__((always_inline)) uint64_t lone_symbols(
    uint64_t symbol, uint64_t starts, uint64_t continuation)
{
	for (int i = 1; i < 4; i++) /* the whole first character */
		starts |= starts << 1 & continuation;
	return starts & ~(symbol >> 1);
}

/*
 * o200k: what depends on more than two characters is left to the walker.  A
 * capital after a letter without case starts a piece or not, by what comes
 * after it; a mark that follows no letter may be a symbol.
 */
static inline __attribute__((always_inline)) uint64_t uncertain_words(
    const struct block_masks *m, const struct wide_masks *wide)
{
	uint64_t unsure = (m->upper & wide->both << 1) | (wide->mark & ~(m->letter << 1));

	return unsure == 0 ? UINT64_MAX : (unsure & -unsure) - 1;
}

/* Piece starts after the first in the block that are certain; 0: the scalar path must go on. */
static inline __attribute__((always_inline)) uint64_t block_starts(
    const struct block_masks *m, const struct wide_masks *wide, const uint8_t *block, bool is_cased)
{
	uint64_t unknown = m->high & ~wide->known;
	unsigned int known = unknown == 0 ? 64 : (unsigned int)__builtin_ctzll(unknown);
	uint64_t certain = below(known) >> 1; /* most decisions need the next byte */
	uint64_t inner_blank = m->blank & ~m->newline;
	uint64_t symbol = ~(m->letter | m->digit | m->blank | unknown);
	uint64_t symbol_start = symbol & ~(symbol << 1) & ~(m->space << 1);
	uint64_t lone_symbol = lone_symbols(symbol, symbol_start, m->continuation);
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
		certain &= uncertain_words(m, wide);
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

/* Puts out the ends of the pieces that end in the block, and returns how many; *at becomes the start of what is left. */
static inline __attribute__((always_inline)) size_t split_block(const struct split_text *text,
    const struct block_masks *m, const struct wide_masks *wide, bool is_cased, size_t *at,
    size_t *ends)
{
	uint64_t starts = block_starts(m, wide, text->bytes + *at, is_cased), seams = 0;
	size_t count;

	if (starts == 0)
		return 0;
	if (m->high != 0 && text->at_seams)
		seams = wide->seams & (UINT64_MAX >> 1 >> __builtin_clzll(starts));
	count = put_ends(starts | seams, *at, ends);
	*at += 63 - (size_t)__builtin_clzll(starts);
	return count;
}

/* Adds what is not ASCII to the masks; class_mask gives the bytes whose class has a bit. */
#define ADD_WIDE(class_mask, is_cased, m, wide, block, spans)                                      \
	do {                                                                                       \
		struct wide_classes classes = {0};                                                 \
		uint64_t lower;                                                                    \
                                                                                                   \
		wide_classify(&classes, m, block, spans);                                          \
		(wide)->known = classes.known;                                                     \
		(wide)->letter = class_mask(classes.of, CLASS_LETTER) & (wide)->known;             \
		(wide)->seams = class_mask(classes.of, WIDE_SEAM) & (wide)->known &                \
				~(m)->continuation & (m)->high << 1;                               \
		if (is_cased) {                                                                    \
			(wide)->upper = class_mask(classes.of, CLASS_UPPER) & (wide)->known;       \
			lower = class_mask(classes.of, CLASS_LOWER) & (wide)->known;               \
			(wide)->both = (wide)->upper & lower;                                      \
			(wide)->mark = ((wide)->upper | lower) & ~(wide)->letter;                  \
			(wide)->letter = (wide)->upper | lower;                                    \
			(m)->upper |= (wide)->upper & ~lower;                                      \
		}                                                                                  \
		(m)->letter |= (wide)->letter;                                                     \
	} while (0)

/* The body of a split_fn; `ends` has room for SPLIT_SLACK more than cap. */
#define SPLIT_BY_BLOCKS(classify, class_mask, is_cased)                                            \
	do {                                                                                       \
		size_t count = 0;                                                                  \
                                                                                                   \
		while (count < cap && at < text->len) {                                            \
			struct block_masks masks;                                                  \
			size_t done = 0;                                                           \
                                                                                                   \
			if (text->len - at >= BLOCK_BYTES) {                                       \
				struct wide_masks wide = {0};                                      \
                                                                                                   \
				classify(text->bytes + at, &masks);                                \
				if (masks.high != 0)                                               \
					ADD_WIDE(class_mask, is_cased, &masks, &wide,              \
					    text->bytes + at, text->encoding->spans);              \
				done =                                                             \
				    split_block(text, &masks, &wide, is_cased, &at, ends + count); \
			}                                                                          \
			if (done == 0)                                                             \
				done = split_walk(text, &at, ends + count, is_ill_formed);         \
			count += done;                                                             \
		}                                                                                  \
		return count;                                                                      \
	} while (0)

#endif
