/* SPDX-License-Identifier: MIT */
/*
 * Fault: what an upstream's answer means, and what to do about it.
 *
 * Takes the HTTP status, the headers and the (beginning of the) body, in any
 * of the shapes of PROTOCOL.md 3, 9 and 10: OpenAI's error object, missing
 * keys, integer code, `error` as a plain string, flat objects, `detail`, an
 * object inside an array, HTML, nothing.  Gives one verdict:
 *
 *   DONE        2xx
 *   RETRY       the same batch may pass later; wait at least `wait_ms`
 *   SPLIT       never as it is, but smaller batches may pass
 *   STOP_INPUT  one input is at fault (`error.index`): it fails, the rest can go again
 *   STOP_ALL    nothing in this batch can pass; with `is_account`, nothing that is
 *               sent to this upstream can, until a person acts
 *
 * SPLIT is only given for more than one input, and STOP_INPUT always has an
 * index below the count, so a caller needs no special cases.
 *
 * `error` is what the input's owner is told: a status, and a sentence with what
 * was wrong and what to do; upstream's own words are quoted in it, but not where
 * they may echo a key (401, 403).  They may echo a text, so neither the sentence
 * nor `text` belongs into a log: `error.code` and `type` do.
 *
 * Threads: any.
 */
#ifndef WIRE_FAULT_H
#define WIRE_FAULT_H

#include <embed.h>

#include "wire/header.h"

enum wire_verdict {
	WIRE_DONE,
	WIRE_RETRY,
	WIRE_SPLIT,
	WIRE_STOP_INPUT,
	WIRE_STOP_ALL,
};

/* Which of the account's limits a 429 named. */
enum wire_limit_kind {
	WIRE_LIMIT_NONE,
	WIRE_LIMIT_REQUESTS,
	WIRE_LIMIT_TOKENS,
	WIRE_LIMIT_DAY, /* requests or tokens per day */
};

/* Waits above this are not waited for: RETRY becomes STOP_ALL (Azure says 86400). */
#define WIRE_FAULT_MAX_WAIT_MS (INT64_C(3600) * 1000)

/* More of an error body than this is not looked at; a caller need not keep more. */
#define WIRE_FAULT_BODY_BYTES 65536

struct wire_fault {
	enum wire_verdict verdict;
	struct embed_error error; /* http_status, code and index are set too */
	char type[64];
	char param[64];
	char text[256];    /* upstream's message, cut, control characters as blanks; "" if none */
	int64_t wait_ms;   /* what the server asked for, by header or message; -1: nothing */
	bool is_account;   /* key, money, country: the upstream is of no use now */
	bool is_rate;      /* a rate limit: pause all senders to this upstream */
	bool is_slow_down; /* the ramp was too steep: keep the earlier rate for 15 minutes */
	enum wire_limit_kind limit_kind;
	int64_t limit; /* per minute (or day), as the message names it; -1: not said */
	int64_t used;
	int64_t requested;
};

struct wire_answer {
	int http_status;
	const struct wire_headers *headers; /* NULL: none */
	const char *body;                   /* may be cut */
	size_t body_len;
	size_t input_count; /* inputs in the batch, at least 1 */
	int64_t unix_s;     /* now, for retry-after as a date */
};

void wire_fault_read(struct wire_fault *fault, const struct wire_answer *answer);

/* A 200 whose body was cut or wrong: always RETRY; `error` is what wire_reply_feed or _end gave. */
void wire_fault_from_reply(struct wire_fault *fault, const struct embed_error *error);

/* "retry", "stop_all", ..: for logs. */
const char *wire_verdict_name(enum wire_verdict verdict);

#endif
