/* SPDX-License-Identifier: MIT */
/*
 * World: everything around the engine's core, made up and driven by one seed.
 *
 * A seed decides what the accounts are like (limits, latency, faults), what
 * callers want (texts, many of them equal, in two lanes, for several keys and
 * users, with deadlines and changes of mind), and how the store behaves (slow,
 * failing, killed with the process).  Time jumps from event to event.  The
 * same seed gives the same run, to the microsecond.
 *
 * What is checked, always:
 *   - every text gets exactly one answer, job_done comes once and last;
 *   - it is the right answer: the vector is that of the text and model; an
 *     error is one that something in this world explains;
 *   - no text is sent while an equal one is under way, landed or stored, so none
 *     is billed twice unless a fault lost what was paid for;
 *   - no account's limit is exceeded, by the fake upstream's own arithmetic
 *     (unless somebody else uses the account, too);
 *   - no request is larger than its upstream's settings, nor are there more at
 *     a time; the retries stay within the budget;
 *   - everything ends, and nothing is left in the core.
 */
#ifndef SIMULATION_WORLD_H
#define SIMULATION_WORLD_H

#include "base/random.h"
#include "engine/core.h"

#define TEXTS_MAX     400
#define JOBS_MAX      160
#define UPSTREAMS_MAX 3
#define KEYS_MAX      4
#define USERS         2
#define DIMENSIONS    8 /* of the made-up model */
#define SHORT         4 /* what some ask for */

/* Chances in 1000. */
struct faults {
	uint32_t rate_limit; /* 429 although there is room */
	uint32_t server;     /* 5xx */
	uint32_t stall;      /* no answer, billed or not */
	uint32_t reset;      /* connection gone, billed or not */
	uint32_t nonsense;   /* billed, but the answer is no use */
	uint32_t store;      /* a write fails */
	uint32_t memory;     /* an allocation in the core fails */
	uint32_t slow_down;
	bool others; /* somebody else uses the account */
	bool quota;  /* the account runs dry, and is paid for later */
	bool crash;  /* the process is killed and starts again */
};

struct fake_bucket {
	double limit, left; /* limit 0: there is none */
	int64_t at_us;
};

struct fake_upstream {
	struct embed_upstream settings;
	char name[32];
	struct fake_bucket requests, permits;
	bool tells_limits;
	int64_t latency_us; /* typical */
	int64_t dry_from_us, dry_until_us;
	uint32_t under_way;
	uint32_t exceeded; /* requests refused for want of permits */
	bool names_input;  /* says which text it refuses */
};

struct fake_text {
	struct digest key;
	char bytes[2048];
	size_t len;
	uint32_t tokens;
	bool is_poison;
	/* By user, and long or short vectors: each may be paid for once. */
	uint32_t billed[USERS][2];
	uint32_t lost[USERS][2]; /* what was billed did not arrive, or was not kept */
	uint32_t under_way[USERS][2];
	bool is_landed[USERS][2];
	bool is_stored[2]; /* on disk: long or short */
};

struct fake_job {
	struct world *world;
	struct engine_job *handle;
	size_t number;
	size_t texts[32];
	bool answered[32];
	size_t sent[32]; /* which of them were not on disk when the caller looked */
	size_t sent_count;
	uint64_t epoch;
	size_t count, answers;
	bool has_begun, is_done, is_cancelled, is_short, is_crashed;
	size_t user;
	enum embed_lane lane;
	int64_t submitted_us, deadline_us;
};

enum event_kind {
	EVENT_LOOK,
	EVENT_SUBMIT,
	EVENT_CANCEL,
	EVENT_ARRIVE,
	EVENT_ANSWER,
	EVENT_RECORDED,
	EVENT_CRASH
};

struct event {
	struct heap_node node;
	struct event *next; /* all, or unused */
	enum event_kind kind;
	uint64_t number;
	struct attempt *attempt;
	struct fake_job *job;
	int reply; /* enum reply, for EVENT_ANSWER */
	bool is_billed;
	bool fails; /* the write, for EVENT_RECORDED */
	int64_t left_requests, left_permits;
};

struct world {
	uint64_t seed;
	bool has_trace;
	const char *failure; /* NULL: all is well so far */
	char detail[256];
	struct random random;
	int64_t now_us;
	struct heap events;
	uint64_t event_count;
	struct core *core;
	struct engine_options options;
	struct embed_upstream settings[UPSTREAMS_MAX];
	struct faults faults;
	bool is_calm;  /* no faults at all */
	bool has_long; /* most texts are long, so that limits are reached */
	struct fake_upstream upstreams[UPSTREAMS_MAX];
	size_t upstream_count;
	struct fake_text texts[TEXTS_MAX];
	size_t text_count;
	struct fake_job jobs[JOBS_MAX];
	size_t job_count, jobs_done;
	uint64_t attempts, retries, firsts, lives;
	int64_t started_us;
};

/* Notes the first failure; the run ends soon. */
void world_fail(struct world *world, const char *failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_trace(const struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool world_chance(struct world *world, uint32_t in_1000);
uint64_t world_below(struct world *world, uint64_t bound);

struct event *world_event(struct world *world, enum event_kind kind, int64_t at_us);

/* Makes everything up from the seed. */
void world_make(struct world *world, uint64_t seed);

/* Runs it to its end.  True: nothing failed. */
bool world_run(struct world *world);

/* ---- upstream.c ------------------------------------------------------ */

void fake_send(struct world *world, struct attempt *attempt);
void fake_arrive(struct world *world, struct event *event);
void fake_answer(struct world *world, struct event *event);

/* The process was killed with this attempt under way. */
void fake_abort(struct world *world, struct attempt *attempt);

/* What the vector of a text begins with. */
float fake_number(const struct fake_text *text, uint32_t place);
struct fake_text *fake_text_of(struct world *world, const struct flight *flight);

/* ---- callers.c ------------------------------------------------------- */

/* What is on disk is answered; the rest is handed over a little later. */
void fake_look(struct world *world, struct fake_job *job);
void fake_submit(struct world *world, struct fake_job *job);
void fake_cancel(struct world *world, struct fake_job *job);

/* ---- store.c --------------------------------------------------------- */

void fake_record(struct engine_record *record, void *context);
bool fake_find(const struct engine_want *want, float *numbers, size_t cap, uint32_t *dimensions,
    void *context);
void fake_recorded(struct world *world, struct event *event, bool is_crash);

/* ---- memory.c -------------------------------------------------------- */

/* Between these, so many allocations in 1000 fail. */
void memory_fail_from_here(uint64_t seed, uint32_t in_1000);
uint32_t memory_work_again(void);

/* Goes on as before memory_work_again, which gave `in_1000`. */
void memory_fail_on(uint32_t in_1000);

#endif
