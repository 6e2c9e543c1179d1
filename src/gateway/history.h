/* SPDX-License-Identifier: MIT */
/*
 * History: how the gateway did, second by second and minute by minute.
 *
 * A point is what happened in one step of time, one number for each row of
 * HISTORY_TABLE.  Seconds make minutes (history_merge); latencies do not add
 * up and are set by whoever looks at them once a minute.  A ring keeps the
 * newest points and never grows.
 *
 * Pure: time comes with the points.  Threads: none; one owner.
 */
#ifndef GATEWAY_HISTORY_H
#define GATEWAY_HISTORY_H

#include "base/buffer.h"

/*
 * Every series once: name, how seconds become a minute, unit, meaning.
 * SUM: counted within the step.  TOP: the level, a minute's highest.  LATENCY:
 * of what ended within the step, 0 when nothing did.
 */
#define HISTORY_TABLE(ROW)                                                                         \
	ROW(requests, SUM, "requests", "requests for embeddings that were answered")               \
	ROW(rejected, SUM, "requests", "requests turned away by admission, rates or budgets")      \
	ROW(texts, SUM, "texts", "texts asked for")                                                \
	ROW(hits, SUM, "texts", "texts answered from the store")                                   \
	ROW(joined, SUM, "texts", "texts that joined an equal text on its way")                    \
	ROW(failed, SUM, "texts", "texts that ended in an error")                                  \
	ROW(sent_texts, SUM, "texts", "texts that upstream answered")                              \
	ROW(text_tokens, SUM, "tokens", "tokens of the texts asked for")                           \
	ROW(billed_tokens, SUM, "tokens", "tokens that upstream billed")                           \
	ROW(cost_nano, SUM, "nano-dollars", "cost of the tokens billed")                           \
	ROW(saved_nano, SUM, "nano-dollars", "cost that store and flights saved")                  \
	ROW(attempts, SUM, "attempts", "requests sent upstream")                                   \
	ROW(attempts_failed, SUM, "attempts", "of these without vectors")                          \
	ROW(rate_limited, SUM, "attempts", "answers with status 429")                              \
	ROW(retries, SUM, "attempts", "batches sent again")                                        \
	ROW(queued_texts, TOP, "texts", "texts waiting to be sent")                                \
	ROW(queued_tokens, TOP, "tokens", "tokens waiting to be sent")                             \
	ROW(in_flight, TOP, "attempts", "requests under way upstream")                             \
	ROW(connections, TOP, "connections", "connections of callers")                             \
	ROW(hit_p50_us, LATENCY, "microseconds", "half of the look-ups took less")                 \
	ROW(hit_p90_us, LATENCY, "microseconds", "9 of 10 look-ups took less")                     \
	ROW(hit_p99_us, LATENCY, "microseconds", "99 of 100 look-ups took less")                   \
	ROW(miss_p50_us, LATENCY, "microseconds", "half of the misses took less")                  \
	ROW(miss_p90_us, LATENCY, "microseconds", "9 of 10 misses took less")                      \
	ROW(miss_p99_us, LATENCY, "microseconds", "99 of 100 misses took less")                    \
	ROW(attempt_p50_us, LATENCY, "microseconds", "half of the attempts took less")             \
	ROW(attempt_p90_us, LATENCY, "microseconds", "9 of 10 attempts took less")                 \
	ROW(attempt_p99_us, LATENCY, "microseconds", "99 of 100 attempts took less")

struct history_point {
	int64_t time_s; /* Unix; when the step began */
#define ROW(name, how, unit, meaning) uint64_t name;
	HISTORY_TABLE(ROW)
#undef ROW
};

/* Adds a second to its minute: sums and tops; latencies stay. */
void history_merge(struct history_point *minute, const struct history_point *second);

struct history_ring {
	struct history_point *points;
	size_t cap;
	size_t count;
	size_t next; /* where the next point goes */
};

/* False: out of memory.  fini copes with a ring of zeroes. */
bool history_ring_init(struct history_ring *ring, size_t cap);
void history_ring_fini(struct history_ring *ring);

/* The oldest makes room. */
void history_ring_add(struct history_ring *ring, const struct history_point *point);

/* The `index`th, oldest first; NULL past the newest.  Valid until the next add. */
const struct history_point *history_ring_at(const struct history_ring *ring, size_t index);

/* {"step_s":1,"time":[..],"texts":[..],..}: one array for each series, oldest first. */
void history_write(struct buffer *out, const struct history_ring *ring, unsigned step_s);

/* The same object with one point's values in place of arrays. */
void history_write_point(struct buffer *out, const struct history_point *point);

#endif
