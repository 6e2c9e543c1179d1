/* SPDX-License-Identifier: MIT */
#include "tokens/split_class.h"

/* A character that starts no other alternative: neither letter, number nor blank. */
#define CLASS_WORDY (CLASS_LETTER | CLASS_NUMBER | CLASS_BLANK | CLASS_END)

/* Lead bytes: how many bytes follow, and the range of the first of them (Unicode 16, table 3-7). */
static unsigned int following(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	*high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 1;
	if ((lead & 0xF0) == 0xE0)
		return 2;
	return lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
}

unsigned int split_rare_class(const uint8_t *bytes, size_t len, size_t at, unsigned int *width)
{
	uint8_t low, high;
	unsigned int wanted = following(bytes[at], &low, &high), got = 0;
	uint32_t code_point = wanted == 0 ? 0 : bytes[at] & (0x3Fu >> wanted);

	while (got < wanted && at + got + 1 < len) {
		uint8_t byte = bytes[at + got + 1];

		if (byte < low || byte > high)
			break;
		low = 0x80;
		high = 0xBF;
		code_point = code_point << 6 | (byte & 0x3Fu);
		got++;
	}
	*width = got + 1;
	if (wanted == 0 || got < wanted)
		return CLASS_ILL;
	return split_class_of(code_point);
}

static inline unsigned int class_at(
    const uint8_t *bytes, size_t len, size_t at, unsigned int *width)
{
	if (at >= len) {
		*width = 0;
		return CLASS_END;
	}
	if (bytes[at] < 0x80) {
		*width = 1;
		return tokens_class_blocks[tokens_class_index[0] * 256 + bytes[at]];
	}
	return split_wide_class(bytes, len, at, width);
}

unsigned int split_class(const uint8_t *bytes, size_t len, size_t at, unsigned int *width)
{
	return class_at(bytes, len, at, width);
}

/* After all characters from `at` on that have one of these classes. */
static size_t skip_class(const uint8_t *bytes, size_t len, size_t at, unsigned int classes)
{
	unsigned int width;

	while (class_at(bytes, len, at, &width) & classes)
		at += width;
	return at;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d): its length at `at`, or 0.  (?i:s) takes U+017F too. */
static size_t contraction(const uint8_t *bytes, size_t len, size_t at)
{
	uint8_t first, second;

	if (len - at < 2 || bytes[at] != '\'')
		return 0;
	first = bytes[at + 1] | 0x20;
	second = len - at > 2 ? bytes[at + 2] | 0x20 : 0;
	if (bytes[at + 1] < 0x80 && (first == 's' || first == 't' || first == 'm' || first == 'd'))
		return 2;
	if (len - at < 3)
		return 0;
	if (bytes[at + 1] == 0xC5 && bytes[at + 2] == 0xBF)
		return 3;
	if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
	    (first == 'l' && second == 'l'))
		return bytes[at + 1] < 0x80 && bytes[at + 2] < 0x80 ? 3 : 0;
	return 0;
}

/* \p{N}{1,3}, the first of which ends at `at`. */
static size_t digits(const uint8_t *bytes, size_t len, size_t at)
{
	unsigned int width;

	for (int i = 1; i < 3 && class_at(bytes, len, at, &width) & CLASS_NUMBER; i++)
		at += width;
	return at;
}

