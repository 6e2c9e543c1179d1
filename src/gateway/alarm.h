/* SPDX-License-Identifier: MIT */
/*
 * Alarm: when something that is measured becomes worth telling, and when it
 * is over.
 *
 * An alarm has a value and two thresholds.  It is raised once when the value
 * reaches `on`, and cleared once when the value has stayed below `off` for
 * `clear_after_us`; in between nothing is told.  So what flutters around a
 * threshold is told once, and what flutters faster than `clear_after_us` stays
 * raised.
 *
 * Time is an argument; nothing here reads a clock.  Threads: none; one owner.
 */
#ifndef GATEWAY_ALARM_H
#define GATEWAY_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Every alarm once: name, code, value to raise at, value to clear below,
 * seconds below it before it clears, what it means, what to do.
 */
#define ALARM_TABLE(ROW)                                                                           \
	ROW(BUDGET_50, "budget_50", 0.5, 0.5, 0, "half of the key's budget is spent",              \
	    "look where it goes: embed usage --by key,model --forecast")                           \
	ROW(BUDGET_80, "budget_80", 0.8, 0.8, 0, "four fifths of the key's budget are spent",      \
	    "raise the budget, or send less: embed usage --by key,model --forecast")               \
	ROW(BUDGET_100, "budget_100", 1, 1, 0, "the key's budget is spent; misses are refused",    \
	    "raise the budget (embed keys), or wait for its next period")                          \
	ROW(BREAKER_OPEN, "breaker_open", 1, 1, 60, "an upstream keeps failing and is avoided",    \
	    "look at its status page and at the network; embed doctor tries it")                   \
	ROW(ERROR_RATE, "error_rate", 0.05, 0.025, 60,                                             \
	    "of a minute's texts this part fails for no fault of the callers",                     \
	    "embed_errors_total and the log say which errors they are")                            \
	ROW(ACCOUNT_LIMIT, "account_limit", 1, 1, 60, "an account's rate limit was reached (429)", \
	    "others may use the same account; set lower limits, or ask for higher ones")           \
	ROW(ACCOUNT_BARRED, "account_barred", 1, 1, 0,                                             \
	    "an upstream refuses our account: key, credit or settings",                            \
	    "check key and credit of the account; embed doctor says which")

enum alarm_kind {
#define ROW(name, code, on, off, clear_after_s, meaning, advice) ALARM_##name,
	ALARM_TABLE(ROW)
#undef ROW
	    ALARM_KIND_COUNT
};

const char *alarm_code(enum alarm_kind kind);
const char *alarm_meaning(enum alarm_kind kind);
const char *alarm_advice(enum alarm_kind kind);

#define ALARM_SUBJECT_MAX 255
#define ALARMS_MAX        1024 /* raised at once; more subjects are not watched */
#define ALARM_EVENTS_MAX  64

/* An alarm that was raised or cleared. */
struct alarm_event {
	int64_t time_s; /* Unix */
	enum alarm_kind kind;
	bool is_raised;
	double value;
	char subject[ALARM_SUBJECT_MAX + 1]; /* key or upstream; "" for the service */
};

struct alarm {
	enum alarm_kind kind;
	bool is_raised;
	int64_t below_us; /* since when it is below `off`; 0: it is not */
	int64_t told_us;  /* when its value was last told */
	struct alarm_event last;
};

struct alarm_set {
	struct alarm *alarms; /* room grows up to ALARMS_MAX */
	size_t count, cap;
	struct alarm_event events[ALARM_EVENTS_MAX]; /* ring */
	size_t event_count;                          /* of all time */
};

void alarm_set_init(struct alarm_set *set);
void alarm_set_fini(struct alarm_set *set);

/* Tells a value; true: `event` says that the alarm was raised or cleared. */
bool alarm_set_tell(struct alarm_set *set, enum alarm_kind kind, const char *subject, double value,
    int64_t now_us, int64_t now_s, struct alarm_event *event);

/*
 * Clears the next alarm that is raised and whose value was not told at `now_us`:
 * its key or upstream is gone, or has no budget any more.  False: there is none.
 */
bool alarm_set_sweep(
    struct alarm_set *set, int64_t now_us, int64_t now_s, struct alarm_event *event);

/* The latest events, newest first; gives how many. */
size_t alarm_set_events(const struct alarm_set *set, struct alarm_event *out, size_t cap);

/* The event that raised each alarm which is raised now; gives how many. */
size_t alarm_set_raised(const struct alarm_set *set, struct alarm_event *out, size_t cap);

/* ---- What happened within the last minute ----------------------------- */

#define ALARM_WINDOW_US INT64_C(60000000)
#define ALARM_SAMPLES   64

/* Counts that only grow, sampled about once a second. */
struct alarm_window {
	struct {
		int64_t us;
		uint64_t part, whole;
	} samples[ALARM_SAMPLES]; /* ring */
	size_t count;             /* of all time */
};

/* By how much both grew within the window, as far back as samples reach. */
struct alarm_growth {
	uint64_t part, whole;
};

struct alarm_growth alarm_window_add(
    struct alarm_window *window, uint64_t part, uint64_t whole, int64_t now_us);

#endif
