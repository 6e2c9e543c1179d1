/* SPDX-License-Identifier: MIT */
/*
 * Books: what the stand-in did and billed, exactly.  Other tests reconcile
 * their ledgers with these numbers.
 *
 * Billed means: accepted by the checks and the limiter, and not struck by a
 * fault of the INSTEAD stage.  What was billed in an answer that never arrived
 * whole (cut on purpose, or the client had gone) is counted as lost besides.
 *
 * Threads: none; the emulator's lock guards it.
 */
#ifndef EMULATOR_BOOKS_H
#define EMULATOR_BOOKS_H

#include <embed.h>

#include "base/buffer.h"
#include "wire/request.h"

#define BOOKS_GROUPS_MAX 256
#define BOOKS_NAME_MAX   128
#define BOOKS_STATUSES   600

/* Sums of one key or one model. */
struct books_group {
	char name[BOOKS_NAME_MAX];
	uint64_t requests;      /* that got as far as being judged */
	uint64_t texts, tokens; /* billed */
};

struct books_groups {
	struct books_group groups[BOOKS_GROUPS_MAX]; /* the last one takes what does not fit */
	size_t count;
};

/* Digests of all texts billed so far; grows to `cap_max` slots. */
struct books_seen {
	uint64_t (*slots)[2]; /* all zero: free */
	size_t cap, count;
	bool is_full; /* repeats are undercounted from here on */
};

struct books {
	uint64_t requests;      /* all, on every path */
	uint64_t embeddings;    /* of them to an embeddings path */
	uint64_t answered;      /* embeddings answered with status 200 and vectors */
	uint64_t texts, tokens; /* billed */
	uint64_t charged;       /* against the token limit */
	uint64_t lost_answers, lost_texts, lost_tokens;
	uint64_t batch_texts, batch_tokens; /* billed in batch files */
	uint64_t repeated_texts;            /* billed though billed before */
	uint64_t largest_request;           /* texts */
	uint64_t working, working_peak;     /* embeddings requests under way */
	uint64_t statuses[BOOKS_STATUSES];
	struct books_groups keys, models;
	struct books_seen seen;
};

/* One accepted request. */
struct books_bill {
	const char *key, *model;
	const struct embed_text *texts; /* with bytes, also where ids were given */
	size_t count;
	uint64_t tokens, charge;
	bool is_batch;
};

/* Creates an empty one; it is large.  NULL: no memory. */
struct books *books_create(void);
void books_destroy(struct books *books);

/* All counts to 0, but for the requests under way. */
void books_reset(struct books *books);

void books_judged(struct books *books, const char *key, const char *model);
void books_bill(struct books *books, const struct books_bill *bill);
void books_lost(struct books *books, uint64_t texts, uint64_t tokens);
void books_status(struct books *books, int status);
void books_begin(struct books *books);
void books_end(struct books *books);

/* Appends the members of a JSON object, without braces: `"requests":1,...`. */
void books_write(const struct books *books, struct buffer *out);

#endif
