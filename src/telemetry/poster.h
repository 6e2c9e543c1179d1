/* SPDX-License-Identifier: MIT */
/*
 * Poster: brings JSON to an HTTP endpoint, in the background.
 *
 * A thread of its own takes letters from a bounded queue and posts them one by
 * one; what fails for a passing reason is tried again with growing pauses.
 * Whoever posts never waits: when the queue is full the letter is dropped and
 * counted.  A receiver that hangs costs its timeout, and at the end at most
 * the time that is given for the last letters.
 *
 * https is verified, redirects are not followed.
 *
 * Threads: poster_post and poster_counts from any; create and destroy by the owner.
 */
#ifndef TELEMETRY_POSTER_H
#define TELEMETRY_POSTER_H

#include <embed.h>

#include "base/buffer.h"

struct poster;

/* Called on the poster's thread about every `interval_ms`, and at the end: may post what has gathered. */
typedef void poster_collect_fn(struct poster *poster, void *context);

struct poster_options {
	const char *url;     /* copied */
	const char *ca_file; /* PEM to trust instead of the system's; NULL: those */
	const char *const
	    *fields;         /* "Name: value" for each letter, ended by NULL; copied; may be NULL */
	size_t queue;        /* letters that may wait; 0: 64 */
	uint32_t timeout_ms; /* of one try; 0: 10000 */
	uint32_t tries;      /* of one letter; 0: 5 */
	uint32_t first_wait_ms; /* before the second try, twice as long before each next; 0: 500 */
	uint32_t interval_ms;   /* 0: 1000 */
	poster_collect_fn *collect; /* or NULL */
	void *context;
};

struct poster_counts {
	uint64_t sent, dropped, failed; /* failed: given up, or refused for good */
	char last_fault[64];            /* why the last that failed did; "": none has */
};

enum embed_status poster_create(
    struct poster **out, const struct poster_options *options, struct embed_error *error);

/* Takes `body` over (leaves it empty).  `field`: one more for this letter, or NULL.  False: dropped. */
bool poster_post(struct poster *poster, struct buffer *body, const char *field);

struct poster_counts poster_counts(struct poster *poster);

/* Posts what waits, for `flush_ms` at most, and ends.  NULL is fine. */
void poster_destroy(struct poster *poster, uint32_t flush_ms);

#endif
