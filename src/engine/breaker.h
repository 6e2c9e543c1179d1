/* SPDX-License-Identifier: MIT */
/*
 * Breaker: leaves an upstream alone that keeps failing.
 *
 *	closed    all may pass; BREAKER_FAILURES failures in a row open it
 *	open      none may pass, for 1 s at first, twice as long each time, at most 30 s
 *	half-open one may pass; if it goes well the breaker closes, else it opens again
 *
 * Failures are what speaks against the upstream (no connection, no answer,
 * 5xx, nonsense), not against a text, and not a rate limit.
 *
 * Threads: none.  Time is an argument.
 */
#ifndef ENGINE_BREAKER_H
#define ENGINE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

#define BREAKER_FAILURES 5

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	enum breaker_state state;
	uint32_t failures; /* in a row */
	uint32_t openings; /* in a row */
	int64_t until_us;  /* while open */
	bool is_trying;    /* half-open: the one is under way */
};

void breaker_init(struct breaker *breaker);

/* 0: may pass now; INT64_MAX: when the one that tries has ended. */
int64_t breaker_wait_us(const struct breaker *breaker, int64_t now_us);

/* One passes.  True: it is the one that tries a half-open breaker. */
bool breaker_pass(struct breaker *breaker, int64_t now_us);

/* The one that tries ended without saying anything about the upstream. */
void breaker_unknown(struct breaker *breaker);

/* True: it was open or half-open. */
bool breaker_went_well(struct breaker *breaker);

/* True: it opened now. */
bool breaker_failed(struct breaker *breaker, struct random *random, int64_t now_us);

/* "closed", "open" or "half-open". */
const char *breaker_name(const struct breaker *breaker);

#endif
