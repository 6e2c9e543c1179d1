/* SPDX-License-Identifier: MIT */
/*
 * Upstream: what the engine knows of one account that it sends to, and
 * whether it may send there now.
 *
 * Four things can say "not now", each with a time: the limiters (too fast), the
 * breaker (it keeps failing), a pause (it asked for one, 429) and a bar (its
 * account is of no use until a person acts: key refused, no money).  A bar
 * lasts UPSTREAM_BAR_US, so that an engine which runs for months notices that
 * somebody paid; until then what only this upstream could take fails at once,
 * with the bar's sentence.  And slots can all be taken.
 *
 * Threads: none; the engine's owns it.
 */
#ifndef ENGINE_UPSTREAM_H
#define ENGINE_UPSTREAM_H

#include "engine/breaker.h"
#include "engine/limiter.h"
#include "engine/names.h"
#include "engine/slots.h"
#include "wire/fault.h"

#define UPSTREAM_BAR_US INT64_C(30000000)

/* The smallest account's limits (PROTOCOL.md 6): what may be under way before the first answer. */
#define UPSTREAM_UNKNOWN_REQUESTS 8
#define UPSTREAM_UNKNOWN_PERMITS  40000

/* The request limit of PROTOCOL.md 7, in bytes: 300,000 permits of four. */
#define UPSTREAM_CHARGE_BYTES (UINT64_C(300000) * 4)

/* What a body holds beside the texts: model, user, extra and the fields' names. */
#define UPSTREAM_BODY_ROOM (1024 + EMBED_EXTRA_MAX)

struct upstream {
	struct embed_upstream settings; /* strings owned by the engine */
	size_t index;
	struct limiter requests;
	struct limiter permits;
	struct slots slots;
	struct breaker breaker;
	int64_t paused_until_us;
	uint32_t pauses; /* in a row, without the server saying how long */
	int64_t barred_until_us;
	struct embed_error bar;
	int64_t sent_by_share; /* permits sent, by share: who has least is next */
	uint64_t attempts, failures, rate_limited;
	struct embed_error last_error;
	int64_t last_error_us; /* 0: none */
};

/* What a batch costs here, in permits: floor(bytes / 4), now and then 1 more (PROTOCOL.md 7). */
static inline double upstream_cost(uint64_t charge_bytes)
{
	return (double)(charge_bytes / 4 + 1);
}

void upstream_init(struct upstream *upstream, size_t index, const struct embed_upstream *settings,
    const struct engine_spent *spent, int64_t now_us);

/* Another key makes a new start of one that was refused; limits begin where the old ones stood. */
void upstream_change(
    struct upstream *upstream, const struct embed_upstream *settings, int64_t now_us);

/* Whether it could ever take texts of this kind. */
bool upstream_takes(const struct upstream *upstream, const struct kind *kind);

/* Barred, for texts sent with the upstream's own key. */
bool upstream_is_barred(const struct upstream *upstream, const struct kind *kind, int64_t now_us);

/* The most that a batch here may ever cost. */
double upstream_most(const struct upstream *upstream);

/*
 * Until something that costs `cost` may be sent; 0: now; INT64_MAX: when an
 * attempt has ended.  `reserved` slots are for others.
 */
int64_t upstream_wait_us(struct upstream *upstream, double cost, uint32_t reserved, int64_t now_us);

/* A rate limit was hit: nobody sends for `wait_us` (below 0: for a while that grows). */
void upstream_pause(struct upstream *upstream, int64_t wait_us, int64_t now_us);

/* Its account is of no use; gives the sentence that tells so. */
void upstream_bar(struct upstream *upstream, const struct embed_error *error, int64_t now_us);

#endif
