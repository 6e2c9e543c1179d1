/* SPDX-License-Identifier: MIT */
/*
 * The stages of cleaning (clean.h has their order), each a pass over `edits`.
 * Input is well-formed UTF-8 for all but clean_utf8.  `flags` are EMBED_CLEAN_*;
 * a stage looks at those that concern it and takes all of its input.
 */
#ifndef TEXT_CLEAN_STAGE_H
#define TEXT_CLEAN_STAGE_H

#include "text/edits.h"

enum embed_status clean_utf8(struct edits *edits, uint32_t flags);
enum embed_status clean_html(struct edits *edits, uint32_t flags);
enum embed_status clean_normalise(struct edits *edits, uint32_t flags);
enum embed_status clean_characters(struct edits *edits, uint32_t flags);
enum embed_status clean_hyphens(struct edits *edits, uint32_t flags);
enum embed_status clean_blanks(struct edits *edits, uint32_t flags);
enum embed_status clean_html_escape(struct edits *edits, uint32_t flags);

/*
 * One scan that finds out whether a text is plain ASCII which no stage would
 * change.  False means "maybe not", and costs a look through the stages.
 */
bool clean_is_untouched(const char *bytes, size_t len, uint32_t flags);

/* Tab or a space separator (Zs): what folding makes one blank of. */
bool clean_is_blank(uint32_t code);

#endif
