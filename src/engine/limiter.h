/* SPDX-License-Identifier: MIT */
/*
 * Limiter: spaces out what is sent so that an account's limit holds.
 *
 * A limiter is a bucket of permits that refills at a steady rate up to its
 * burst.  An upstream has two, one counting requests and one counting text by
 * the provider's own arithmetic (PROTOCOL.md 7), and a batch is sent only when
 * both can pay.
 *
 * The provider's bucket holds `limit` permits and refills by limit / 60 each
 * second.  Ours refills as fast but holds 5 % less: what we send at even
 * intervals arrives at uneven ones, and this slack (3 s worth of refill) keeps
 * a late request followed by a quick one from overdrawing the account.
 *
 * Three ways to a limit:
 *   set      by the account's owner; answers can only lower it
 *   learnt   from the answers' headers
 *   unknown  until the first answer: then at most LIMITER_UNKNOWN permits may
 *            be under way, so that even the smallest account is not overrun.
 *            An answer that names no limit means there is none.
 *
 * Corrections.  An answer says how many permits the provider counted as left
 * when it looked, which was some time between sending and now.  So what is
 * left now is at most that, and at least that less everything charged since,
 * and less what was under way when the answered request was sent.  Our count
 * is moved into this range (only down, when the limit was set).
 *
 * Time is an argument, never read here.  Threads: none.
 */
#ifndef ENGINE_LIMITER_H
#define ENGINE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

enum limiter_knowledge { LIMITER_UNKNOWN_YET, LIMITER_NONE, LIMITER_LEARNT, LIMITER_SET };

struct limiter {
	enum limiter_knowledge knowledge;
	double set;         /* by the owner; 0: not */
	double limit;       /* permits a minute */
	double unknown_cap; /* that may be under way while the limit is unknown */
	double permits;     /* may be below zero after a correction */
	double charged;     /* all ever charged */
	double under_way;   /* charged for attempts that have not ended */
	int64_t refilled_us;
};

/* What an attempt keeps to give back and to correct by. */
struct limiter_charge {
	double cost;
	double charged_after;    /* limiter->charged after this charge */
	double under_way_before; /* by others */
};

/* `limit` 0: to be learnt.  Starts full. */
void limiter_init(struct limiter *limiter, double limit, double unknown_cap, int64_t now_us);

/*
 * Permits that were spent within the last minute by an earlier life of ours:
 * a limit that was set starts with that much less, since its account may have
 * no more.  One that is to be learnt is corrected by the first answer anyway.
 */
void limiter_spend(struct limiter *limiter, double permits);

/* Another limit by the owner; 0: to be learnt again.  What was spent stays spent. */
void limiter_set(struct limiter *limiter, double limit, int64_t now_us);

/* The most that one charge may be; INFINITY when there is no limit. */
double limiter_burst(const struct limiter *limiter);

/* What could be charged now. */
double limiter_available(struct limiter *limiter, int64_t now_us);

/* Permits that come back each second; INFINITY when no limit is known. */
double limiter_rate(const struct limiter *limiter);

/* Until `cost` (at most the burst) can be paid; 0: now; INT64_MAX: not before an attempt ends. */
int64_t limiter_wait_us(struct limiter *limiter, double cost, int64_t now_us);

/* An attempt starts. */
struct limiter_charge limiter_take(struct limiter *limiter, double cost, int64_t now_us);

/* It ended.  Its permits stay spent: failed requests count too. */
void limiter_end(struct limiter *limiter, const struct limiter_charge *charge);

/*
 * What the answer to `charge` said; -1 for what it did not say.  `is_answered`:
 * it was a whole answer with vectors, so that silence means "no limit".
 */
void limiter_correct(struct limiter *limiter, const struct limiter_charge *charge, int64_t limit,
    int64_t remaining, bool is_answered, int64_t now_us);

/* The provider said that nothing is left. */
void limiter_drain(struct limiter *limiter, int64_t now_us);

#endif
