/* SPDX-License-Identifier: MIT */
/*
 * Account quota: what the stand-in lets one key send of one model.
 *
 * Three buckets (PROTOCOL 7): requests per minute, requests per day, tokens
 * per minute by the provider's own arithmetic.  Each drains continuously, at
 * its limit a minute (a day).  A limit may be enforced over a shorter span:
 * 60,000 a minute over one second means never more than 1,000 at once.
 *
 * Every request that gets this far costs one request permit, if there is one,
 * whether it is answered or not; tokens are charged only when it is answered.
 *
 * Time is an argument.  Threads: none; the emulator's lock guards it.
 */
#ifndef EMULATOR_QUOTA_H
#define EMULATOR_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0: no such limit. */
struct quota_limits {
	uint64_t requests_per_minute;
	uint64_t requests_per_day;
	uint64_t tokens_per_minute;
	int64_t span_us; /* the per-minute ones are enforced over this; 0: a minute */
};

struct quota_bucket {
	double limit; /* per period; 0: none */
	double period_us;
	double burst; /* the most that can be used up at once */
	double used;
	int64_t drained_us; /* when `used` was last brought up to date */
};

struct quota {
	struct quota_bucket requests, day, tokens;
};

void quota_init(struct quota *quota, const struct quota_limits *limits, int64_t now_us);

/*
 * What the provider charges a request against the token limit: its texts'
 * bytes / 4, rounded down, or its token ids one by one.
 */
uint64_t quota_charge_of(uint64_t text_bytes, uint64_t token_ids);

enum quota_answer {
	QUOTA_OK,
	QUOTA_REQUESTS,     /* too many this minute */
	QUOTA_REQUESTS_DAY, /* too many this day */
	QUOTA_TOKENS,       /* too many this minute */
	QUOTA_TOO_LARGE,    /* this request alone is above the tokens' limit */
};

/* The numbers of a refusal. */
struct quota_excess {
	uint64_t limit, used, requested;
	int64_t wait_us; /* until it would pass */
};

/* Takes one request and `tokens`, or says why not. */
enum quota_answer quota_take(
    struct quota *quota, uint64_t tokens, int64_t now_us, struct quota_excess *excess);

/* The x-ratelimit-* numbers of one bucket. */
struct quota_view {
	uint64_t limit, remaining;
	int64_t reset_us; /* until full again, cut to whole milliseconds */
};

/* False when the bucket has no limit. */
bool quota_look(struct quota_bucket *bucket, int64_t now_us, struct quota_view *view);

#endif
