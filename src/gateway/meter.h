/* SPDX-License-Identifier: MIT */
/*
 * Meter: what a key has used of its limits.  Outlives reloads of the keys.
 *
 * Rates are kept as one number each (GCRA): the time at which the bucket is
 * full again.  That is one compare-and-swap for a request, no lock.  A bucket
 * holds a minute's worth and refills steadily.
 *
 * A budget is reserved before texts are sent and settled with what they cost;
 * hits cost nothing and never ask.
 *
 * Threads: any; `lock` guards the budget's numbers.
 */
#ifndef GATEWAY_METER_H
#define GATEWAY_METER_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/keys.h"

struct meter {
	struct meter *next;
	char name[KEY_NAME_MAX + 1];
	atomic_int_fast64_t requests_full_us; /* clock_now_us at which no permit is missing */
	atomic_int_fast64_t tokens_full_us;
	pthread_mutex_t lock;
	int64_t period_start_s; /* that spent_nano counts from */
	uint64_t spent_nano;
	uint64_t reserved_nano;
	/* Of calls that ended before their bill came: before and since the last look at the ledger. */
	uint64_t doubtful_nano, newly_doubtful_nano;
	int64_t synced_us;      /* when spent_nano was last read from the ledger; 0: never */
	int64_t synced_start_s; /* from which time on */
};

/* Meters by name; they live as long as the set. */
struct meter_set {
	pthread_mutex_t lock; /* guards the list */
	struct meter *first;
};

void meter_set_init(struct meter_set *set);
void meter_set_fini(struct meter_set *set);
/* Made when new; NULL: out of memory. */
struct meter *meter_set_get(struct meter_set *set, const char *name);

struct meter_left {
	uint64_t limit;     /* a minute */
	uint64_t remaining; /* now */
	int64_t full_ms;    /* until nothing is missing */
};

/*
 * Takes `cost` from a rate of `limit` a minute.  0, or the microseconds until
 * there is enough (INT64_MAX: never, it is more than a full bucket); then
 * nothing was taken.
 */
int64_t meter_take(atomic_int_fast64_t *full_us, uint64_t limit, uint64_t cost, int64_t now_us);
struct meter_left meter_look(const atomic_int_fast64_t *full_us, uint64_t limit, int64_t now_us);

/* When the period that holds `now_s` began (UTC); 0 for KEY_PERIOD_EVER. */
int64_t meter_period_start(enum key_period period, int64_t now_s);

/*
 * False: the budget does not hold it.  In a new period nothing is spent; in an
 * old one, to which the calendar was set back, what counted before goes on
 * counting until the ledger says better.
 */
bool meter_reserve(struct meter *meter, const struct key *key, uint64_t nano, int64_t now_s);
void meter_settle(struct meter *meter, uint64_t reserved_nano, uint64_t cost_nano);
/*
 * What was reserved may yet be billed.  It counts until the ledger was read twice: the first time
 * may come before the bill.
 */
void meter_doubt(struct meter *meter, uint64_t reserved_nano);

/* Of the period that holds `now_s`. */
uint64_t meter_spent(struct meter *meter, enum key_period period, int64_t now_s);

/* The ledger should be read: it was not for `every_us`, or never for this period. */
bool meter_is_due(struct meter *meter, int64_t period_start_s, int64_t every_us, int64_t now_us);
/* What the ledger says was spent since `period_start_s`; `now_us` as clock_now_us. */
void meter_sync(struct meter *meter, int64_t period_start_s, uint64_t spent_nano, int64_t now_us);

#endif
