/* SPDX-License-Identifier: MIT */
/*
 * Packer: the one loop that makes chunks, for every strategy.
 *
 * A chunk starts where the last one ended, or up to `overlap` units before.
 * The measure tells how far the limit reaches; the strategy names the best
 * place to cut within reach; when it knows none, a word's end is taken, then a
 * grapheme's, then a character's.  What a strategy names is checked (it fits,
 * it splits no grapheme), so a strategy cannot break a promise of chunk.h.
 *
 * Threads: one owner.
 */
#ifndef CHUNK_PACKER_H
#define CHUNK_PACKER_H

#include "chunk/chunk.h"
#include "chunk/measure.h"
#include "text/boundary.h"

struct chunker;

/* One way of cutting; each has its file. */
struct strategy {
	/* Looks through the text once, adds marks and headings; may be NULL. */
	enum embed_status (*prepare)(struct chunker *chunker);
	/* The best place to cut in (floor, reach], 0 if it knows none. */
	size_t (*cut)(struct chunker *chunker, size_t floor, size_t reach);
	/* Where an overlap may start, in [from, end); `end` if nowhere. */
	size_t (*overlap)(struct chunker *chunker, size_t from, size_t end);
	/* Cuts even where the rest would fit. */
	bool is_eager;
};

extern const struct strategy strategy_fixed, strategy_tokens, strategy_sentences,
    strategy_paragraphs, strategy_recursive, strategy_markdown, strategy_code, strategy_html,
    strategy_semantic, strategy_each_sentence;

/* A place where a strategy would like to cut; level 0 is the best. */
struct mark {
	uint64_t offset : 56;
	uint64_t level : 8;
};

/* From `offset` on chunks are under this heading path. */
struct heading {
	size_t offset;
	char *path; /* NULL: under none */
};

/* What the semantic strategy gets as `state`. */
struct semantic_input {
	const embed_chunks *sentences;
	const float *const *vectors;
	size_t dimensions;
};

struct chunker {
	const char *bytes;
	size_t len;
	const struct embed_chunk_options *options; /* checked, defaults filled in */
	const struct strategy *strategy;
	struct measure measure;
	struct boundary *finders[3]; /* by boundary_kind; made when first needed */
	struct buffer marks;         /* struct mark, ascending */
	struct buffer headings;      /* struct heading, ascending */
	struct buffer chunks;        /* struct embed_chunk */
	size_t start;                /* of the chunk being made */
	bool is_rest;                /* all that is left fits into the chunk being made */
	const void *state;           /* semantic: the vectors */
	enum embed_status status;    /* first failure outside the measure */
	struct embed_error *error;
};

/* Makes the list by options->strategy's rules; `strategy` and `state` override for semantic. */
enum embed_status packer_run(const char *bytes, size_t len,
    const struct embed_chunk_options *options, const struct strategy *strategy, const void *state,
    embed_chunks **out, struct embed_error *error);

/* ---- For strategies ----------------------------------------------------- */

/* The finder of that kind over the whole text; NULL (and chunker->status) when it cannot be made. */
struct boundary *packer_finder(struct chunker *chunker, enum boundary_kind kind);

/* Marks come in ascending order; one at 0 or at the text's end is of no use and left out. */
void packer_add_mark(struct chunker *chunker, size_t offset, unsigned level);

/* The last of the best marks in (floor, reach]; 0 if there are none. */
size_t packer_best_mark(const struct chunker *chunker, size_t floor, size_t reach);

/* The first mark in (floor, reach] of a level below `level`; 0 if there is none. */
size_t packer_first_mark(const struct chunker *chunker, size_t floor, size_t reach, unsigned level);

/* The last mark below `offset` of exactly `level`; 0 if there is none. */
size_t packer_last_mark(const struct chunker *chunker, size_t offset, unsigned level);

/* Begins a heading path; `path` (malloc'd, may be NULL for "none") becomes the chunker's. */
void packer_add_heading(struct chunker *chunker, size_t offset, char *path);

/* After the last empty line, line end, sentence, grapheme in (floor, reach]; 0: none. */
size_t packer_cut_paragraph(struct chunker *chunker, size_t floor, size_t reach);
size_t packer_cut_line(struct chunker *chunker, size_t floor, size_t reach);
size_t packer_cut_sentence(struct chunker *chunker, size_t floor, size_t reach);
size_t packer_cut_grapheme(struct chunker *chunker, size_t floor, size_t reach);

/* `from`; the first start of a word, of a line at or after it; `end` if none is below it. */
size_t packer_overlap_any(struct chunker *chunker, size_t from, size_t end);
size_t packer_overlap_word(struct chunker *chunker, size_t from, size_t end);
size_t packer_overlap_line(struct chunker *chunker, size_t from, size_t end);

#endif
