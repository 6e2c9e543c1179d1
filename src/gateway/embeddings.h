/* SPDX-License-Identifier: MIT */
/*
 * Embeddings: how POST /v1/embeddings is answered, a file for each step.
 *
 *   asked.c    what headers and body ask for
 *   hits.c     vectors that are stored, written into the reply at once
 *   misses.c   the rest, as one job; the exchange is parked meanwhile
 *   answer.c   the reply itself, whoever found the vectors
 *
 * Hits are looked up in order.  At the first text that is not stored, that
 * text and all after it become one job; the reply, as far as it got, waits
 * with the parked exchange.  So an all-hit request never leaves the worker,
 * and nothing is looked up twice but that one.
 *
 * Threads: each function runs on the call's worker.
 */
#ifndef GATEWAY_EMBEDDINGS_H
#define GATEWAY_EMBEDDINGS_H

#include "gateway/state.h"

/* What the headers and the body asked for, for the library. */
struct asked {
	struct embed_request request;
	const struct wire_request *body;
	char user[256];
	char partition[KEY_NAME_MAX + 16];
};

/* ---- asked.c -------------------------------------------------------------- */

/* Reads and judges the body; false: refused. */
bool asked_read_body(struct call *call, struct wire_request *body);

/* From `asked->body`, the headers and the key; its strings live as long as `asked` and the call. */
void asked_fill(struct call *call, struct asked *asked);

/* As OpenAI's limiter counts: an estimate, from the length. */
uint64_t asked_tokens(const struct embed_text *texts, size_t count);

/* ---- hits.c ---------------------------------------------------------------- */

/* Begins the reply and writes stored vectors from the first on; the count of them. */
size_t hits_write(struct call *call, struct asked *asked);

/* ---- misses.c -------------------------------------------------------------- */

/* Asks for the texts after the prefix; answers, now or when they are there. */
void misses_submit(struct call *call, struct asked *asked);

/* ---- answer.c -------------------------------------------------------------- */

enum wire_layout answer_layout(const char *model);

/* Writes one vector and counts it. */
void answer_add(struct call *call, size_t index, const struct embed_answer *answer);

/* x-embed-cache and the counts beside it. */
void answer_add_cache_fields(struct call *call);

/* Ends and sends the reply, which is in worker->body. */
void answer_finish(struct call *call);

#endif
