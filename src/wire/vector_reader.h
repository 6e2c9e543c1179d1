/* SPDX-License-Identifier: MIT */
/*
 * Vector reader: one `embedding` value becoming floats while it arrives, as
 * base64 characters or as decimals.  Part of wire/reply.h; a module of its own
 * because it knows nothing of JSON.
 *
 * Functions that can fail return NULL when all is well and else a phrase that
 * says what is wrong ("is not base64").
 *
 * Memory is kept from vector to vector.  Threads: none.
 */
#ifndef WIRE_VECTOR_READER_H
#define WIRE_VECTOR_READER_H

#include <embed.h>

/* No vector may be longer than this, whatever was asked (a bound for memory). */
#define WIRE_MAX_DIMENSIONS 65536

struct vector_reader {
	float *floats;
	size_t cap_bytes;
	size_t len_bytes;
	size_t max_bytes;    /* 4 * dimensions, or of WIRE_MAX_DIMENSIONS */
	uint32_t dimensions; /* required; 0: the first vector decides */
	char quad[4];        /* base64 characters that wait for the rest of their four */
	uint8_t quad_len;
	bool is_padded; /* nothing may follow */
};

void vector_reader_init(struct vector_reader *reader);
void vector_reader_fini(struct vector_reader *reader);

/* For a new reply.  EMBED_TOO_LARGE above WIRE_MAX_DIMENSIONS, or EMBED_NO_MEMORY. */
enum embed_status vector_reader_start(struct vector_reader *reader, uint32_t dimensions);

/* For a new vector of the reply. */
void vector_reader_clear(struct vector_reader *reader);

/* One character of base64. */
const char *vector_reader_put_char(struct vector_reader *reader, char c);

/*
 * As many characters of [*text, end) as are plain base64; moves *text.  What it
 * stops at (a quote, a backslash, `=`, the end) is the caller's to look at.
 */
const char *vector_reader_put_run(struct vector_reader *reader, const char **text, const char *end);

const char *vector_reader_put_float(struct vector_reader *reader, float value);

/*
 * The vector is complete: right length, finite, not all 0.  Then `floats` holds
 * it and *dimensions says how long it is.
 */
const char *vector_reader_finish(struct vector_reader *reader, uint32_t *dimensions);

#endif
