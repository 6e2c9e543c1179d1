/* SPDX-License-Identifier: MIT */
/*
 * Spending: what the ledger knows of today and of this month (UTC), in all and
 * for each key.
 *
 * Threads: none; one owner.
 */
#ifndef GATEWAY_SPENDING_H
#define GATEWAY_SPENDING_H

#include <embed.h>

#include "base/buffer.h"
#include "gateway/keys.h"

/* The columns of embed_usage_row that are added up. */
#define SPENDING_TABLE(ROW)                                                                        \
	ROW(attempts)                                                                              \
	ROW(failed_attempts)                                                                       \
	ROW(billed_texts)                                                                          \
	ROW(billed_tokens)                                                                         \
	ROW(cost_nano)                                                                             \
	ROW(hit_texts)                                                                             \
	ROW(hit_tokens)                                                                            \
	ROW(joined_texts)                                                                          \
	ROW(joined_tokens)                                                                         \
	ROW(saved_nano)

struct spending_sum {
#define ROW(name) uint64_t name;
	SPENDING_TABLE(ROW)
#undef ROW
};

struct spending_key {
	char name[KEY_NAME_MAX + 1]; /* "": what came without a key */
	struct spending_sum today, month;
	bool has_key; /* while keys are chosen to be shown: one has this name */
};

struct spending {
	int64_t read_s; /* when; 0: never */
	struct spending_sum today, month;
	struct spending_key *keys; /* by name */
	size_t key_count, key_cap;
};

void spending_init(struct spending *spending);
void spending_fini(struct spending *spending);

/* Asks the ledger.  When that fails, what was read before stays. */
enum embed_status spending_read(
    struct spending *spending, embed_service *service, int64_t now_s, struct embed_error *error);

/* NULL: it used nothing this month. */
const struct spending_key *spending_of(const struct spending *spending, const char *name);

/* {"attempts":..,"cost_nano":..,..} */
void spending_write_sum(struct buffer *out, const struct spending_sum *sum);

/* One row of the ledger's report by day and key; rows come in order of their days. */
void spending_add(struct spending *spending, const struct embed_usage_row *row, int64_t today_s);

#endif
