/* SPDX-License-Identifier: MIT */
/*
 * Log flood: keeps one kind of event from drowning all others, and remembers
 * the latest faults.
 *
 * An event's kind is its name and level.  Within a second so many of a kind
 * pass; what comes above is counted, and told in one event when the second is
 * over.  Faults are the events that say what to do (do=..); each kind of them
 * is kept with its latest text and how often it came.
 *
 * Time is an argument.  Threads: none; one owner.
 */
#ifndef APP_LOG_FLOOD_H
#define APP_LOG_FLOOD_H

#include <embed.h>

#define LOG_KINDS_MAX 64
#define LOG_KIND_MAX  47
#define LOG_TEXT_MAX  511

struct log_recent {
	char event[LOG_KIND_MAX + 1];
	enum embed_log_level level;
	uint64_t count; /* of all time */
	int64_t first_s, last_s;
	char text[LOG_TEXT_MAX + 1];   /* the latest's pairs between its name and its do= */
	char advice[LOG_TEXT_MAX + 1]; /* its do= */
};

struct log_kind {
	struct log_recent recent;
	bool is_fault;
	int64_t second;   /* that `passed` counts */
	uint64_t passed;  /* in that second */
	uint64_t dropped; /* not told yet */
};

struct log_flood {
	uint64_t per_second; /* of one kind; 0: all pass */
	struct log_kind kinds[LOG_KINDS_MAX];
	size_t count;
};

void log_flood_init(struct log_flood *flood, uint64_t per_second);

/* Whether the event passes at second `now_s`. */
bool log_flood_admit(
    struct log_flood *flood, enum embed_log_level level, const char *event, int64_t now_s);

/* Remembers an event whose line is not wanted anyway. */
void log_flood_note(
    struct log_flood *flood, enum embed_log_level level, const char *event, int64_t now_s);

/*
 * The next sum of what was dropped before second `now_s`, as an event; false:
 * there is none.  INT64_MAX: at the end of all.
 */
bool log_flood_sum(struct log_flood *flood, int64_t now_s, char event[LOG_TEXT_MAX + 1],
    enum embed_log_level *level);

/* Faults, the latest first; gives how many. */
size_t log_flood_recent(const struct log_flood *flood, struct log_recent *out, size_t cap);

#endif
