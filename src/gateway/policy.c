/* SPDX-License-Identifier: MIT */
#include "gateway/policy.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX_DEFAULT  (64u << 20)
#define TEXTS_MAX_DEFAULT 65536
#define QUEUE_DEFAULT     50000000

static void fill_defaults(struct gateway_policy *policy)
{
	if (!policy->max_body_bytes)
		policy->max_body_bytes = BODY_MAX_DEFAULT;
	if (!policy->max_texts)
		policy->max_texts = TEXTS_MAX_DEFAULT;
	if (!policy->queue_tokens)
		policy->queue_tokens = QUEUE_DEFAULT;
}

static void free_copy(struct policy_copy *copy)
{
	for (size_t i = 0; i < copy->policy.cors_origin_count; i++)
		free((char *)copy->policy.cors_origins[i]);
	free((void *)copy->policy.cors_origins);
	free(copy);
}

static struct policy_copy *make_copy(const struct gateway_policy *policy)
{
	struct policy_copy *copy = calloc(1, sizeof(*copy));
	const char **origins = calloc(policy->cors_origin_count + 1, sizeof(*origins));

	if (!copy || !origins) {
		free(copy);
		free((void *)origins);
		return NULL;
	}
	copy->policy = *policy;
	copy->policy.cors_origins = origins;
	copy->policy.cors_origin_count = 0;
	for (size_t i = 0; i < policy->cors_origin_count; i++) {
		origins[i] = strdup(policy->cors_origins[i]);
		if (!origins[i]) {
			free_copy(copy);
			return NULL;
		}
		copy->policy.cors_origin_count++;
	}
	fill_defaults(&copy->policy);
	return copy;
}

static bool is_same(const struct gateway_policy *a, const struct gateway_policy *b)
{
	if (a->cors_origin_count != b->cors_origin_count)
		return false;
	for (size_t i = 0; i < a->cors_origin_count; i++)
		if (strcmp(a->cors_origins[i], b->cors_origins[i]) != 0)
			return false;
	return a->max_body_bytes == b->max_body_bytes && a->max_texts == b->max_texts &&
	       a->queue_tokens == b->queue_tokens && a->queue_wait_us == b->queue_wait_us &&
	       a->timeout_us == b->timeout_us && a->wrong_keys == b->wrong_keys &&
	       a->too_long == b->too_long && a->unknown_fields == b->unknown_fields &&
	       a->hit_usage == b->hit_usage && a->logs_requests == b->logs_requests;
}

bool policies_set(struct policies *policies, const struct gateway_policy *policy)
{
	struct policy_copy *copy = make_copy(policy);
	struct policy_copy *newest = atomic_load(&policies->newest);

	if (!copy)
		return false;
	if (newest && is_same(&newest->policy, &copy->policy)) {
		free_copy(copy);
		return true;
	}
	copy->older = newest;
	atomic_store_explicit(&policies->newest, copy, memory_order_release);
	return true;
}

void policies_fini(struct policies *policies)
{
	struct policy_copy *copy = atomic_load(&policies->newest);

	while (copy) {
		struct policy_copy *older = copy->older;

		free_copy(copy);
		copy = older;
	}
}
