/* SPDX-License-Identifier: MIT */
#include "gateway/alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *code;
	double on, off;
	int64_t clear_after_us;
	const char *meaning, *advice;
} kinds[] = {
#define ROW(name, code, on, off, clear_after_s, meaning, advice)                                   \
	{code, on, off, INT64_C(1000000) * (clear_after_s), meaning, advice},
    ALARM_TABLE(ROW)
#undef ROW
};

const char *alarm_code(enum alarm_kind kind)
{
	return kinds[kind].code;
}

const char *alarm_meaning(enum alarm_kind kind)
{
	return kinds[kind].meaning;
}

const char *alarm_advice(enum alarm_kind kind)
{
	return kinds[kind].advice;
}

void alarm_set_init(struct alarm_set *set)
{
	*set = (struct alarm_set){0};
}

void alarm_set_fini(struct alarm_set *set)
{
	free(set->alarms);
	set->alarms = NULL;
}

/* ---- One alarm ------------------------------------------------------------ */

/* True: it changed. */
static bool step(struct alarm *alarm, double value, int64_t now_us)
{
	if (!alarm->is_raised) {
		alarm->is_raised = value >= kinds[alarm->kind].on;
		alarm->below_us = 0;
		return alarm->is_raised;
	}
	if (value >= kinds[alarm->kind].off) {
		alarm->below_us = 0;
		return false;
	}
	if (alarm->below_us == 0)
		alarm->below_us = now_us;
	if (now_us - alarm->below_us < kinds[alarm->kind].clear_after_us)
		return false;
	alarm->is_raised = false;
	return true;
}

/* ---- The set -------------------------------------------------------------- */

static struct alarm *find(struct alarm_set *set, enum alarm_kind kind, const char *subject)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->alarms[i].kind == kind &&
		    strcmp(set->alarms[i].last.subject, subject) == 0)
			return &set->alarms[i];
	return NULL;
}

/* Of those that are over, or one more. */
static struct alarm *make_room(struct alarm_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->alarms[i].is_raised)
			return &set->alarms[i];
	if (set->count == ALARMS_MAX)
		return NULL;
	if (set->count == set->cap) {
		size_t cap = set->cap == 0 ? 16 : set->cap * 2;
		struct alarm *grown = reallocarray(set->alarms, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		set->alarms = grown;
		set->cap = cap;
	}
	return &set->alarms[set->count++];
}

static struct alarm *add(struct alarm_set *set, enum alarm_kind kind, const char *subject)
{
	struct alarm *alarm = make_room(set);

	if (!alarm)
		return NULL;
	*alarm = (struct alarm){.kind = kind, .last = {.kind = kind}};
	snprintf(alarm->last.subject, sizeof(alarm->last.subject), "%s", subject);
	return alarm;
}

static void note(struct alarm_set *set, struct alarm *alarm, double value, int64_t now_s,
    struct alarm_event *event)
{
	alarm->last.time_s = now_s;
	alarm->last.is_raised = alarm->is_raised;
	alarm->last.value = value;
	*event = alarm->last;
	set->events[set->event_count++ % ALARM_EVENTS_MAX] = *event;
}

bool alarm_set_tell(struct alarm_set *set, enum alarm_kind kind, const char *subject, double value,
    int64_t now_us, int64_t now_s, struct alarm_event *event)
{
	struct alarm *alarm = find(set, kind, subject);

	/* What was never worth telling takes no room. */
	if (!alarm && value >= kinds[kind].on)
		alarm = add(set, kind, subject);
	if (!alarm)
		return false;
	alarm->told_us = now_us;
	if (!step(alarm, value, now_us))
		return false;
	note(set, alarm, value, now_s, event);
	return true;
}

bool alarm_set_sweep(
    struct alarm_set *set, int64_t now_us, int64_t now_s, struct alarm_event *event)
{
	for (size_t i = 0; i < set->count; i++) {
		struct alarm *alarm = &set->alarms[i];

		if (!alarm->is_raised || alarm->told_us == now_us)
			continue;
		alarm->is_raised = false;
		note(set, alarm, 0, now_s, event);
		return true;
	}
	return false;
}

size_t alarm_set_events(const struct alarm_set *set, struct alarm_event *out, size_t cap)
{
	size_t count = 0;

	while (count < cap && count < set->event_count && count < ALARM_EVENTS_MAX) {
		out[count] = set->events[(set->event_count - 1 - count) % ALARM_EVENTS_MAX];
		count++;
	}
	return count;
}

size_t alarm_set_raised(const struct alarm_set *set, struct alarm_event *out, size_t cap)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count && count < cap; i++)
		if (set->alarms[i].is_raised)
			out[count++] = set->alarms[i].last;
	return count;
}

/* ---- The last minute -------------------------------------------------------- */

struct alarm_growth alarm_window_add(
    struct alarm_window *window, uint64_t part, uint64_t whole, int64_t now_us)
{
	struct alarm_growth growth = {0};
	size_t back;

	if (window->count == 0) /* counts begin at 0 when the watching begins */
		window->samples[window->count++ % ALARM_SAMPLES].us = now_us;
	back = window->count < ALARM_SAMPLES ? window->count : ALARM_SAMPLES;
	/* The oldest sample that is not out of the window yet. */
	while (back > 0 && now_us - window->samples[(window->count - back) % ALARM_SAMPLES].us >
			       ALARM_WINDOW_US)
		back--;
	if (back > 0) {
		size_t oldest = (window->count - back) % ALARM_SAMPLES;

		growth.part = part - window->samples[oldest].part;
		growth.whole = whole - window->samples[oldest].whole;
	}
	window->samples[window->count % ALARM_SAMPLES].us = now_us;
	window->samples[window->count % ALARM_SAMPLES].part = part;
	window->samples[window->count++ % ALARM_SAMPLES].whole = whole;
	return growth;
}
