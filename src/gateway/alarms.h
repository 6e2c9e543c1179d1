/* SPDX-License-Identifier: MIT */
/*
 * Alarms: watches a gateway's budgets, upstreams and errors, about once a
 * second, and tells what is raised or cleared to the log and to who listens.
 *
 * Threads: alarms_look by the one that ticks the gateway; the readers from
 * any.  `lock` guards the set and is held for a copy only.
 */
#ifndef GATEWAY_ALARMS_H
#define GATEWAY_ALARMS_H

#include <pthread.h>

#include "gateway/alarm.h"

#define ALARMS_UPSTREAMS_MAX 64

struct gateway;

/* Must not block: it is called on the thread that watches over everything. */
typedef void alarms_fn(const struct alarm_event *event, void *context);

struct alarms {
	pthread_mutex_t lock;
	struct alarm_set set;
	int64_t looked_us;
	struct alarm_window errors;
	struct alarm_window limits[ALARMS_UPSTREAMS_MAX];
};

void alarms_init(struct alarms *alarms);
void alarms_fini(struct alarms *alarms);

/* Nothing happens within a second of the last look. */
void alarms_look(struct alarms *alarms, struct gateway *gateway, int64_t now_us);

/* The latest, newest first, and those that are raised; each gives how many. */
size_t alarms_events(struct alarms *alarms, struct alarm_event *out, size_t cap);
size_t alarms_raised(struct alarms *alarms, struct alarm_event *out, size_t cap);

#endif
