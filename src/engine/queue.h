/* SPDX-License-Identifier: MIT */
/*
 * Queue: the flights that wait to be sent, by lane, key and kind.
 *
 * Within a lane, keys take turns by the tokens sent for them, divided by their
 * weight: the one served least is next, and a key that comes back from a pause
 * starts where the others are (it cannot save up turns).  Its oldest text
 * decides the kind of the next batch; the batch is then filled from all keys
 * that have texts of this kind, round robin by weight, in order of arrival
 * within each.  Who comes into a batch this way is charged all the same, so
 * that in the long run tokens are shared by weight.
 *
 * Which lane is next is the caller's decision (core).
 *
 * Threads: none; the engine's owns it.
 */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "engine/job.h"
#include "engine/names.h"

/* Flights of one key and kind, oldest first. */
struct line {
	struct queue_key *key; /* held */
	struct kind *kind;     /* held */
	enum embed_lane lane;
	struct line *key_next, *key_prev;   /* ring of its key's lines */
	struct line *kind_next, *kind_prev; /* ring of its kind's lines */
	struct flight *first, *last;
	int64_t credit; /* tokens it may still take in this round */
};

struct queue_lane {
	struct heap turns; /* struct key_lane.turn */
	int64_t served;    /* of the key whose turn was last */
	size_t texts;
	uint64_t tokens;
	uint64_t charge_bytes;
	int64_t paced_us; /* for so long in all, until noted_us, a limit held the lane up */
	int64_t noted_us;
	bool is_paced; /* since noted_us */
};

struct queue {
	struct names *names;
	struct queue_lane lanes[LANES];
};

/* From now on a limit holds the lane up, or does not. */
void queue_note_pace(struct queue *queue, enum embed_lane lane, bool is_paced, int64_t now_us);

/* How long limits have held the lane up in all; wraps, so that only differences mean something. */
uint32_t queue_paced_ms(const struct queue *queue, enum embed_lane lane, int64_t now_us);

/* When the text that has waited longest came; 0: none waits.  Goes through all lines. */
int64_t queue_oldest_us(const struct queue *queue, enum embed_lane lane);

/* What a batch may hold. */
struct queue_caps {
	size_t texts;
	uint64_t tokens;
	uint64_t charge_bytes;
	uint64_t json_bytes; /* texts with a comma each */
};

/* What queue_take took. */
struct queue_taken {
	struct flight *first; /* linked by `next` */
	size_t texts;
	uint64_t tokens;
	uint64_t charge_bytes;
	uint64_t json_bytes;
};

void queue_init(struct queue *queue, struct names *names);
void queue_fini(struct queue *queue);

/* False when memory runs out: the flight is not in then.  Its key and kind are set. */
bool queue_add(struct queue *queue, struct flight *flight, enum embed_lane lane);

/* The flight is in. */
void queue_remove(struct queue *queue, struct flight *flight);

/* The flight whose turn it is, or NULL; it stays in. */
struct flight *queue_peek(struct queue *queue, enum embed_lane lane);

/* Takes out what fits, of the kind of queue_peek's flight; that one at least. */
struct queue_taken queue_take(
    struct queue *queue, enum embed_lane lane, const struct queue_caps *caps);

#endif
