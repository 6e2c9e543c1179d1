/* SPDX-License-Identifier: MIT */
/*
 * Batch and attempt: texts that travel together, and one try at it.
 *
 * A batch has one kind and one lane.  It is tried until its texts are answered
 * or given up; between two tries it loses the texts that nobody waits for any
 * more.  A batch that is cut in two passes its history on to both parts.
 *
 * An attempt exists from sending until its record came back.  While it is
 * under way it has the batch; after a failure the batch goes its own way, after
 * a success the batch stays with the attempt, because its flights need the
 * vectors, which are the attempt's.  The record lies in the attempt.
 *
 * Threads: none; the engine's owns them (the record's reader sees constants).
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/queue.h"
#include "engine/spares.h"
#include "engine/upstream.h"

/* What the parts of one batch, cut after refusals, have seen together. */
struct lineage {
	size_t refs;
	uint32_t refusals;
	bool has_success;
};

struct batch {
	struct kind *kind; /* held */
	enum embed_lane lane;
	struct queue_taken texts; /* its flights and their sums */
	uint32_t attempts;        /* tries so far, refused ones included */
	uint32_t faults;          /* of these, how many failed through no fault of the texts */
	uint64_t tried;           /* upstreams that failed it since the last backoff */
	int64_t first_sent_us;    /* 0: not yet */
	int64_t give_up_us;       /* once sent */
	int64_t queue_us;         /* its first text's wait for a slot */
	int64_t pacing_us;        /* and for limits */
	struct heap_node due;     /* waits for a time */
	struct batch *next;       /* waits for a slot */
	struct lineage *lineage;  /* NULL: never cut */
	struct embed_error error; /* of the last attempt */
	bool is_cut;              /* since its last try: that was not its own */
	bool is_fresh;            /* the next attempt on a new connection */
	bool is_probe;
	size_t probe_index;
};

/* Takes the flights over.  NULL when memory runs out: they are the caller's still. */
struct batch *batch_create(const struct queue_taken *taken, enum embed_lane lane);

/* It has no flights any more. */
void batch_destroy(struct names *names, struct batch *batch);

/* Its sums again, after flights were taken out. */
void batch_sum(struct batch *batch);

/*
 * Cuts it: `second` gets the flights from number `at` on (0 < at < texts).
 * NULL when memory runs out: nothing changed.
 */
struct batch *batch_cut(struct batch *batch, size_t at);

/* Takes flight number `index` out, into a batch of its own; NULL as above. */
struct batch *batch_isolate(struct batch *batch, size_t index);

struct attempt {
	struct engine_record record; /* first: a record is its attempt */
	struct inbox_item recorded_item;
	enum embed_status recorded_status;
	uint64_t id;                   /* differs from attempt to attempt */
	struct attempt *newer, *older; /* all attempts */
	struct batch *batch;
	struct upstream *upstream;
	struct limiter_charge request_charge, permit_charge;
	int64_t sent_us;
	bool took_last_slot;
	bool is_trial; /* of a half-open breaker */
	bool is_under_way;
	uint32_t dimensions; /* to ask upstream for; 0: none */
	uint32_t expected;   /* numbers in a vector; 0: not known */
	float *numbers;      /* text by text, once the first vector came */
	uint32_t numbers_dimensions;
	size_t numbers_bytes;  /* what is counted for them */
	size_t numbers_cap;    /* bytes that `numbers` has */
	struct spares *spares; /* where `numbers` come from */
	char request_id[128];
	char error_code[64];
	char error_message[512];
	struct engine_share *shares;
	struct engine_vector *vectors;
	void *transport; /* the shell's */
};

/* Gathers shares by key; `mark` differs from attempt to attempt.  NULL when memory runs out. */
struct attempt *attempt_create(struct batch *batch, struct upstream *upstream,
    struct spares *spares, uint64_t mark, int64_t sent_unix_us);
void attempt_destroy(struct attempt *attempt);

/* Gives the memory of the vectors back; they are gone. */
void attempt_forget_numbers(struct attempt *attempt);

/* Puts a vector where text `index` is; false when memory runs out. */
bool attempt_vector(
    struct attempt *attempt, size_t index, const float *vector, uint32_t dimensions);

/* A vector's numbers, after attempt_vector. */
static inline const float *attempt_numbers(const struct attempt *attempt, size_t index)
{
	return attempt->numbers + index * attempt->numbers_dimensions;
}

#endif
