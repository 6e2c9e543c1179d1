/* SPDX-License-Identifier: MIT */
/* Metrics: the parts of GET /metrics.  Labels take few values: names of upstreams, lanes, codes, and at most METRICS_KEYS_MAX keys. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "gateway/exposition.h"
#include "gateway/state.h"

/* Keys with a budget that are told one by one; those after them in the file are not. */
#define METRICS_KEYS_MAX 200

/* What is so now: lanes, upstreams, budgets of keys, the process. */
void metrics_write_state(struct exposition *to, struct gateway *gateway);

#endif
