/* SPDX-License-Identifier: MIT */
/*
 * Job: one call of embed_submit, from its first text to its result.
 *
 * A text becomes one part, or several when it is too long and is to be
 * averaged.  Parts that the store knows are answered at once (on the caller's
 * thread); the others are handed to the engine together, which answers them on
 * its own thread.  The last one finishes the job.
 *
 * Ownership: counted references, one of the running job and one of the
 * caller's handle.  Threads: the submitting one until job_send, then the
 * engine's; nobody else touches the result.
 */
#ifndef SERVICE_JOB_H
#define SERVICE_JOB_H

#include <stdatomic.h>

#include "service/result.h"
#include "service/service.h"

/* The running mean of a text that was cut into several parts. */
struct job_average {
	double *sum; /* NULL until the first part is there */
	uint32_t dimensions;
	uint32_t parts_left;
};

struct embed_job {
	_Atomic unsigned refs;
	embed_service *service;
	struct scope scope; /* with model and key_name owned, the other strings NULL */
	embed_done_fn *on_done;
	void *context;
	int64_t started_us;
	uint64_t epoch;                /* the engine's, from before the store was asked */
	struct engine_job *engine_job; /* for cancel; NULL without a handle */
	struct embed_result *result;
	struct job_average *averages; /* one for each text, NULL until a text needs one */
	struct engine_text *misses;
	size_t *miss_text; /* misses[i] is (part of) this text */
	size_t miss_count, miss_cap;
	uint64_t hits, hit_tokens; /* counted when the job is accepted */
};

/* One reference, the caller's.  NULL when memory runs out. */
struct embed_job *job_create(embed_service *service, const struct scope *scope, size_t count,
    embed_done_fn *on_done, void *context);
void job_unref(struct embed_job *job);

/*
 * Asks the store for one part of text `index`, and remembers it as a miss if
 * it is not there.  What `input` points to must stay until job_send.  Statuses
 * other than EMBED_OK (memory) end the whole job.
 */
enum embed_status job_add_part(struct embed_job *job, size_t index, const struct embed_text *input,
    const struct digest *key, uint32_t tokens);

/* Whether the store answered this part of `index`; then the text is done if it has no other part. */
bool job_read_part(struct embed_job *job, size_t index, const struct digest *key);

/* Text `index` will have `parts` parts.  False when memory runs out. */
bool job_expect_parts(struct embed_job *job, size_t index, uint32_t parts);

/* Ends a text with an error; further parts of it are ignored. */
void job_fail_text(struct embed_job *job, size_t index, const struct embed_error *error);

/*
 * Hands the misses to the engine, or finishes at once when there are none.
 * `handle`: whether the caller wants to be able to cancel.
 */
enum embed_status job_send(struct embed_job *job, const struct embed_request *request, bool handle,
    struct embed_error *error);

#endif
