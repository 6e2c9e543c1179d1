/* SPDX-License-Identifier: MIT */
#include "engine/breaker.h"

#define FIRST_US INT64_C(1000000)
#define MOST_US  INT64_C(30000000)

void breaker_init(struct breaker *breaker)
{
	*breaker = (struct breaker){0};
}

int64_t breaker_wait_us(const struct breaker *breaker, int64_t now_us)
{
	if (breaker->state == BREAKER_CLOSED)
		return 0;
	if (breaker->is_trying)
		return INT64_MAX;
	return now_us < breaker->until_us ? breaker->until_us - now_us : 0;
}

bool breaker_pass(struct breaker *breaker, int64_t now_us)
{
	if (breaker->state == BREAKER_CLOSED || now_us < breaker->until_us)
		return false;
	breaker->state = BREAKER_HALF_OPEN;
	breaker->is_trying = true;
	return true;
}

void breaker_unknown(struct breaker *breaker)
{
	breaker->is_trying = false;
}

bool breaker_went_well(struct breaker *breaker)
{
	bool was_closed = breaker->state == BREAKER_CLOSED;

	breaker_init(breaker);
	return !was_closed;
}

bool breaker_failed(struct breaker *breaker, struct random *random, int64_t now_us)
{
	int64_t us = FIRST_US;

	breaker->failures++;
	/* Attempts that were sent before it opened fail late; they do not open it further. */
	if (breaker->state == BREAKER_OPEN)
		return false;
	if (breaker->state == BREAKER_CLOSED && breaker->failures < BREAKER_FAILURES)
		return false;
	for (uint32_t i = 0; i < breaker->openings && us < MOST_US; i++)
		us *= 2;
	if (us > MOST_US)
		us = MOST_US;
	/* A little more, so that many engines do not come back together. */
	us += (int64_t)random_below(random, (uint64_t)us / 4);
	breaker->state = BREAKER_OPEN;
	breaker->openings++;
	breaker->is_trying = false;
	breaker->until_us = now_us + us;
	return true;
}

const char *breaker_name(const struct breaker *breaker)
{
	static const char *const names[] = {"closed", "open", "half-open"};

	return names[breaker->state];
}
