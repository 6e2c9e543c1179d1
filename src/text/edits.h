/* SPDX-License-Identifier: MIT */
/*
 * Edits: one pass over a text that keeps most of it and replaces some, and
 * remembers which bytes came from where.
 *
 * A pass walks its input once, in order, with edits_keep and edits_replace
 * until all of it is taken.  Nothing is copied before the first replacement,
 * so a pass that changes nothing costs its reading only.
 *
 * Spans are embed.h's embed_clean_span; edits_compose joins those of two
 * passes into source<->final.
 *
 * A failed buffer (memory, maximum) is looked at once, by edits_finish.
 * Threads: one owner.
 */
#ifndef TEXT_EDITS_H
#define TEXT_EDITS_H

#include <embed.h>

#include "base/buffer.h"

struct edits {
	const char *in;
	size_t in_len;
	size_t taken;   /* input kept or replaced so far */
	size_t flushed; /* input before this is accounted for in `out` */
	struct buffer out;
	struct buffer spans; /* struct embed_clean_span */
	bool is_changed;
	bool is_last_verbatim;
};

void edits_init(struct edits *edits, const char *in, size_t in_len, size_t max_bytes);
void edits_fini(struct edits *edits);

/* The next `len` bytes of input stay. */
void edits_keep(struct edits *edits, size_t len);

/* The next `len` bytes of input become `with`; the same bytes count as kept. */
void edits_replace(struct edits *edits, size_t len, const char *with, size_t with_len);

static inline void edits_drop(struct edits *edits, size_t len)
{
	edits_replace(edits, len, "", 0);
}

/* Nothing of the output exists yet. */
static inline bool edits_is_at_start(const struct edits *edits)
{
	return edits->out.len + (edits->taken - edits->flushed) == 0;
}

/* Keeps the rest of the input, writes the end mark.  When nothing changed, `out` is empty: go on with the input. */
enum embed_status edits_finish(struct edits *edits);

/*
 * Replaces `first` (source to middle; empty: the identity over the middle) by
 * the composition with `second` (middle to final).  Both end with their end marks.
 */
enum embed_status edits_compose(struct buffer *first, const struct buffer *second);

#endif
