/* SPDX-License-Identifier: MIT */
/*
 * Retry: how long to wait before trying again, and how much trying again
 * there may be.
 *
 * Backoff has full jitter: a random time below min(0.5 s x 2^n, 8 s).  What a
 * server asks for is a minimum; a random part of up to a tenth (at most 1 s)
 * comes on top.
 *
 * The budget bounds retries to a share of first attempts, so that an upstream
 * in trouble is not hit harder than one in health: each first attempt earns
 * `percent` / 100 of a retry, and a retry more comes each second whatever
 * happens.  At most RETRY_SAVED are saved up.  A retry that the budget does not
 * cover yet waits for its turn; it is not lost.
 *
 * Threads: none.  Time is an argument.
 */
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include <stdint.h>

#include "base/random.h"

#define RETRY_SAVED 10

struct retry_budget {
	double percent;
	double saved; /* below zero: promised already */
	int64_t refilled_us;
};

void retry_budget_init(struct retry_budget *budget, uint32_t percent, int64_t now_us);

/* A first attempt was sent. */
void retry_budget_earn(struct retry_budget *budget);

/* Takes one retry out; gives how long it must wait for it. */
int64_t retry_budget_take(struct retry_budget *budget, int64_t now_us);

/* Before retry `number` (0 the first); `server_us` below 0: the server asked for nothing. */
int64_t retry_backoff_us(struct random *random, uint32_t number, int64_t server_us);

#endif
