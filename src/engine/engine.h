/* SPDX-License-Identifier: MIT */
/*
 * Engine: brings texts upstream and their vectors back, each paid for once.
 *
 *	texts --> flights --> lanes --> batches --> limiters --> attempts --> upstreams
 *	          (equal      (fair                              |
 *	           texts       among keys)   retry, split,  <----'
 *	           join)                     fail over
 *
 * What the caller did already: found the texts to be well-formed, counted
 * their tokens, made their keys and missed them in the store.
 *
 * Life of a flight.  The first text with an identity that is not on its way
 * starts a flight; equal ones join it.  When the reply is there, all waiters
 * are answered at once and the vector goes to the record hook.  The flight
 * stays, and whoever joins it is answered from its vector, until
 * engine_recorded says that the vector is durable (or could not be stored).
 * So there is no moment in which a text is neither on its way nor stored.
 *
 * Identity of a flight: key, model, user, extra, authorization and dimensions; where
 * the model can shorten, a text that wants fewer dimensions joins one that
 * brings more, and gets the longer vector (the caller cuts it).
 *
 * Threads.  One thread of the engine's own does everything; all callbacks and
 * hooks run on it and must neither block nor close the engine (they may submit
 * and cancel).  The functions below may be called from any thread, but
 * engine_open and engine_close from one.
 *
 * The pure part is core.h (a state machine, tested by simulation), the shell
 * around it loop.h, the sockets are transport.h.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <embed.h>

#include "base/digest.h"
#include "base/log.h"

struct engine;
struct engine_job;

/* More would make no sense and lets a set of upstreams be one word. */
#define ENGINE_UPSTREAMS_MAX 64

/* ---- Opening and closing -------------------------------------------- */

/* What an upstream's account had to give within the minute before the engine opened. */
struct engine_spent {
	double requests;
	double permits; /* PROTOCOL.md 7: bytes / 4 */
};

/* Everything is copied.  Durations are above 0; counts as said. */
struct engine_options {
	const struct embed_upstream
	    *upstreams; /* 1 .. ENGINE_UPSTREAMS_MAX, every default filled in */
	size_t upstream_count;
	uint64_t queue_tokens;         /* tokens that may wait in all; 0: no cap */
	uint32_t max_attempts;         /* of one batch, at least 1 */
	uint32_t retry_deadline_ms;    /* give up on a text this long after it was first sent */
	uint32_t retry_budget_percent; /* retries as a share of first attempts */
	uint32_t connect_timeout_ms;
	uint32_t
	    first_byte_timeout_ms; /* from the request being sent to the first byte of the reply */
	uint32_t idle_timeout_ms;  /* no byte for this long mid-reply */
	uint64_t
	    vector_bytes; /* vectors held at a time (sent for, or not yet durable), about; 0: 64 MiB */
	uint64_t seed;    /* of the jitter */
	const struct engine_spent
	    *spent;     /* one for each upstream, looked at while opening; NULL: nothing */
	bool has_spans; /* attempts of traced jobs get a span of their own */
	struct log log;
};

/* A vector to be stored; `numbers` stay until engine_recorded. */
struct engine_vector {
	struct digest key;
	const float *numbers; /* validated: finite, norm above 0 */
	uint32_t dimensions;
	uint32_t tokens;
};

/* What of an attempt is one key's.  Shares add up to the attempt exactly. */
struct engine_share {
	const char *key_name;
	uint32_t texts;
	uint64_t tokens; /* billed; 0 when the attempt was not */
};

/*
 * One attempt that ended, however it ended.  Everything in it is the engine's
 * and stays as it is until engine_recorded.
 */
struct engine_record {
	const char *upstream; /* its name */
	size_t upstream_index;
	const char *model; /* as callers name it */
	enum embed_lane lane;
	int64_t sent_unix_us; /* when, microseconds since 1970 */
	int64_t latency_us;   /* until its end */
	int64_t queue_us;     /* its first text's wait for a slot, before any attempt */
	int64_t pacing_us;    /* and for limits */
	int64_t retry_us;     /* since the batch was first sent */
	int http_status;      /* 0: no answer */
	enum embed_status status;
	uint32_t retry;            /* 0: the first attempt of its batch */
	bool is_billed;            /* answered with vectors */
	uint64_t billed_tokens;    /* as upstream counted; our count where it gave none */
	const char *request_id;    /* upstream's, or "" */
	const char *trace_parent;  /* of the first text's job, or NULL */
	uint64_t span_id;          /* of the attempt, told upstream; 0: not traced */
	const char *error_code;    /* upstream's, or "" */
	const char *error_message; /* for people, or "" */
	const struct engine_share *shares;
	size_t share_count; /* at least 1 */
	const struct engine_vector *vectors;
	size_t vector_count; /* 0 for a failed attempt; without texts that are not to be stored */
	void *context;       /* the record hook's to use, e.g. as a link; NULL at first */
};

/* A vector that somebody asks for: one with at least so many dimensions will do if it can be cut. */
struct engine_want {
	struct digest key;
	uint32_t dimensions; /* 0: nobody knows the model's own */
	bool can_shorten;
};

struct engine_hooks {
	/*
	 * Takes the record; whoever wrote it (any thread) passes it to
	 * engine_recorded, at once or later.  Called before the waiters are answered.
	 */
	void (*record)(struct engine_record *record, void *context);
	void *context;

