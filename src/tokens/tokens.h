/* SPDX-License-Identifier: MIT */
/*
 * Tokens: byte-pair encoding exactly as OpenAI's models count it.
 *
 * A text is first cut into pieces (words with their leading blank, runs of
 * digits, punctuation, blanks) by the encoding's pattern, and each piece is
 * then merged into tokens by itself.  Ids and counts equal those of OpenAI's
 * tiktoken for every input.  Special tokens such as "<|endoftext|>" in a text
 * are ordinary text, as the embeddings endpoint takes them.
 *
 * Bytes need not be well-formed UTF-8: each ill-formed part (WHATWG's "maximal
 * subpart") counts as U+FFFD, which is what a JSON body would carry.  Offsets
 * always mean the bytes as given.
 *
 * Vocabularies and tables are compiled in and read-only: nothing is loaded,
 * both encodings are ready at once.  What changes is an encoder: scratch space
 * and a memo of pieces seen, of fixed size (TOKENS_ENCODER_BYTES), so memory
 * stays bounded however much passes through.  One encoder serves one encoding
 * and one thread at a time.
 *
 * Cost: linear in the bytes for any input; no recursion.
 *
 * Failures: EMBED_NO_MEMORY, and what an output buffer reports when its
 * maximum is reached (EMBED_TOO_LARGE).  Outputs are `struct buffer`s of the
 * caller, appended to; after a failure they hold a prefix.
 */
#ifndef TOKENS_TOKENS_H
#define TOKENS_TOKENS_H

#include <embed.h>

#include "base/buffer.h"

/* ---- Encodings ------------------------------------------------------ */

/* A vocabulary with its rules; static, shared by all threads. */
struct tokens_encoding;

/* "cl100k_base" or "o200k_base"; NULL is cl100k_base.  NULL: no such encoding. */
const struct tokens_encoding *tokens_encoding_find(const char *name);

const char *tokens_encoding_name(const struct tokens_encoding *encoding);

/* The bytes of one token, or NULL when `id` is not an ordinary token.  Static, not terminated. */
const char *tokens_bytes_of(const struct tokens_encoding *encoding, uint32_t id, size_t *len);

/*
 * The bytes that ids stand for, special tokens by their names.  They may be
 * ill-formed UTF-8, since a character can be spread over several tokens.
 * EMBED_BAD_TOKEN: ids[*bad] is not in the vocabulary (`bad` may be NULL).
 */
enum embed_status tokens_decode(const struct tokens_encoding *encoding, const uint32_t *ids,
    size_t count, struct buffer *bytes, size_t *bad);

/* ---- Encoders ------------------------------------------------------- */

/* At most this much memory for one encoder, whatever it has seen. */
#define TOKENS_ENCODER_BYTES (9u << 19)

/* No token of any encoding has more bytes: a run of blanks. */
#define TOKENS_TOKEN_MAX_BYTES 128

struct tokens_encoder;

/* NULL: no memory. */
struct tokens_encoder *tokens_encoder_create(const struct tokens_encoding *encoding);
void tokens_encoder_destroy(struct tokens_encoder *encoder);

/*
 * The calling thread's own encoder, made on first use and freed when the
 * thread ends (its two share one memo, so both take little more than one); what a plain function without context uses.  NULL when memory
 * is out, which every function below takes and answers with EMBED_NO_MEMORY:
 *
 *	status = tokens_count(tokens_encoder_of_thread(encoding), bytes, len, &tokens);
 */
struct tokens_encoder *tokens_encoder_of_thread(const struct tokens_encoding *encoding);

/* How many tokens the text has. */
enum embed_status tokens_count(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t *tokens);

/*
 * Same, but stops early: *tokens is exact when it is at most `limit`, and
 * some number above `limit` when the text has more.  Looks at a few hundred
 * pieces at a time, so that is how far it goes beyond the limit.
 */
enum embed_status tokens_count_up_to(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t limit, size_t *tokens);

