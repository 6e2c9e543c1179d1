/* SPDX-License-Identifier: MIT */
/*
 * Reply: the 200 answer of POST /v1/embeddings, read while it arrives, and
 * written (PROTOCOL.md 1.2, 1.3).
 *
 * The reader takes segments of any size, cut anywhere, and holds never more
 * than one vector.  It takes keys in any order, both layouts, base64 and
 * decimal vectors in any mixture, extra keys, a missing `usage`.  A vector
 * counts when its item closes, because `index` may follow `embedding`; then it
 * is handed to `on_vector`.
 *
 * What is checked, so that nobody else must: strict JSON up to the last byte;
 * one item per input, each `index` once and in range; every vector as long as
 * was asked; every number finite; not all of them 0.  `data` may stand before
 * or after `model` and `usage`; an item's keys, and `data`, twice are errors.
 *
 *	wire_reply_start(&reply, count, dimensions, on_vector, context);
 *	for each segment: status = wire_reply_feed(&reply, bytes, len, &error);
 *	status = wire_reply_end(&reply, &error);     <- says whether all arrived
 *
 * Vectors that were handed out stay good when a later byte turns out to be bad,
 * but a reply that fails makes the whole attempt fail: the caller decides.
 *
 * Memory: the reader keeps its own from reply to reply.  Threads: none.
 */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include <embed.h>

#include "base/buffer.h"
#include "wire/request.h"
#include "wire/vector_reader.h"

/* A number in decimal may have this many characters. */
#define WIRE_MAX_NUMBER 512

/*
 * One vector, valid during the call only: copy it.  `index` is below the count
 * given at start and comes once.
 */
typedef void wire_vector_fn(void *context, size_t index, const float *vector, uint32_t dimensions);

struct wire_reply_usage {
	bool is_known;          /* `usage` was there and held a number */
	uint64_t prompt_tokens; /* prompt_tokens, or total_tokens where that is missing */
};

struct wire_reply {
	/* Known once wire_reply_end said EMBED_OK. */
	char model[128]; /* as answered; "" when missing; cut, and '?' for what is not ASCII */
	struct wire_reply_usage usage;
	size_t received;     /* vectors handed out so far */
	uint32_t dimensions; /* of them; 0 before the first */

	/* private */
	wire_vector_fn *on_vector;
	void *context;
	struct vector_reader vector;
	uint64_t *seen; /* one bit per index */
	size_t seen_cap;
	size_t expected;
	uint64_t fed; /* bytes before this segment */
	size_t index; /* of the item being read */
	enum embed_status status;
	uint8_t state;
	uint8_t where;      /* innermost known container */
	uint8_t skip_where; /* the one around what is being skipped */
	uint8_t skip_depth;
	uint8_t role; /* of the value that comes or is being read */
	uint8_t depth;
	uint8_t escape; /* where in a string's escape */
	uint8_t known;  /* known keys met so far, one bit each */
	uint16_t code_unit;
	uint16_t text_len;
	uint64_t nesting;           /* one bit a level: 1 object, 0 array */
	char text[WIRE_MAX_NUMBER]; /* a key, model, number or name, until it is complete */
};

void wire_reply_init(struct wire_reply *reply);
void wire_reply_fini(struct wire_reply *reply);

/*
 * Begins the reply to a request for `count` vectors.  dimensions 0: the first
 * vector decides.  EMBED_NO_MEMORY, or EMBED_TOO_LARGE above WIRE_MAX_DIMENSIONS.
 */
enum embed_status wire_reply_start(struct wire_reply *reply, size_t count, uint32_t dimensions,
    wire_vector_fn *on_vector, void *context);

/*
 * The next bytes.  EMBED_BAD_REPLY (or EMBED_NO_MEMORY) with what and at which
 * byte in `error` (may be NULL); every later call gives the same status.
 */
enum embed_status wire_reply_feed(
    struct wire_reply *reply, const char *bytes, size_t len, struct embed_error *error);

/* No more bytes come.  EMBED_BAD_REPLY when the body was cut or vectors are missing. */
enum embed_status wire_reply_end(struct wire_reply *reply, struct embed_error *error);

/* ---- Writing (server side) ------------------------------------------ */

/* The two layouts in use (PROTOCOL.md 1.3). */
enum wire_layout {
	WIRE_LAYOUT_INDENTED, /* A: indented, newline at the end, shortest float32 text */
	WIRE_LAYOUT_COMPACT, /* B: compact, keys object, embedding, index; numbers as B prints 16-bit values */
};

struct wire_reply_writer {
	struct buffer *out;
	enum wire_layout layout;
	enum wire_format format;
	size_t count;
};

/*
 * A whole answer: begin, each vector in order, end.  Memory problems show in
 * the buffer's status.  `wire_reply_bytes` is an upper bound for what a reply
 * takes, for one reservation up front (model name and usage included).
 */
size_t wire_reply_bytes(
    enum wire_layout layout, enum wire_format format, size_t count, uint32_t dimensions);
void wire_reply_begin(struct wire_reply_writer *writer, struct buffer *out, enum wire_layout layout,
    enum wire_format format);
void wire_reply_add(
    struct wire_reply_writer *writer, size_t index, const float *vector, uint32_t dimensions);

/* An item whose `embedding` value is given as text (cached, or deliberately wrong). */
void wire_reply_add_text(
    struct wire_reply_writer *writer, size_t index, const char *value, size_t len);

/* The same where the caller appends the value to `out` between the two. */
void wire_reply_begin_item(struct wire_reply_writer *writer, size_t index);
void wire_reply_end_item(struct wire_reply_writer *writer, size_t index);

/* The value of `embedding` alone, as wire_reply_add would write it: to cache it. */
void wire_reply_vector_text(struct buffer *out, enum wire_layout layout, enum wire_format format,
    const float *vector, uint32_t dimensions);

enum embed_status wire_reply_finish(
    struct wire_reply_writer *writer, const char *model, uint64_t prompt_tokens);

#endif
