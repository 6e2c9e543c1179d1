/* SPDX-License-Identifier: MIT */
/*
 * Pipeline: pulls items from a source, has them embedded, and puts records
 * into a writer in the source's order.
 *
 * What the store knows is written at once.  Behind the first miss, items go
 * out as jobs of a group each; groups wait in a window that is bounded in
 * bytes, so that memory does not grow with the input.  When all that waits
 * has been written, items are looked up directly again.
 *
 * An input that has nothing right now lets a group that is not full go out.
 *
 * Ends early, with the output abandoned, when the process was asked to stop
 * (what is in flight gets a few seconds), when upstream refuses for good, when
 * it keeps failing, or when source or output break.
 *
 * Threads: the caller's runs all of it; the engine's only marks jobs as done.
 */
#ifndef CLI_PIPELINE_H
#define CLI_PIPELINE_H

#include "cli/progress.h"
#include "cli/source.h"
#include "cli/records.h"

struct pipeline_options {
	embed_service *service;
	struct embed_request request;
	struct source *source;
	struct records *writer;
	struct progress *progress;
	size_t group_texts;   /* items in a job */
	size_t group_bytes;   /* and bytes of text */
	size_t request_texts; /* what a request takes: twice that failing in a row ends the run */
	size_t window_bytes;  /* of all that waits */
	bool no_store; /* nothing is kept: nothing is looked up, and a next run begins anew */
};

/* Everything is in the state; the exit status as command.h has them.  Commits or abandons the writer. */
int pipeline_run(const struct pipeline_options *options, struct progress_state *state);

#endif