/* Appends the ids as uint32_t to `ids`, which must hold nothing else. */
enum embed_status tokens_encode(
    struct tokens_encoder *encoder, const char *bytes, size_t len, struct buffer *ids);

/* ---- Cuts: exact counts of slices ----------------------------------- */

/*
 * A place where a text may be cut without changing any id on either side.
 * Between two cuts a and b, bytes [a.offset, b.offset) encoded by themselves
 * have exactly b.tokens - a.tokens tokens.
 */
struct tokens_cut {
	size_t offset; /* bytes before the cut */
	size_t tokens; /* tokens before the cut */
};

/*
 * Appends every such place as struct tokens_cut to `cuts` (which must hold
 * nothing else), ascending, the first {0, 0}, the last {len, all tokens}; an
 * empty text has one.  Encodes once; about one cut for five bytes of text.
 *
 * Not every end of a piece is such a place: the pattern lets a run of blanks
 * leave its last one to the next word, so a cut inside would let the left
 * side's trailing blanks join.  Those are left out.
 */
enum embed_status tokens_cuts(
    struct tokens_encoder *encoder, const char *bytes, size_t len, struct buffer *cuts);

/*
 * The same bit by bit, so that a long text needs no table of all its cuts.
 * `cuts` is empty at first; each call goes on from its last cut, encodes up to
 * `end` and appends the cuts that hold whatever comes after `end`, or all when
 * end == len.  The caller may take away cuts at the front.  Nothing is
 * appended while one long piece reaches up to `end`: to keep the time linear
 * ask again with twice as many bytes.
 */
enum embed_status tokens_more_cuts(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t end, struct buffer *cuts);

/*
 * Index of the last cut at or before `offset`.  `count` is at least 1 and
 * cuts[0].offset at most `offset`.  Logarithmic.
 */
size_t tokens_cut_at(const struct tokens_cut *cuts, size_t count, size_t offset);

/*
 * Exact count of any slice [start, end) of the text that `cuts` were made
 * from; only the pieces at its two ends are encoded again.
 */
enum embed_status tokens_count_slice(struct tokens_encoder *encoder, const char *bytes,
    const struct tokens_cut *cuts, size_t count, size_t start, size_t end, size_t *tokens);

/*
 * A prefix of the text that ends at a character's end and has at most `limit`
 * tokens when encoded by itself: what the text's first `limit` tokens cover,
 * less what they split.  For truncation, and for one piece that is longer than
 * a chunk may be.  *tokens is its count; 0 bytes when not even the first
 * character fits.
 */
enum embed_status tokens_prefix(struct tokens_encoder *encoder, const char *bytes, size_t len,
    size_t limit, size_t *prefix_len, size_t *tokens);

/* ---- Streams: a text in pieces of any size --------------------------- */

/*
 * Takes a text bit by bit, cut anywhere (inside a character too), and gives
 * the ids of the whole.  What cannot be decided yet, or is not yet worth
 * encoding, is held back: up to 64 KiB, or twice the last piece when that is
 * longer.
 */
struct tokens_stream;

/* `encoder` is used until the stream is destroyed.  `held_max`: bytes held back at most.  NULL: no memory. */
struct tokens_stream *tokens_stream_create(struct tokens_encoder *encoder, size_t held_max);
void tokens_stream_destroy(struct tokens_stream *stream);

/* `ids` NULL: only count.  EMBED_TOO_LARGE: one unbroken piece above held_max. */
enum embed_status tokens_stream_feed(
    struct tokens_stream *stream, const char *bytes, size_t len, struct buffer *ids);

/* The text ends here: gives the rest, and the stream is ready for the next text. */
enum embed_status tokens_stream_finish(struct tokens_stream *stream, struct buffer *ids);

/* Tokens given so far for the current text, or for the last one after its finish. */
size_t tokens_stream_count(const struct tokens_stream *stream);

#endif