	/*
	 * Looks into the store once more; may be NULL.  Between a caller's miss and
	 * its submit a flight of the same text may have landed, been stored and
	 * ended.  So a text that would start a flight is looked up first, unless no
	 * flight has ended since the caller looked (engine_job_spec.epoch) or the
	 * job is not for the store.  True: `numbers`, with room for `cap`, and
	 * `dimensions` are filled, and the text is answered with EMBED_FROM_STORE.
	 */
	bool (*find)(const struct engine_want *want, float *numbers, size_t cap,
	    uint32_t *dimensions, void *context);
};

/* EMBED_BAD_OPTION with a sentence, EMBED_NO_MEMORY, EMBED_IO (no thread). */
enum embed_status engine_open(struct engine **out, const struct engine_options *options,
    const struct engine_hooks *hooks, struct embed_error *error);

/*
 * Ends every unfinished text with EMBED_CLOSED (attempts under way are
 * aborted), then waits until every record came back through engine_recorded:
 * whoever writes them must still run.  NULL is fine.
 */
void engine_close(struct engine *engine);

/*
 * Each upstream's api_key, requests_per_minute and tokens_per_minute from now
 * on; as many upstreams as at the start, in their order.  Borrowed: the array
 * and its strings must outlive the engine.
 */
enum embed_status engine_change(
    struct engine *engine, const struct embed_upstream *upstreams, struct embed_error *error);

/* The writer is done with the record; `status` tells of the store. */
void engine_recorded(struct engine *engine, struct engine_record *record, enum embed_status status);

/* ---- Jobs ------------------------------------------------------------ */

/* What all texts of a job have in common.  Strings are copied; NULL is "". */
struct engine_job_spec {
	const char *model;
	uint32_t dimensions;       /* asked for; 0: the model's own */
	uint32_t model_dimensions; /* the model's own, for checking answers; 0: unknown */
	bool can_shorten;          /* a shorter vector is a cut of a longer one */
	bool no_store;             /* do not hand the vectors to the record hook */
	enum embed_lane lane;
	const char *key_name;
	uint32_t key_weight; /* 0 is 1 */
	const char *user;
	const char *extra;         /* raw members for the body, `"a":1` */
	const char *authorization; /* caller's own upstream key; NULL: the upstream's */
	const char *trace_parent;
	int64_t deadline_us; /* on clock_now_us's scale; 0: none */
	uint64_t epoch; /* engine_epoch from before the caller looked into the store; 0: long ago */
};

/* Text bytes (non-empty UTF-8) or, with `bytes` NULL, at least one id.  Copied. */
struct engine_text {
	struct digest key;
	const char *bytes;
	size_t len;
	const uint32_t *ids;
	size_t id_count;
	uint32_t tokens; /* exact */
};

/* One text's answer; pointers are valid during the callback. */
struct engine_outcome {
	enum embed_status status;
	enum embed_source
	    source;          /* UPSTREAM: this text is the one that was billed; FLIGHT: joined it */
	const float *vector; /* NULL unless EMBED_OK */
	uint32_t dimensions; /* may be more than asked for, where the model can shorten */
	uint64_t billed_tokens;          /* 0 unless source is UPSTREAM */
	const struct embed_error *error; /* NULL when EMBED_OK; its index is unset */
};

struct engine_callbacks {
	void (*text_done)(void *context, size_t index, const struct engine_outcome *outcome);
	void (*job_done)(void *context); /* after the last text, exactly once */
	void *context;
};

/* Counts the ends of flights; never 0.  To be read before looking into the store. */
uint64_t engine_epoch(struct engine *engine);

/*
 * Hands `count` (at least 1) texts over.  `job` may be NULL; otherwise the
 * handle is the caller's to release.  EMBED_NO_MEMORY, EMBED_QUEUE_FULL,
 * EMBED_TOO_LARGE, EMBED_CLOSED: nothing was taken, no callback comes.
 */
enum embed_status engine_submit(struct engine *engine, const struct engine_job_spec *spec,
    const struct engine_text *texts, size_t count, const struct engine_callbacks *callbacks,
    struct engine_job **job, struct embed_error *error);

/* The job's unanswered texts end with EMBED_CANCELLED, soon.  Others are not harmed. */
void engine_cancel(struct engine_job *job);

/* Gives the handle back, before or after the job is done, at the latest before engine_close.  NULL is fine. */
void engine_job_release(struct engine_job *job);

/*
 * Sends one text to upstream `index` past queues and limits, once, and waits.
 * It is recorded as any attempt, its vector is not stored.  EMBED_OK: it
 * answered; otherwise `error` says what came.  Not on the engine's thread.
 */
enum embed_status engine_probe(struct engine *engine, size_t index,
    const struct engine_job_spec *spec, const struct engine_text *text, int64_t *latency_us,
    struct embed_error *error);

/* ---- Looking at it --------------------------------------------------- */

/*
 * Adds what the engine counts to the fields of its names: attempts,
 * attempts_failed, sent_texts, billed_tokens, retries, splits, failovers,
 * rate_limited, timeouts, bad_replies, unsure_tokens, queued_texts, queued_tokens, flights,
 * in_flight, slots, breakers_open.
 */
void engine_stats(struct engine *engine, struct embed_stats *stats);

/* wait_us is judged from what waits there and how fast the upstreams take it; 0 when a slot is free. */
void engine_lane_state(struct engine *engine, enum embed_lane lane, struct embed_lane_state *state);

/* EMBED_NOT_FOUND past the end.  Strings live as long as the engine. */
enum embed_status engine_upstream_state(
    struct engine *engine, size_t index, struct embed_upstream_state *state);

/* See embed_network_library and embed_network_library_lack. */
const char *engine_library(void);
const char *engine_library_lack(void);

#endif
