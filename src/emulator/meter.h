/* SPDX-License-Identifier: MIT */
/*
 * Meter: what the stand-in did and billed, exactly.  Other tests reconcile
 * their ledgers with these numbers.
 *
 * Billed means: accepted by the checks and the limiter, and not struck by a
 * fault of the INSTEAD stage.  What was billed in an answer that never arrived
 * whole (cut on purpose, or the client had gone) is counted as lost besides.
 *
 * Threads: none; the emulator's lock guards it.
 */
#ifndef EMULATOR_METER_H
#define EMULATOR_METER_H

#include <embed.h>

#include "base/buffer.h"
#include "wire/request.h"

#define METER_GROUPS_MAX 256
#define METER_NAME_MAX   128
#define METER_STATUSES   600

/* Sums of one key or one model. */
struct meter_group {
	char name[METER_NAME_MAX];
	uint64_t requests;      /* that got as far as being judged */
	uint64_t texts, tokens; /* billed */
};

struct meter_groups {
	struct meter_group groups[METER_GROUPS_MAX]; /* the last one takes what does not fit */
	size_t count;
};

/* Digests of all texts billed so far; grows to `cap_max` slots. */
struct meter_seen {
	uint64_t (*slots)[2]; /* all zero: free */
	size_t cap, count;
	bool is_full; /* repeats are undercounted from here on */
};

struct meter {
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
	uint64_t statuses[METER_STATUSES];
	struct meter_groups keys, models;
	struct meter_seen seen;
};

/* One accepted request. */
struct meter_bill {
	const char *key, *model;
	const struct embed_text *texts; /* with bytes, also where ids were given */
	size_t count;
	uint64_t tokens, charge;
	bool is_batch;
};

/* Creates an empty one; it is large.  NULL: no memory. */
struct meter *meter_create(void);
void meter_destroy(struct meter *meter);

/* All counts to 0, but for the requests under way. */
void meter_reset(struct meter *meter);

void meter_judged(struct meter *meter, const char *key, const char *model);
void meter_bill(struct meter *meter, const struct meter_bill *bill);
void meter_lost(struct meter *meter, uint64_t texts, uint64_t tokens);
void meter_status(struct meter *meter, int status);
void meter_begin(struct meter *meter);
void meter_end(struct meter *meter);

/* Appends the members of a JSON object, without braces: `"requests":1,...`. */
void meter_write(const struct meter *meter, struct buffer *out);

#endif
