/* SPDX-License-Identifier: MIT */
#include "engine/retry.h"

#include <math.h>

#define FIRST_US         INT64_C(500000)
#define MOST_US          INT64_C(8000000)
#define SERVER_JITTER_US INT64_C(1000000)

void retry_budget_init(struct retry_budget *budget, uint32_t percent, int64_t now_us)
{
	*budget =
	    (struct retry_budget){.percent = percent, .saved = RETRY_SAVED, .refilled_us = now_us};
}

void retry_budget_earn(struct retry_budget *budget)
{
	budget->saved = fmin(RETRY_SAVED, budget->saved + budget->percent / 100);
}

int64_t retry_budget_take(struct retry_budget *budget, int64_t now_us)
{
	double passed_s = (double)(now_us - budget->refilled_us) / 1e6;

	budget->refilled_us = now_us;
	budget->saved = fmin(RETRY_SAVED, budget->saved + passed_s) - 1;
	return budget->saved >= 0 ? 0 : (int64_t)(-budget->saved * 1e6);
}

int64_t retry_backoff_us(struct random *random, uint32_t number, int64_t server_us)
{
	int64_t most = MOST_US;

	if (server_us >= 0) {
		int64_t jitter =
		    server_us / 10 < SERVER_JITTER_US ? server_us / 10 : SERVER_JITTER_US;

		return server_us + (int64_t)random_below(random, (uint64_t)jitter + 1);
	}
	if (number < 4)
		most = FIRST_US << number;
	return (int64_t)random_below(random, (uint64_t)most);
}
