/* SPDX-License-Identifier: MIT */
/*
 * Cleaning: text for people becomes text worth embedding, and every byte of
 * the result knows where it came from.
 *
 * Flags are embed.h's EMBED_CLEAN_*; each works by itself and nothing changes
 * that no flag names.  Cleaning twice is the same as cleaning once, for every
 * combination.  The stages, always in this order:
 *
 *	utf8       ill-formed parts replaced (or refused: without the flag)
 *	html       markup to text, character references decoded
 *	normalise  NFC or NFKC
 *	characters byte-order mark, newlines, control, zero-width, ligatures, quotes, dashes
 *	hyphens    soft hyphens, hyphenation at line ends
 *	blanks     folding; with MARKDOWN code is left alone
 *	normalise  again, where a removal made new neighbours
 *	html       what would read as markup is escaped again ("&lt;b>")
 *
 * The last stage is what makes HTML idempotent: a page that shows "<b>" as
 * text comes out with "&lt;b>", so a second cleaning cannot swallow it.
 *
 * A text that needs nothing is found out by one scan and not copied; plain
 * ASCII passes at memory speed.  Time is linear, memory at most a fixed
 * multiple of the text.
 *
 * Pure; any thread.
 */
#ifndef TEXT_CLEAN_H
#define TEXT_CLEAN_H

#include <embed.h>

/* Texts above this are refused with EMBED_TOO_LARGE (memory stays bounded). */
#define CLEAN_MAX_BYTES ((size_t)1 << 30)

/*
 * As embed_clean.  `bytes` must outlive *out.  EMBED_BAD_OPTION: unknown flag
 * bits.  EMBED_BAD_UTF8 with the offset: ill-formed
 * bytes, and no UTF8 flag (with no flags at all, too).  NFKC includes NFC.
 */
enum embed_status clean_text(
    const char *bytes, size_t len, uint32_t flags, embed_cleaned **out, struct embed_error *error);

/* As the functions of the same names in embed.h. */
const char *clean_bytes(const embed_cleaned *cleaned, size_t *len);
const struct embed_clean_span *clean_spans(const embed_cleaned *cleaned, size_t *count);
void clean_source_range(const embed_cleaned *cleaned, size_t start, size_t end,
    size_t *source_start, size_t *source_end);
void clean_destroy(embed_cleaned *cleaned);

#endif
