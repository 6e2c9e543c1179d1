/* SPDX-License-Identifier: MIT */
/*
 * Policy: the gateway's own copies of what may change while it runs.
 *
 * The newest one is read with one load of a pointer.  Older ones live until
 * the gateway ends, since requests that began under them may still run; there
 * are as many as reloads that changed something.
 *
 * Threads: policies_set by one, policies_now by any.
 */
#ifndef GATEWAY_POLICY_H
#define GATEWAY_POLICY_H

#include <stdatomic.h>

#include "gateway/gateway.h"

struct policy_copy;

struct policies {
	_Atomic(struct policy_copy *) newest;
};

struct policy_copy {
	struct gateway_policy policy;
	struct policy_copy *older;
};

/* Copies it, with defaults filled in; nothing happens when it is as the newest.  False: out of memory. */
bool policies_set(struct policies *policies, const struct gateway_policy *policy);
void policies_fini(struct policies *policies);

static inline const struct gateway_policy *policies_now(const struct policies *policies)
{
	return &atomic_load_explicit(&policies->newest, memory_order_acquire)->policy;
}

#endif
