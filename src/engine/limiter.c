/* SPDX-License-Identifier: MIT */
#include "engine/limiter.h"

#include <math.h>

#define SLACK 0.05

static bool is_limited(const struct limiter *limiter)
{
	return limiter->knowledge == LIMITER_LEARNT || limiter->knowledge == LIMITER_SET;
}

void limiter_init(struct limiter *limiter, double limit, double unknown_cap, int64_t now_us)
{
	*limiter = (struct limiter){
	    .knowledge = limit > 0 ? LIMITER_SET : LIMITER_UNKNOWN_YET,
	    .set = limit,
	    .limit = limit,
	    .unknown_cap = unknown_cap,
	    .refilled_us = now_us,
	};
	limiter->permits = limit > 0 ? limiter_burst(limiter) : 0;
}

/* What came back since, to us and to the account alike, makes it more than this, never less. */
void limiter_spend(struct limiter *limiter, double permits)
{
	if (limiter->knowledge == LIMITER_SET)
		limiter->permits = fmax(0, limiter->permits - permits);
}

/* At least one permit of slack, but never a burst below one: a limit of 1 must still let one pass. */
double limiter_burst(const struct limiter *limiter)
{
	if (!is_limited(limiter))
		return INFINITY;
	return fmax(1, floor(limiter->limit - fmax(1, limiter->limit * SLACK)));
}

double limiter_rate(const struct limiter *limiter)
{
	return is_limited(limiter) ? limiter->limit / 60 : INFINITY;
}

static void refill(struct limiter *limiter, int64_t now_us)
{
	double passed_s = (double)(now_us - limiter->refilled_us) / 1e6;

	limiter->refilled_us = now_us;
	if (is_limited(limiter))
		limiter->permits = fmin(
		    limiter_burst(limiter), limiter->permits + passed_s * limiter_rate(limiter));
}

/* Another limit: no more than it holds, and no debt that it would take more than a minute to pay. */
static void fit_permits(struct limiter *limiter)
{
	limiter->permits = fmax(-limiter->limit, fmin(limiter->permits, limiter_burst(limiter)));
}

void limiter_set(struct limiter *limiter, double limit, int64_t now_us)
{
	bool was_limited = is_limited(limiter);

	refill(limiter, now_us);
	limiter->knowledge = limit > 0 ? LIMITER_SET : LIMITER_UNKNOWN_YET;
	limiter->set = limiter->limit = limit;
	if (limit <= 0)
		limiter->permits = 0;
	else if (was_limited)
		fit_permits(limiter);
	else
		limiter->permits = limiter_burst(limiter) - limiter->under_way;
}

double limiter_available(struct limiter *limiter, int64_t now_us)
{
	refill(limiter, now_us);
	if (is_limited(limiter))
		return fmax(0, limiter->permits);
	if (limiter->knowledge == LIMITER_NONE)
		return INFINITY;
	return fmax(0, limiter->unknown_cap - limiter->under_way);
}

int64_t limiter_wait_us(struct limiter *limiter, double cost, int64_t now_us)
{
	double available = limiter_available(limiter, now_us);

	if (available >= cost)
		return 0;
	/* While nothing is known, one at a time may be as large as it likes. */
	if (!is_limited(limiter))
		return limiter->under_way <= 0 ? 0 : INT64_MAX;
	/* One more than needed, or rounding would make the last microsecond many. */
	return 1 + (int64_t)ceil((cost - limiter->permits) / limiter_rate(limiter) * 1e6);
}

struct limiter_charge limiter_take(struct limiter *limiter, double cost, int64_t now_us)
{
	struct limiter_charge charge = {.cost = cost, .under_way_before = limiter->under_way};

	refill(limiter, now_us);
	if (is_limited(limiter))
		limiter->permits -= cost;
	limiter->charged += cost;
	limiter->under_way += cost;
	charge.charged_after = limiter->charged;
	return charge;
}

void limiter_end(struct limiter *limiter, const struct limiter_charge *charge)
{
	limiter->under_way = fmax(0, limiter->under_way - charge->cost);
}

/* A first limit starts with what the answer says is left, a changed one keeps what is there. */
static void learn(struct limiter *limiter, int64_t limit, int64_t remaining)
{
	bool is_first = !is_limited(limiter);

	if (limiter->knowledge == LIMITER_SET) {
		limiter->limit = fmin(limiter->set, (double)limit);
	} else {
		limiter->knowledge = LIMITER_LEARNT;
		limiter->limit = (double)limit;
	}
	if (is_first)
		limiter->permits = remaining >= 0 ? -INFINITY : limiter_burst(limiter);
	else
		fit_permits(limiter);
}

void limiter_correct(struct limiter *limiter, const struct limiter_charge *charge, int64_t limit,
    int64_t remaining, bool is_answered, int64_t now_us)
{
	double most, least, slack;

	refill(limiter, now_us);
	if (limit > 0)
		learn(limiter, limit, remaining);
	else if (limiter->knowledge == LIMITER_UNKNOWN_YET && is_answered && limit <= 0)
		limiter->knowledge = LIMITER_NONE;
	if (!is_limited(limiter) || remaining < 0)
		return;
	slack = limiter->limit - limiter_burst(limiter);
	most = (double)remaining - slack;
	least = most - (limiter->charged - charge->charged_after) - charge->under_way_before;
	if (limiter->knowledge == LIMITER_LEARNT)
		limiter->permits = fmax(limiter->permits, least);
	limiter->permits = fmin(limiter->permits, most);
}

void limiter_drain(struct limiter *limiter, int64_t now_us)
{
	refill(limiter, now_us);
	if (is_limited(limiter))
		limiter->permits = fmin(limiter->permits, 0);
}