/* [^\s\p{L}\p{N}]+[\r\n]*, or [\r\n/]* with `has_slash`. */
static size_t symbols(
    const uint8_t *bytes, size_t len, size_t at, bool has_slash, bool *is_ill_formed)
{
	unsigned int width, class;

	while (!((class = class_at(bytes, len, at, &width)) & CLASS_WORDY)) {
		*is_ill_formed |= class == CLASS_ILL;
		at += width;
	}
	while (
	    at < len && (bytes[at] == '\r' || bytes[at] == '\n' || (has_slash && bytes[at] == '/')))
		at++;
	return at;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t blanks(const uint8_t *bytes, size_t len, size_t at)
{
	size_t start = at, last = at, after_newline = at;
	unsigned int width, class;

	while ((class = class_at(bytes, len, at, &width)) & CLASS_BLANK) {
		last = at;
		at += width;
		if (class & CLASS_NEWLINE)
			after_newline = at;
	}
	if (after_newline > start)
		return after_newline;
	/* The last blank goes to what follows, if something does and others stay. */
	return at == len || last == start ? at : last;
}

/*
 * o200k's words without the optional first character:
 * [\p{Lu}...]*[\p{Ll}...]+ and, if `is_upper` allows, [\p{Lu}...]+[\p{Ll}...]*.
 * Returns `at` when there is none.
 */
static size_t cased_word(const uint8_t *bytes, size_t len, size_t at, bool is_upper)
{
	size_t start = at, after_both = at, end;
	unsigned int width, class;

	while ((class = class_at(bytes, len, at, &width)) & CLASS_UPPER) {
		at += width;
		if (class & CLASS_LOWER)
			after_both = at;
	}
	end = skip_class(bytes, len, at, CLASS_LOWER);
	if (end == at) /* the first part must give back until a character is of both kinds */
		end = after_both > start ? after_both : is_upper ? at : start;
	return end;
}

static size_t with_contraction(const uint8_t *bytes, size_t len, size_t start, size_t end)
{
	return end == start ? start : end + contraction(bytes, len, end);
}

/* Both alternatives for words, in their order; `at` when neither matches. */
static size_t cased_words(const uint8_t *bytes, size_t len, size_t at, unsigned int class,
    size_t next, bool *is_ill_formed)
{
	size_t end;

	if (class & CLASS_LETTER)
		return with_contraction(bytes, len, at, cased_word(bytes, len, at, true));
	if (class & (CLASS_NUMBER | CLASS_NEWLINE))
		return at;
	end = cased_word(bytes, len, next, false);
	if (end == next && class & CLASS_UPPER)
		end = cased_word(bytes, len, at, false);
	else if (end == next)
		end = cased_word(bytes, len, next, true);
	if (end == next && !(class & CLASS_UPPER))
		return at;
	*is_ill_formed |= class == CLASS_ILL;
	return with_contraction(bytes, len, at, end);
}

static inline size_t piece(
    const uint8_t *bytes, size_t len, size_t at, bool has_cased_words, bool *is_ill_formed)
{
	unsigned int width, next_width;
	unsigned int class = class_at(bytes, len, at, &width);
	size_t next = at + width, end;

	if (has_cased_words) {
		end = cased_words(bytes, len, at, class, next, is_ill_formed);
		if (end > at)
			return end;
	} else {
		end = contraction(bytes, len, at);
		if (end > 0)
			return at + end;
		if (class & CLASS_LETTER)
			return skip_class(bytes, len, next, CLASS_LETTER);
		if (!(class & (CLASS_NUMBER | CLASS_NEWLINE)) &&
		    class_at(bytes, len, next, &next_width) & CLASS_LETTER) {
			*is_ill_formed |= class == CLASS_ILL;
			return skip_class(bytes, len, next + next_width, CLASS_LETTER);
		}
	}
	if (class & CLASS_NUMBER)
		return digits(bytes, len, next);
	if (!(class & CLASS_BLANK))
		return symbols(bytes, len, at, has_cased_words, is_ill_formed);
	if (bytes[at] == ' ' && !(class_at(bytes, len, next, &next_width) & CLASS_WORDY))
		return symbols(bytes, len, next, has_cased_words, is_ill_formed);
	return blanks(bytes, len, at);
}

size_t split_piece(const struct tokens_encoding *encoding, const uint8_t *bytes, size_t len,
    size_t at, bool *is_ill_formed)
{
	return encoding->has_cased_words ? piece(bytes, len, at, true, is_ill_formed)
					 : piece(bytes, len, at, false, is_ill_formed);
}

size_t split_walk(const struct split_text *text, size_t *at, size_t *ends, bool *is_ill_formed)
{
	bool is_ill = false;
	size_t start = *at;
	size_t end = split_piece(text->encoding, text->bytes, text->len, start, &is_ill);

	*at = end;
	*is_ill_formed |= is_ill;
	if (text->at_seams && end - start > SPLIT_SEAMLESS_BYTES &&
	    end - start <= SPLIT_SEAM_BYTES && !is_ill)
		return split_at_seams(text->encoding, text->bytes, start, end, ends);
	ends[0] = end;
	return 1;
}

size_t split_scalar(
    const struct split_text *text, size_t at, size_t *ends, size_t cap, bool *is_ill_formed)
{
	size_t count = 0;

	while (count < cap && at < text->len)
		count += split_walk(text, &at, ends + count, is_ill_formed);
	return count;
}
