/* SPDX-License-Identifier: MIT */
#include "engine/slots.h"

#include <math.h>

#define START 8
#define CUT   0.7

void slots_init(struct slots *slots, uint32_t max)
{
	*slots = (struct slots){.count = max < START ? max : START,
	    .max = max,
	    .cut_us = INT64_MIN,
	    .held_until_us = INT64_MIN};
}

uint32_t slots_count(const struct slots *slots)
{
	return (uint32_t)slots->count;
}

uint32_t slots_free(const struct slots *slots)
{
	uint32_t count = slots_count(slots);

	return slots->taken < count ? count - slots->taken : 0;
}

bool slots_take(struct slots *slots)
{
	slots->taken++;
	return slots_free(slots) == 0;
}

void slots_give(struct slots *slots)
{
	slots->taken--;
}

void slots_went_well(struct slots *slots, bool was_last, int64_t now_us)
{
	if (!was_last || now_us < slots->held_until_us)
		return;
	slots->count += slots->is_steady ? 1 / slots->count : 1;
	slots->count = fmin(slots->count, slots->max);
}

void slots_overloaded(struct slots *slots, int64_t sent_us, int64_t now_us)
{
	slots->is_steady = true;
	if (sent_us <= slots->cut_us)
		return;
	slots->count = fmax(1, floor(slots->count * CUT));
	slots->cut_us = now_us;
}

void slots_hold(struct slots *slots, int64_t us, int64_t now_us)
{
	slots->held_until_us = now_us + us;
}
