/* SPDX-License-Identifier: MIT */
#include "gateway/alarms.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/state.h"

#define LOOK_EVERY_US INT64_C(1000000)

/* Of so few texts one failure says nothing. */
#define ERRORS_MIN_TEXTS 20

void alarms_init(struct alarms *alarms)
{
	memset(alarms, 0, sizeof(*alarms));
	pthread_mutex_init(&alarms->lock, NULL);
	alarm_set_init(&alarms->set);
}

void alarms_fini(struct alarms *alarms)
{
	alarm_set_fini(&alarms->set);
	pthread_mutex_destroy(&alarms->lock);
}

/* ---- Telling ---------------------------------------------------------------- */

static void log_alarm(const struct gateway *gateway, const struct alarm_event *event)
{
	char value[32];

	snprintf(value, sizeof(value), "%.3g", event->value);
	log_event(&gateway->options.log, event->is_raised ? EMBED_LOG_WARN : EMBED_LOG_INFO,
	    event->is_raised ? "alarm_raised" : "alarm_cleared", "alarm", alarm_code(event->kind),
	    "subject", event->subject[0] ? event->subject : NULL, "value", value, "why",
	    alarm_meaning(event->kind), "do", event->is_raised ? alarm_advice(event->kind) : NULL,
	    NULL);
}

static void tell_all(const struct gateway *gateway, const struct alarm_event *event)
{
	log_alarm(gateway, event);
	if (gateway->options.on_alarm)
		gateway->options.on_alarm(event, gateway->options.alarm_context);
}

static void tell(struct alarms *alarms, struct gateway *gateway, enum alarm_kind kind,
    const char *subject, double value)
{
	struct alarm_event event;
	bool is_event;

	pthread_mutex_lock(&alarms->lock);
	is_event = alarm_set_tell(
	    &alarms->set, kind, subject, value, alarms->looked_us, clock_unix_s(), &event);
	pthread_mutex_unlock(&alarms->lock);
	if (is_event)
		tell_all(gateway, &event);
}

/* What nobody tells any more is over: the key was removed, or its budget. */
static void sweep(struct alarms *alarms, struct gateway *gateway)
{
	struct alarm_event event;
	bool is_event;

	do {
		pthread_mutex_lock(&alarms->lock);
		is_event = alarm_set_sweep(&alarms->set, alarms->looked_us, clock_unix_s(), &event);
		pthread_mutex_unlock(&alarms->lock);
		if (is_event)
			tell_all(gateway, &event);
	} while (is_event);
}

/* ---- Looking ---------------------------------------------------------------- */

static void look_at_budgets(struct alarms *alarms, struct gateway *gateway)
{
	int64_t now_s = clock_unix_s();

	for (size_t i = 0; i < gateway->keys->count; i++) {
		const struct key *key = &gateway->keys->keys[i];
		double part;

		if (key->budget_nano == 0)
			continue;
		part =
		    (double)meter_spent(key->meter, key->period, now_s) / (double)key->budget_nano;
		tell(alarms, gateway, ALARM_BUDGET_50, key->name, part);
		tell(alarms, gateway, ALARM_BUDGET_80, key->name, part);
		tell(alarms, gateway, ALARM_BUDGET_100, key->name, part);
	}
}

static void look_at_upstreams(struct alarms *alarms, struct gateway *gateway)
{
	struct embed_upstream_state state;

	for (size_t i = 0; i < ALARMS_UPSTREAMS_MAX &&
			   embed_upstream_state(gateway->service, i, &state) == EMBED_OK;
	     i++) {
		struct alarm_growth limits = alarm_window_add(
		    &alarms->limits[i], state.rate_limited, state.attempts, alarms->looked_us);

		tell(alarms, gateway, ALARM_BREAKER_OPEN, state.name,
		    strcmp(state.breaker, "closed") != 0);
		tell(alarms, gateway, ALARM_ACCOUNT_LIMIT, state.name, (double)limits.part);
		tell(alarms, gateway, ALARM_ACCOUNT_BARRED, state.name, state.is_barred);
	}
}

/* Nobody needs to be woken because a caller sends empty texts, or left. */
static bool is_callers_fault(enum embed_status status)
{
	switch (status) {
	case EMBED_CANCELLED:
	case EMBED_NO_MODEL:
	case EMBED_BAD_DIMENSIONS:
	case EMBED_EMPTY_TEXT:
	case EMBED_BAD_UTF8:
	case EMBED_NUL_IN_TEXT:
	case EMBED_TEXT_TOO_LONG:
	case EMBED_BAD_TOKEN:
	case EMBED_REFUSED:
	case EMBED_NO_SUCH_MODEL:
		return true;
	default:
		return false;
	}
}

static void look_at_errors(struct alarms *alarms, struct gateway *gateway)
{
	struct embed_stats stats = EMBED_STATS_INIT;
	uint64_t counts[EMBED_STATUS_COUNT];
	uint64_t failed = 0;
	struct alarm_growth growth;

	embed_stats(gateway->service, &stats);
	embed_errors(gateway->service, counts, EMBED_STATUS_COUNT);
	for (int status = 0; status < EMBED_STATUS_COUNT; status++)
		if (!is_callers_fault((enum embed_status)status))
			failed += counts[status];
	growth = alarm_window_add(&alarms->errors, failed, stats.texts, alarms->looked_us);
	tell(alarms, gateway, ALARM_ERROR_RATE, "",
	    growth.whole < ERRORS_MIN_TEXTS ? 0 : (double)growth.part / (double)growth.whole);
}

void alarms_look(struct alarms *alarms, struct gateway *gateway, int64_t now_us)
{
	if (alarms->looked_us != 0 && now_us - alarms->looked_us < LOOK_EVERY_US)
		return;
	alarms->looked_us = now_us;
	look_at_budgets(alarms, gateway);
	look_at_upstreams(alarms, gateway);
	look_at_errors(alarms, gateway);
	sweep(alarms, gateway);
}

/* ---- Readers ----------------------------------------------------------------- */

size_t alarms_events(struct alarms *alarms, struct alarm_event *out, size_t cap)
{
	size_t count;

	pthread_mutex_lock(&alarms->lock);
	count = alarm_set_events(&alarms->set, out, cap);
	pthread_mutex_unlock(&alarms->lock);
	return count;
}

size_t alarms_raised(struct alarms *alarms, struct alarm_event *out, size_t cap)
{
	size_t count;

	pthread_mutex_lock(&alarms->lock);
	count = alarm_set_raised(&alarms->set, out, cap);
	pthread_mutex_unlock(&alarms->lock);
	return count;
}
