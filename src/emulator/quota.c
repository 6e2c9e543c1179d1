/* SPDX-License-Identifier: MIT */
#include "emulator/quota.h"

#define MINUTE_US 60e6
#define DAY_US    86400e6

static void bucket_init(
    struct quota_bucket *bucket, uint64_t limit, double period_us, double span_us, int64_t now_us)
{
	*bucket = (struct quota_bucket){.limit = (double)limit,
	    .period_us = period_us,
	    .burst = (double)limit * span_us / period_us,
	    .drained_us = now_us};
	/* Enforced over a span too short for a single request, nothing could ever pass. */
	if (limit > 0 && bucket->burst < 1)
		bucket->burst = 1;
}

void quota_init(struct quota *quota, const struct quota_limits *limits, int64_t now_us)
{
	double span_us = MINUTE_US;

	if (limits->span_us > 0 && limits->span_us < MINUTE_US)
		span_us = (double)limits->span_us;
	bucket_init(&quota->requests, limits->requests_per_minute, MINUTE_US, span_us, now_us);
	bucket_init(&quota->tokens, limits->tokens_per_minute, MINUTE_US, span_us, now_us);
	bucket_init(&quota->day, limits->requests_per_day, DAY_US, DAY_US, now_us);
}

uint64_t quota_charge_of(uint64_t text_bytes, uint64_t token_ids)
{
	return text_bytes / 4 + token_ids;
}

static void drain(struct quota_bucket *bucket, int64_t now_us)
{
	if (now_us <= bucket->drained_us)
		return;
	bucket->used -= (double)(now_us - bucket->drained_us) * bucket->limit / bucket->period_us;
	if (bucket->used < 0)
		bucket->used = 0;
	bucket->drained_us = now_us;
}

/* A millionth of a permit is rounding, not use. */
static bool has_room(struct quota_bucket *bucket, double amount, int64_t now_us)
{
	if (bucket->limit <= 0)
		return true;
	drain(bucket, now_us);
	return bucket->used + amount <= bucket->burst + 1e-6;
}

static void explain(const struct quota_bucket *bucket, uint64_t amount, struct quota_excess *excess)
{
	double over = bucket->used + (double)amount - bucket->burst;

	excess->limit = (uint64_t)bucket->limit;
	excess->used = (uint64_t)bucket->used;
	excess->requested = amount;
	excess->wait_us = (int64_t)(over / bucket->limit * bucket->period_us) + 1;
}

enum quota_answer quota_take(
    struct quota *quota, uint64_t tokens, int64_t now_us, struct quota_excess *excess)
{
	if (!has_room(&quota->day, 1, now_us)) {
		explain(&quota->day, 1, excess);
		return QUOTA_REQUESTS_DAY;
	}
	if (!has_room(&quota->requests, 1, now_us)) {
		explain(&quota->requests, 1, excess);
		return QUOTA_REQUESTS;
	}
	quota->day.used += 1;
	quota->requests.used += 1;
	if (!has_room(&quota->tokens, (double)tokens, now_us)) {
		explain(&quota->tokens, tokens, excess);
		return (double)tokens > quota->tokens.burst ? QUOTA_TOO_LARGE : QUOTA_TOKENS;
	}
	quota->tokens.used += (double)tokens;
	return QUOTA_OK;
}

bool quota_look(struct quota_bucket *bucket, int64_t now_us, struct quota_view *view)
{
	double left;

	if (bucket->limit <= 0)
		return false;
	drain(bucket, now_us);
	left = bucket->limit - bucket->used;
	view->limit = (uint64_t)bucket->limit;
	view->remaining = left > 0 ? (uint64_t)left : 0;
	/* Half a microsecond more, so that 1/3000 of a minute is 20 ms and not 19.999. */
	view->reset_us = (int64_t)(bucket->used / bucket->limit * bucket->period_us + 0.5);
	view->reset_us -= view->reset_us % 1000;
	return true;
}
