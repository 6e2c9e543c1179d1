/* SPDX-License-Identifier: MIT */
/*
 * Ledger: what was sent upstream, what it cost, and what the store saved
 * (SQLite, `home`/ledger.db).
 *
 * Every attempt is a row of its own, billed or not, and stays until it is
 * pruned.  The same transaction adds it to a roll-up by (hour, model, key,
 * upstream, lane), which is never pruned, so that a report over a year reads
 * thousands of rows and not millions.  Savings (hits, joined flights) exist in
 * the roll-up only.
 *
 * Money is integer nano-dollars: one token of text-embedding-3-small costs 20.
 *
 * Threads: any; calls on one ledger take turns, but a query never waits for a
 * write.  Processes: several may open one home (a writer waits up to 10 s for
 * another's transaction).  Not to be used after fork.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <embed.h>

struct ledger;

/*
 * Opens `home`/ledger.db, creating what is missing.  EMBED_LEDGER with a
 * sentence that says what to do when it cannot be written, is damaged or not
 * ours, or was written by a newer version.
 */
enum embed_status ledger_open(struct ledger **out, const char *home, struct embed_error *error);

/* No other thread may be inside.  NULL is fine. */
void ledger_close(struct ledger *ledger);

/* ---- Writing --------------------------------------------------------- */

/*
 * One attempt upstream, or one key's part of it: an attempt that carries texts
 * of several keys is one row per key, whose texts, tokens and costs add up to
 * the attempt's (ledger_split).  Strings are borrowed; NULL is "".
 */
struct ledger_attempt {
	int64_t time_us; /* when it was sent, microseconds since 1970 */
	const char *upstream;
	const char *model;
	const char *key_name;
	enum embed_lane lane;
	bool is_part;       /* not the attempt's first row: does not count as an attempt again */
	bool is_billed;     /* upstream answered with usage: texts and tokens count as billed */
	uint32_t texts;     /* that it carried */
	uint64_t tokens;    /* billed, as upstream counted them; 0 if not billed */
	uint64_t cost_nano; /* of these */
	int http_status;    /* 0: no answer */
	enum embed_status status;
	int64_t latency_us;
	uint32_t retry; /* 0: the first attempt of its batch */
	const char *request_id;
};

/* What one key's texts did not cost, since the last such row. */
struct ledger_saving {
	int64_t time_us;
	const char *model;
	const char *key_name;
	enum embed_lane lane;
	uint64_t hit_texts, hit_tokens;
	uint64_t joined_texts, joined_tokens;
	uint64_t saved_nano;
};

/*
 * Adds all of it in one transaction, durable at return (kill -9, power cut).
 * EMBED_LEDGER: nothing was added, and the same rows may be tried again.
 */
enum embed_status ledger_add(struct ledger *ledger, const struct ledger_attempt *attempts,
    size_t attempt_count, const struct ledger_saving *savings, size_t saving_count,
    struct embed_error *error);

/*
 * Shares `total` out by `weights`: out[i] is total * weights[i] / sum, rounded
 * so that all add up to `total` exactly (largest remainder, ties to the lower
 * index).  If all weights are 0 the first gets everything.  `count` is at
 * least 1; the weights' sum is below 2^63.
 */
void ledger_split(uint64_t total, const uint64_t *weights, size_t count, uint64_t *out);

/*
 * Removes attempts sent before `before_s`, in small transactions.  The roll-up,
 * and so every report, stays as it is.
 */
enum embed_status ledger_prune(
    struct ledger *ledger, int64_t before_s, uint64_t *removed, struct embed_error *error);

/* ---- Asking ---------------------------------------------------------- */

/*
 * Calls `fn` for each group, ordered by start, model, key, upstream, lane.
 * `since_s` counts from the beginning of its hour and `until_s` to the end of
 * its hour.  Of by-hour, day and month the finest holds.  Savings belong to no
 * upstream (""), and an attempt with texts of several keys counts once, for
 * the key of its first row.  `fn` must not call the ledger.
 */
enum embed_status ledger_usage(struct ledger *ledger, const struct embed_usage_query *query,
    embed_usage_fn *fn, void *context, struct embed_error *error);

/* What was sent to an upstream, all keys together; `upstream` is valid during the call only. */
struct ledger_spent {
	const char *upstream;
	uint64_t attempts;
	uint64_t texts, tokens; /* of all attempts; tokens as billed */
};

typedef void ledger_spent_fn(const struct ledger_spent *spent, void *context);

/* One call for each upstream that was sent to at `since_us` or later. */
enum embed_status ledger_spent(struct ledger *ledger, int64_t since_us, ledger_spent_fn *fn,
    void *context, struct embed_error *error);

/* The latest attempts, newest first, at most `limit`; strings are valid during the call only. */
typedef void ledger_attempt_fn(const struct ledger_attempt *attempt, void *context);
enum embed_status ledger_recent(struct ledger *ledger, size_t limit, ledger_attempt_fn *fn,
    void *context, struct embed_error *error);

#endif
