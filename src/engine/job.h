/* SPDX-License-Identifier: MIT */
/*
 * Job, waiter, flight: the structs that a text passes through.
 *
 * A job is one allocation: for each text an entry with its waiter (the text
 * as somebody waits for it) and room for its flight (the text as it travels),
 * behind them the strings.  Whether the room is used shows when the engine's
 * thread finds that no equal text is on its way; so a text costs no allocation
 * of its own.  Beside it lies one buffer with the texts as they will stand in
 * request bodies, written by the caller's thread.
 *
 * A flight may outlive the job that it was made for (others wait for it); the
 * job's memory then stays until its last flight ended.
 *
 * Threads: job_create on the caller's; then all but `refs` and the inbox items
 * belong to the engine's thread.
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "engine/engine.h"
#include "engine/heap.h"
#include "engine/inbox.h"

struct line;
struct queue_key;
struct kind;
struct flight;

/* A bound for one job's texts as JSON. */
#define JOB_BODY_BYTES_MAX ((size_t)1 << 31)
/* And for their number, so that no size computed from it overflows. */
#define JOB_TEXTS_MAX ((size_t)1 << 24)

struct waiter {
	struct waiter *next, *prev; /* others of the flight */
	struct flight *flight;      /* NULL: answered */
	struct engine_job *job;
};

enum flight_state {
	FLIGHT_NONE,    /* the room is not used */
	FLIGHT_QUEUED,  /* in a line */
	FLIGHT_BATCHED, /* in a batch, being tried or waiting to be tried again */
	FLIGHT_LANDED,  /* answered, not durable yet */
};

struct flight {
	struct flight *table_next;
	struct flight *next, *prev; /* in a line; in a batch only `next` */
	struct engine_job *job;     /* whose memory it is */
	struct waiter *waiters;     /* the first */
	struct waiter *owner;       /* for whom it is billed; NULL: gone */
	struct queue_key *key;      /* likewise; held */
	struct kind *kind;          /* held */
	struct line *line;          /* while queued */
	const float *vector;        /* once landed */
	uint32_t dimensions;        /* of it */
	uint32_t json_len;
	const char *json; /* the text as it stands in a request body */
	int64_t queued_us;
	uint32_t charge_bytes; /* for the provider's arithmetic: 4 make a permit */
	uint32_t tokens;       /* exact */
	uint32_t share;        /* its key's place in the shares of the attempt under way */
	enum flight_state state;
	uint32_t paced_ms; /* queue_paced_ms() when it was queued */
	bool is_stored;    /* hand the vector to the store */
};

struct entry {
	struct digest digest;
	struct waiter waiter;
	struct flight flight;
};

struct engine_job {
	struct inbox_item submit_item;
	struct inbox_item cancel_item;
	atomic_bool is_cancelled;    /* cancel_item was used */
	atomic_uint refs;            /* the engine's, the handle's, a cancel under way */
	struct engine *engine;       /* where a cancel goes; NULL in simulations */
	struct engine_job_spec spec; /* strings below, never NULL but for trace_parent */
	struct engine_callbacks callbacks;
	struct heap_node deadline;
	struct engine_job *older, *newer; /* all jobs */
	struct queue_key *key;            /* held */
	struct kind *kinds[2];            /* [0] texts, [1] ids; held; NULL: not needed so far */
	size_t count;
	size_t unanswered;
	size_t flights;  /* of its entries, not ended */
	uint64_t tokens; /* of all its texts */
	int probe_index; /* the upstream to probe, or -1 */
	struct buffer json;
	struct entry entries[];
};

/* The job is complete, with one reference.  EMBED_NO_MEMORY or EMBED_TOO_LARGE. */
enum embed_status engine_job_create(struct engine_job **out, const struct engine_job_spec *spec,
    const struct engine_text *texts, size_t count, const struct engine_callbacks *callbacks,
    struct embed_error *error);

void engine_job_ref(struct engine_job *job);
void engine_job_unref(struct engine_job *job);

static inline bool job_is_ids(const struct entry *entry)
{
	/* Only token arrays begin with a bracket; texts begin with a quote. */
	return entry->flight.json[0] == '[';
}

#endif
