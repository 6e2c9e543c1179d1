/* SPDX-License-Identifier: MIT */
/*
 * Names: what many jobs share, kept once while anybody uses it.
 *
 * A key is whose texts they are (ledger, fairness).  A kind is what all texts
 * of one request upstream must have in common.  Both are found by value,
 * counted by reference, and forgotten with the last one, so that an engine that
 * saw a million users holds only the present ones.
 *
 * Threads: none; the engine's owns them.
 */
#ifndef ENGINE_NAMES_H
#define ENGINE_NAMES_H

#include "engine/heap.h"
#include "engine/job.h"

#define LANES 2

struct line;

/* A key's place in one lane. */
struct key_lane {
	struct heap_node turn; /* by `served`; in the lane's heap while it has lines */
	int64_t served;        /* tokens sent, by weight: who has least is next */
	struct line *lines;    /* ring; the one to go on with */
};

struct queue_key {
	struct queue_key *chain;
	size_t refs;
	uint32_t weight;
	uint64_t mark;  /* the attempt that counted it last */
	uint32_t share; /* its place in that attempt's shares */
	struct key_lane lanes[LANES];
	char name[];
};

struct kind {
	struct kind *chain;
	size_t refs;
	const char *model;
	const char *user;
	const char *extra;
	const char *authorization; /* "": the upstream's own */
	uint32_t dimensions;
	uint32_t model_dimensions;
	bool can_shorten;
	bool is_ids;
	struct line *lines[LANES]; /* rings */
};

#define NAMES_CHAINS 1024

struct names {
	struct queue_key *keys[NAMES_CHAINS];
	struct kind *kinds[NAMES_CHAINS];
};

/* Found or made, with one more reference; NULL when memory runs out. */
struct queue_key *names_key(struct names *names, const char *name, uint32_t weight);
struct kind *names_kind(struct names *names, const struct engine_job_spec *spec, bool is_ids);

struct queue_key *key_ref(struct queue_key *key);
struct kind *kind_ref(struct kind *kind);

/* NULL is fine. */
void names_key_unref(struct names *names, struct queue_key *key);
void names_kind_unref(struct names *names, struct kind *kind);

/* A text of `kind` may take the vector of a flight of `flying`, if their keys are equal. */
bool kind_may_join(const struct kind *kind, const struct kind *flying);

#endif
