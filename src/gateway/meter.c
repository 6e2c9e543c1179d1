/* SPDX-License-Identifier: MIT */
#include "gateway/meter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE_US 60000000

void meter_set_init(struct meter_set *set)
{
	pthread_mutex_init(&set->lock, NULL);
	set->first = NULL;
}

void meter_set_fini(struct meter_set *set)
{
	while (set->first) {
		struct meter *meter = set->first;

		set->first = meter->next;
		pthread_mutex_destroy(&meter->lock);
		free(meter);
	}
	pthread_mutex_destroy(&set->lock);
}

struct meter *meter_set_get(struct meter_set *set, const char *name)
{
	struct meter *meter;

	pthread_mutex_lock(&set->lock);
	for (meter = set->first; meter; meter = meter->next)
		if (strcmp(meter->name, name) == 0)
			break;
	if (!meter && (meter = calloc(1, sizeof(*meter)))) {
		pthread_mutex_init(&meter->lock, NULL);
		strncpy(meter->name, name, KEY_NAME_MAX);
		meter->next = set->first;
		set->first = meter;
	}
	pthread_mutex_unlock(&set->lock);
	return meter;
}

/* ---- Rates ------------------------------------------------------------------ */

/* `cost` permits in microseconds of refill; 128 bits, since tokens are many. */
static int64_t cost_us(uint64_t cost, uint64_t limit)
{
	unsigned __int128 us = (unsigned __int128)cost * MINUTE_US / limit;

	return us > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)us;
}

int64_t meter_take(atomic_int_fast64_t *full_us, uint64_t limit, uint64_t cost, int64_t now_us)
{
	int64_t need_us = cost_us(cost, limit);
	int_fast64_t old = atomic_load_explicit(full_us, memory_order_relaxed);
	int64_t full;

	if (need_us > MINUTE_US)
		return INT64_MAX;
	do {
		full = (old > now_us ? old : now_us) + need_us;
		if (full - now_us > MINUTE_US)
			return full - now_us - MINUTE_US;
	} while (!atomic_compare_exchange_weak_explicit(
	    full_us, &old, full, memory_order_relaxed, memory_order_relaxed));
	return 0;
}

struct meter_left meter_look(const atomic_int_fast64_t *full_us, uint64_t limit, int64_t now_us)
{
	int64_t missing_us = atomic_load_explicit(full_us, memory_order_relaxed) - now_us;
	uint64_t used;

	if (missing_us < 0)
		missing_us = 0;
	used =
	    (uint64_t)((unsigned __int128)(uint64_t)missing_us * limit + MINUTE_US - 1) / MINUTE_US;
	return (struct meter_left){
	    limit, used < limit ? limit - used : 0, (missing_us + 999) / 1000};
}

/* ---- Budgets ---------------------------------------------------------------- */

int64_t meter_period_start(enum key_period period, int64_t now_s)
{
	time_t now = (time_t)now_s;
	struct tm utc;

	if (period == KEY_PERIOD_EVER)
		return 0;
	gmtime_r(&now, &utc);
	utc.tm_sec = utc.tm_min = utc.tm_hour = 0;
	if (period == KEY_PERIOD_MONTH)
		utc.tm_mday = 1;
	return timegm(&utc);
}

bool meter_reserve(struct meter *meter, const struct key *key, uint64_t nano, int64_t now_s)
{
	int64_t start_s = meter_period_start(key->period, now_s);
	uint64_t taken;
	bool is_enough;

	pthread_mutex_lock(&meter->lock);
	if (meter->period_start_s < start_s) { /* a new day or month */
		meter->period_start_s = start_s;
		meter->spent_nano = 0;
	}
	taken = meter->spent_nano + meter->reserved_nano + meter->doubtful_nano +
		meter->newly_doubtful_nano;
	is_enough = taken < key->budget_nano && nano <= key->budget_nano - taken;
	if (is_enough)
		meter->reserved_nano += nano;
	pthread_mutex_unlock(&meter->lock);
	return is_enough;
}

void meter_settle(struct meter *meter, uint64_t reserved_nano, uint64_t cost_nano)
{
	pthread_mutex_lock(&meter->lock);
	meter->reserved_nano -= reserved_nano;
	meter->spent_nano += cost_nano;
	pthread_mutex_unlock(&meter->lock);
}

void meter_doubt(struct meter *meter, uint64_t reserved_nano)
{
	pthread_mutex_lock(&meter->lock);
	meter->reserved_nano -= reserved_nano;
	meter->newly_doubtful_nano += reserved_nano;
	pthread_mutex_unlock(&meter->lock);
}

bool meter_is_due(struct meter *meter, int64_t period_start_s, int64_t every_us, int64_t now_us)
{
	bool is_due;

	pthread_mutex_lock(&meter->lock);
	is_due = meter->synced_us == 0 || meter->synced_start_s != period_start_s ||
		 meter->period_start_s > period_start_s || now_us - meter->synced_us >= every_us;
	pthread_mutex_unlock(&meter->lock);
	return is_due;
}

void meter_sync(struct meter *meter, int64_t period_start_s, uint64_t spent_nano, int64_t now_us)
{
	pthread_mutex_lock(&meter->lock);
	/* The ledger may lag behind answers by a moment: never count less in one period. */
	if (meter->period_start_s != period_start_s || spent_nano > meter->spent_nano)
		meter->spent_nano = spent_nano;
	meter->doubtful_nano = meter->newly_doubtful_nano;
	meter->newly_doubtful_nano = 0;
	meter->period_start_s = period_start_s;
	meter->synced_start_s = period_start_s;
	meter->synced_us = now_us;
	pthread_mutex_unlock(&meter->lock);
}

uint64_t meter_spent(struct meter *meter, enum key_period period, int64_t now_s)
{
	int64_t start_s = meter_period_start(period, now_s);
	uint64_t nano;

	pthread_mutex_lock(&meter->lock);
	nano = meter->period_start_s == start_s ? meter->spent_nano : 0;
	pthread_mutex_unlock(&meter->lock);
	return nano;
}
