/* SPDX-License-Identifier: MIT */
/*
 * What is decided character by character.  A run of characters that go is
 * handled as one, since whether a joiner may stay depends on what stands
 * before and after the whole run.
 */
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "text/clean_stage.h"
#include "text/utf8.h"

enum fate {
	STAYS,
	GOES,
	MAY_JOIN,    /* goes unless it joins letters or emoji */
	SOFT_HYPHEN, /* goes, and may take a line end along */
	CHANGES,     /* into `with` */
};

struct decision {
	enum fate fate;
	size_t size; /* bytes of input it is about */
	const char *with;
};

struct filter {
	struct edits *edits;
	uint32_t flags;
	uint32_t previous; /* last character that stayed; 0: none */
};

/* ---- Tables ------------------------------------------------------------ */

struct range {
	uint32_t first, last;
	uint32_t flag;
	const char *with; /* NULL: it goes */
};

/* Ascending.  Joiners, control characters and line ends need context and are not here. */
static const struct range ranges[] = {
    {0x85, 0x85, EMBED_CLEAN_NEWLINES, "\n"},
    {0xab, 0xab, EMBED_CLEAN_QUOTES, "\""},
    {0xbb, 0xbb, EMBED_CLEAN_QUOTES, "\""},
    {0x180e, 0x180e, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* Mongolian vowel separator */
    {0x200b, 0x200b, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* zero width space */
    {0x200e, 0x200f, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* direction marks */
    {0x2010, 0x2015, EMBED_CLEAN_DASHES, "-"},
    {0x2018, 0x201b, EMBED_CLEAN_QUOTES, "'"},
    {0x201c, 0x201f, EMBED_CLEAN_QUOTES, "\""},
    {0x2028, 0x2029, EMBED_CLEAN_NEWLINES, "\n"},
    {0x202a, 0x202e, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* direction embeddings, overrides */
    {0x2039, 0x203a, EMBED_CLEAN_QUOTES, "'"},
    {0x2060, 0x2064, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* word joiner, invisible operators */
    {0x2066, 0x206f, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* direction isolates, deprecated controls */
    {0x2212, 0x2212, EMBED_CLEAN_DASHES, "-"},
    {0x275b, 0x275c, EMBED_CLEAN_QUOTES, "'"},
    {0x275d, 0x275e, EMBED_CLEAN_QUOTES, "\""},
    {0x2e3a, 0x2e3b, EMBED_CLEAN_DASHES, "-"},
    {0x301d, 0x301f, EMBED_CLEAN_QUOTES, "\""},
    {0xfb00, 0xfb00, EMBED_CLEAN_LIGATURES, "ff"},
    {0xfb01, 0xfb01, EMBED_CLEAN_LIGATURES, "fi"},
    {0xfb02, 0xfb02, EMBED_CLEAN_LIGATURES, "fl"},
    {0xfb03, 0xfb03, EMBED_CLEAN_LIGATURES, "ffi"},
    {0xfb04, 0xfb04, EMBED_CLEAN_LIGATURES, "ffl"},
    {0xfb05, 0xfb06, EMBED_CLEAN_LIGATURES, "st"},
    {0xfe58, 0xfe58, EMBED_CLEAN_DASHES, "-"},
    {0xfe63, 0xfe63, EMBED_CLEAN_DASHES, "-"},
    {0xfeff, 0xfeff, EMBED_CLEAN_ZERO_WIDTH, NULL}, /* zero width no-break space */
    {0xff0d, 0xff0d, EMBED_CLEAN_DASHES, "-"},
};

static const struct range *range_of(uint32_t code)
{
	size_t low = 0;
	size_t high = sizeof(ranges) / sizeof(ranges[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (code < ranges[middle].first)
			high = middle;
		else if (code > ranges[middle].last)
			low = middle + 1;
		else
			return &ranges[middle];
	}
	return NULL;
}

/* ---- One character ------------------------------------------------------ */

static struct decision decide_ascii(const struct filter *filter, uint32_t code, char next)
{
	if (code == '\r') {
		if (filter->flags & EMBED_CLEAN_NEWLINES)
			return (struct decision){CHANGES, next == '\n' ? 2 : 1, "\n"};
	} else if ((code < 0x20 && code != '\t' && code != '\n') || code == 0x7f) {
		if (!(filter->flags & EMBED_CLEAN_CONTROL))
			return (struct decision){STAYS, 1, NULL};
		/* Page ends and vertical tabs part lines; without them words would run together. */
		if ((code == '\f' || code == '\v') && filter->previous != '\n')
			return (struct decision){CHANGES, 1, "\n"};
		return (struct decision){GOES, 1, NULL};
	}
	return (struct decision){STAYS, 1, NULL};
}

static struct decision decide(const struct filter *filter, size_t at)
{
	const struct edits *edits = filter->edits;
	const struct range *range;
	size_t size;
	uint32_t code = utf8_decode(edits->in + at, edits->in_len - at, &size);

	if (code < 0x80)
		return decide_ascii(
		    filter, code, at + 1 < edits->in_len ? edits->in[at + 1] : '\0');
	if (code < 0xa0 && code != 0x85)
		return (struct decision){
		    filter->flags & EMBED_CLEAN_CONTROL ? GOES : STAYS, size, NULL};
	if (code == 0xad && filter->flags & EMBED_CLEAN_SOFT_HYPHEN)
		return (struct decision){SOFT_HYPHEN, size, NULL};
	if ((code == 0x200c || code == 0x200d) && filter->flags & EMBED_CLEAN_ZERO_WIDTH)
		return (struct decision){MAY_JOIN, size, NULL};
	if (code == 0xfeff && filter->flags & EMBED_CLEAN_BOM && edits_is_at_start(edits))
		return (struct decision){GOES, size, NULL};
	range = range_of(code);
	if (range == NULL || !(filter->flags & range->flag))
		return (struct decision){STAYS, size, NULL};
	return (struct decision){range->with == NULL ? GOES : CHANGES, size, range->with};
}

/* ---- Runs that go --------------------------------------------------------- */

/* Marks that several scripts share but that never compose with letters of others. */
static bool is_shared_mark(uint32_t code)
{
	return (code >= 0x600 && code <= 0xfff) || (code >= 0x1cd0 && code <= 0x1cff);
}

/*
 * Characters between which a joiner means something: letters and marks of the
 * scripts that shape by context, and emoji.  Must not change when neighbours
 * compose (NFC), or cleaning would not be idempotent.
 */
static bool is_joined(uint32_t code)
{
	UErrorCode error = U_ZERO_ERROR;

	if (code < 0x590)
		return false;
	if (code == 0xfe0f || (code >= 0x1f3fb && code <= 0x1f3ff) ||
	    u_hasBinaryProperty((UChar32)code, UCHAR_EXTENDED_PICTOGRAPHIC))
		return true;
	if (!(U_GET_GC_MASK((UChar32)code) & (U_GC_L_MASK | U_GC_M_MASK)))
		return false;
	switch (uscript_getScript((UChar32)code, &error)) {
	case USCRIPT_LATIN:
	case USCRIPT_GREEK:
	case USCRIPT_CYRILLIC:
	case USCRIPT_HAN:
	case USCRIPT_HIRAGANA:
	case USCRIPT_KATAKANA:
	case USCRIPT_HANGUL:
		return false;
	case USCRIPT_COMMON:
	case USCRIPT_INHERITED:
		return is_shared_mark(code);
	default:
		return true;
	}
}

static bool goes(enum fate fate)
{
	return fate == GOES || fate == MAY_JOIN || fate == SOFT_HYPHEN;
}

struct run {
	size_t end;
	size_t joiner, joiner_size; /* the first one; size 0: none */
	bool has_soft_hyphen;
};

static struct run run_at(const struct filter *filter, size_t at)
{
	struct run run = {.end = at};

	while (run.end < filter->edits->in_len) {
		struct decision decision = decide(filter, run.end);

		if (!goes(decision.fate))
			break;
		if (decision.fate == MAY_JOIN && run.joiner_size == 0) {
			run.joiner = run.end;
			run.joiner_size = decision.size;
		}
		run.has_soft_hyphen |= decision.fate == SOFT_HYPHEN;
		run.end += decision.size;
	}
	return run;
}

static uint32_t code_at(const struct edits *edits, size_t at)
{
	size_t size;

	return at < edits->in_len ? utf8_decode(edits->in + at, edits->in_len - at, &size) : 0;
}

/* Skips blanks and characters that go. */
static size_t skip_unseen(const struct filter *filter, size_t at)
{
	while (at < filter->edits->in_len) {
		struct decision decision = decide(filter, at);

		if (!goes(decision.fate) && !clean_is_blank(code_at(filter->edits, at)))
			break;
		at += decision.size;
	}
	return at;
}

/* A soft hyphen at a line's end between letters: where the word goes on, else `end`. */
static size_t word_goes_on(const struct filter *filter, size_t end)
{
	const struct edits *edits = filter->edits;
	size_t at;

	/* First of all, so that blanks are looked through once and not after each of many soft hyphens. */
	if (!(U_GET_GC_MASK((UChar32)filter->previous) & (U_GC_L_MASK | U_GC_M_MASK)))
		return end;
	at = skip_unseen(filter, end);
	if (at < edits->in_len && edits->in[at] == '\r')
		at++;
	if (at >= edits->in_len || edits->in[at] != '\n')
		return end;
	at = skip_unseen(filter, at + 1);
	return U_GET_GC_MASK((UChar32)code_at(edits, at)) & U_GC_L_MASK ? at : end;
}

static void drop_run(struct filter *filter, struct run run)
{
	struct edits *edits = filter->edits;
	uint32_t joiner_flags = EMBED_CLEAN_SOFT_HYPHEN | EMBED_CLEAN_HYPHENATION;

	if (run.has_soft_hyphen && (filter->flags & joiner_flags) == joiner_flags)
		run.end = word_goes_on(filter, run.end);
	if (run.joiner_size > 0 && is_joined(filter->previous) &&
	    is_joined(code_at(edits, run.end))) {
		edits_drop(edits, run.joiner - edits->taken);
		filter->previous = code_at(edits, run.joiner);
		edits_keep(edits, run.joiner_size);
	}
	edits_drop(edits, run.end - edits->taken);
}

/* ---- All of them ------------------------------------------------------------ */

/* 1: a character that begins with this byte may not stay; 2: it depends on the next byte. */
static const uint8_t may_go[256] = {
    [0x00] = 1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    0,
    0,
    1,
    1,
    1,
    1,
    1, /* all but tab and LF */
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    [0x7f] = 1,
    [0xc2] = 1, /* U+0080 to U+00BF */
    [0xe1] = 2, /* U+180E: second byte A0 */
    [0xe2] = 1, /* punctuation */
    [0xe3] = 2, /* U+301D to U+301F: second byte 80 */
    [0xef] = 1, /* presentation forms */
};

/* Bytes, in whole characters, that stay whatever the flags. */
static size_t plain_len(const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		unsigned char byte = (unsigned char)bytes[at];

		if (may_go[byte] == 1)
			break;
		if (may_go[byte] == 2 && (bytes[at + 1] == '\xa0' || bytes[at + 1] == '\x80'))
			break;
		at++;
	}
	return at;
}

static void apply(struct filter *filter, struct decision decision)
{
	struct edits *edits = filter->edits;

	if (decision.fate == CHANGES) {
		edits_replace(edits, decision.size, decision.with, strlen(decision.with));
		filter->previous = (unsigned char)decision.with[strlen(decision.with) - 1];
	} else {
		filter->previous = code_at(edits, edits->taken);
		edits_keep(edits, decision.size);
	}
}

enum embed_status clean_characters(struct edits *edits, uint32_t flags)
{
	struct filter filter = {.edits = edits, .flags = flags};

	while (edits->taken < edits->in_len) {
		size_t plain = plain_len(edits->in + edits->taken, edits->in_len - edits->taken);
		struct decision decision;

		if (plain > 0) {
			edits_keep(edits, plain);
			filter.previous =
			    code_at(edits, utf8_floor(edits->in, edits->in_len, edits->taken - 1));
			continue;
		}
		decision = decide(&filter, edits->taken);
		if (goes(decision.fate))
			drop_run(&filter, run_at(&filter, edits->taken));
		else
			apply(&filter, decision);
	}
	return edits_finish(edits);
}
